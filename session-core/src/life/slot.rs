//! Slots: values of requests that end with their session.

use std::pin::Pin;
use std::task::Waker;

use crate::values::about::About;
use crate::values::close::caught;
use crate::values::report::Trouble;

/// A slot, whatever its type.
pub(crate) trait AnySlot: Send + Sync {
    /// Returns the number of its request, if several guards share it, or zero.
    fn request(&self) -> u64;

    /// Takes the contents out, for the caller to dispose of outside all locks.
    fn empty(&self) -> Emptied;
}

/// The contents of a slot that has been emptied.
pub(crate) struct Emptied {
    pub(crate) held: Option<Pin<Box<dyn Send>>>,
    pub(crate) waker: Option<Waker>,
    pub(crate) type_name: &'static str,
}

impl Emptied {
    /// Drops the contents and wakes their poller, which then finds that they have ended.
    pub(crate) fn dispose(self) -> Result<(), (About, Trouble)> {
        let Self { held, waker, .. } = self;
        let dropped = caught(|| {
            drop(held);
            Ok(())
        });
        let woken = caught(|| {
            waker.into_iter().for_each(Waker::wake);
            Ok(())
        });
        let about = About::kind("request", self.type_name);
        dropped.and(woken).map_err(|trouble| (about, trouble))
    }
}
