//! Ownership of a value of any type until completion.

use std::fmt;
use std::marker::PhantomData;

use crate::error::Refused;
use crate::life::owner::{Owner, OwnerRef, WeakOwner};
use crate::life::state::{Owning, State, Used};

/// The handle of a value given to a session with [`take_ownership`](crate::LocalSession::take_ownership).
///
/// The first of these wins: completion of the session, [`dispose`](Self::dispose), or [`reclaim`](Self::reclaim).
/// The value is dropped exactly once. Dropping the handle changes nothing.
///
/// The handle has no access to the value, and no close hook. If you need either, use a property.
pub struct Owned<T> {
    owner: WeakOwner,
    number: u64,
    value: PhantomData<fn() -> T>,
}

impl<T: Send + 'static> Owned<T> {
    /// Drops the value now and unregisters it: the session keeps no memory for it. Cleanup waits for a dispose under
    /// way.
    ///
    /// Returns whether this call dropped the value. It is `false` once the session has completed, or after another
    /// `dispose` or `reclaim`.
    ///
    /// # Panics
    ///
    /// If the value's destructor panics.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// let (sender, receiver) = std::sync::mpsc::channel::<()>();
    /// let owned = session.take_ownership(sender)?;
    /// assert!(owned.dispose());
    /// assert!(receiver.recv().is_err(), "the sender is gone");
    /// # Ok(()) }
    /// ```
    pub fn dispose(&self) -> bool {
        let Some(owner) = self.owner.upgrade() else {
            return false;
        };
        let number = self.number;
        let take = |used: &mut Used| {
            let owning = used.rare_mut().owned.remove(&number)?;
            let about = Some(owning.about());
            used.rare_mut().disposals.insert(number, about);
            Some(owning)
        };
        let Some(owning) = from_active(&owner, take) else {
            return false;
        };
        let _under_way = Disposal { owner, number };
        drop(owning);
        true
    }

    /// Takes the value back without dropping it; `None` once the session has completed, or after another `reclaim` or
    /// `dispose`.
    pub fn reclaim(&self) -> Option<T> {
        let owner = self.owner.upgrade()?;
        let owning = from_active(&owner, |used| used.rare_mut().owned.remove(&self.number))?;
        owning.value.downcast().ok().map(|value| *value)
    }
}

/// Takes something from the contents of an active session; `None` if the session has completed.
fn from_active<R>(owner: &Owner, take: impl FnOnce(&mut Used) -> Option<R>) -> Option<R> {
    let mut state = owner.local().lock();
    if state.is_completed() {
        return None;
    }
    take(state.used_mut())
}

impl<T> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owned<{}>", std::any::type_name::<T>())
    }
}

/// A dispose under way, of an owned value or of a property.
pub(crate) struct Disposal {
    owner: Owner,
    number: u64,
}

impl Disposal {
    /// Records that a property is being disposed of; `None` after cleanup. Its ledger says whether it is still held.
    pub(crate) fn of_property(owner: &Owner, locked: &mut State) -> Option<Self> {
        if locked.is_cleaned_up() {
            return None;
        }
        let used = locked.used_mut();
        let number = used.number();
        used.rare_mut().disposals.insert(number, None);
        Some(Self {
            owner: owner.clone(),
            number,
        })
    }
}

impl Drop for Disposal {
    fn drop(&mut self) {
        let local = self.owner.local();
        // A dispose that outlasted the drain timeout may find its session already cleaned up.
        if let Some(used) = local.lock().used_if_any() {
            used.rare_mut().disposals.remove(&self.number);
        }
        local.check_drained();
    }
}

pub(crate) fn take_ownership<T: Send + 'static>(
    owner: OwnerRef<'_>,
    value: T,
) -> Result<Owned<T>, Refused<T>> {
    let owning = Owning {
        value: Box::new(value),
        type_name: std::any::type_name::<T>(),
    };
    let mut state = owner.local().lock();
    if state.is_completed() {
        drop(state);
        return match owning.value.downcast() {
            Ok(value) => Err(Refused::SessionEnded(*value)),
            Err(_) => unreachable!("it was boxed as a `T`"),
        };
    }
    let used = state.used_mut();
    let number = used.number();
    used.rare_mut().owned.insert(number, owning);
    Ok(Owned {
        owner: owner.downgrade(),
        number,
        value: PhantomData,
    })
}
