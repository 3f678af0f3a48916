//! A value as a session holds it, and how its last holder closes it.
//!
//! Invariants:
//! 1. A value is shared by handles ([`PropertyRef`]) and by the session's own hold ([`Held`]). The last
//!    holder to let go takes it out with `into_inner` and closes it, once.
//! 2. So every holder lets go through [`Held::let_go`]: dropping a bare counted pointer would skip the hook.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use crate::sync::{Counted, from_std, into_std};
use crate::values::about::About;
use crate::values::close::{Closed, Closing, Hook, close, is_trivial};
use crate::values::closing::Entry;
use crate::values::ledger::{Ledger, Serial};

/// A value with what is needed to close it, wherever that happens.
#[repr(C)]
pub(crate) struct Value<T> {
    /// First, beside the counts, so that a reader touches one cache line.
    inner: T,
    hook: Option<Box<Hook<T>>>,
    tag: Tag,
    /// `None` if nothing happens when it is closed.
    account: Option<Account>,
}

/// The facts about a value that are known without its type.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) about: About,
    /// When it was published, in nanoseconds after its manager's start.
    pub(crate) born: u64,
}

/// Where the close of a value is accounted for.
pub(crate) struct Account {
    serial: Serial,
    ledger: Arc<Ledger>,
}

impl<T> Value<T> {
    fn close_anywhere(self) {
        if let Some((entry, closing)) = self.start_close() {
            entry.detach(closing);
        }
    }

    /// Starts the close; `None` if nothing happens.
    fn start_close(self) -> Option<(Entry, Closing)> {
        let Account { serial, ledger } = self.account?;
        let entry = Entry::begin(ledger, serial, self.tag.about);
        let mut parts = Some((self.inner, self.hook));
        let closing = entry.inside_runtime(&mut || match parts.take() {
            Some((value, hook)) => close(value, hook.map(|hook| *hook)),
            None => unreachable!("a value is closed once"),
        });
        Some((entry, closing))
    }
}

/// A value without its type.
pub(crate) trait AnyValue: Any + Send + Sync {
    fn tag(&self) -> &Tag;

    fn account(&self) -> Option<&Account>;

    /// Sets `handle`, the empty `OnceLock` of a cell, to a handle of this value.
    fn publish(self: Arc<Self>, handle: &dyn Any);

    /// Lets go of one hold. If it was the last, the close begins.
    fn let_go(self: Arc<Self>) -> Option<(Entry, Closing)>;

    /// Lets go of one hold outside a cleanup. If it was the last, the close goes on by itself.
    fn let_go_anywhere(self: Arc<Self>);
}

impl<T: Send + Sync + 'static> AnyValue for Value<T> {
    fn tag(&self) -> &Tag {
        &self.tag
    }

    fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    fn publish(self: Arc<Self>, handle: &dyn Any) {
        let own = PropertyRef(Some(from_std(self)));
        let set = handle
            .downcast_ref()
            .is_some_and(|handle: &OnceLock<_>| handle.set(own).is_ok());
        debug_assert!(set, "a cell is published once, with a value of its type");
    }

    fn let_go(self: Arc<Self>) -> Option<(Entry, Closing)> {
        Counted::into_inner(from_std(self))?.start_close()
    }

    fn let_go_anywhere(self: Arc<Self>) {
        if let Some(value) = Counted::into_inner(from_std(self)) {
            value.close_anywhere();
        }
    }
}

/// A session's own hold on a value. Empty once it has been taken out.
#[derive(Default)]
pub struct Held(Option<Counted<dyn AnyValue>>);

impl Held {
    fn value(&self) -> &Counted<dyn AnyValue> {
        self.0.as_ref().expect("an empty hold is only dropped")
    }

    /// Takes the hold out and leaves an empty one, without a word more for an `Option`.
    pub(crate) fn take(&mut self) -> Option<Self> {
        self.0.take().map(|value| Self(Some(value)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn tag(&self) -> &Tag {
        self.value().tag()
    }

    /// Returns a handle, if the value is a `T`.
    pub(crate) fn handle<T: Send + Sync + 'static>(&self) -> Option<PropertyRef<T>> {
        let value = into_std(self.value().clone());
        let value = (value as Arc<dyn Any + Send + Sync>)
            .downcast::<Value<T>>()
            .ok()?;
        Some(PropertyRef(Some(from_std(value))))
    }

    /// Returns another hold of the same value.
    pub(crate) fn again(&self) -> Self {
        Self(Some(self.value().clone()))
    }

    /// Sets `handle`, the empty `OnceLock` of a cell, to a handle of the value.
    pub(crate) fn publish(&self, handle: &dyn Any) {
        into_std(self.value().clone()).publish(handle);
    }

    /// Whether nothing happens when the value is dropped.
    pub(crate) fn is_trivial(&self) -> bool {
        self.value().account().is_none()
    }

    /// Expects the close of the value, whichever holder causes it: a cleanup waits for it.
    pub(crate) fn expect(&self) {
        if let Some(account) = self.value().account() {
            let about = self.tag().about.clone();
            account.ledger.expect(account.serial, about);
        }
    }

    /// Returns a receiver of the outcome of the close, whichever holder causes it; `None` if nothing happens then.
    pub(crate) fn watch(&self) -> Option<oneshot::Receiver<Closed>> {
        let Account { serial, ledger } = self.value().account()?;
        Some(ledger.watch(*serial))
    }

    /// Lets go in cleanup: the value is closed now, or its close is expected from its other holders.
    pub(crate) fn let_go(mut self) -> Option<(Entry, Closing)> {
        self.expect();
        into_std(self.0.take()?).let_go()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held")
            .field(&self.0.as_ref().map(|value| value.tag()))
            .finish()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            into_std(value).let_go_anywhere();
        }
    }
}

/// A handle to a property. It derefs to the value, can be cloned, and can move into tasks.
///
/// It keeps only the value alive, not the session, which may end meanwhile. The value is then closed
/// when the last handle is dropped, on whatever thread that is.
pub struct PropertyRef<T>(Option<Counted<Value<T>>>);

impl<T> PropertyRef<T> {
    /// `ledger` is asked for only if the value has to be closed.
    pub(crate) fn new(
        value: T,
        hook: Option<Hook<T>>,
        tag: Tag,
        ledger: impl FnOnce() -> Arc<Ledger>,
    ) -> Self {
        let account = (!is_trivial(hook.as_ref())).then(|| {
            let ledger = ledger();
            let serial = ledger.next_serial();
            Account { serial, ledger }
        });
        Self(Some(Counted::new(Value {
            inner: value,
            hook: hook.map(Box::new),
            tag,
            account,
        })))
    }

    fn value(&self) -> &Counted<Value<T>> {
        self.0
            .as_ref()
            .expect("a handle is taken only as it is dropped")
    }

    pub(crate) fn tag(&self) -> &Tag {
        &self.value().tag
    }

    pub(crate) fn hold(&self) -> Held
    where
        T: Send + Sync + 'static,
    {
        let value = into_std(self.value().clone());
        Held(Some(from_std(value as Arc<dyn AnyValue>)))
    }

    /// Takes the value back, undropped and unclosed, from its only holder.
    ///
    /// A session holds its properties, so this works on what [`remove`](crate::Properties::remove) or
    /// [`replace`](crate::Properties::replace) returned.
    ///
    /// # Errors
    ///
    /// Returns the handle while another holder exists.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, PropertyKey, SessionManager};
    ///
    /// const NAME: PropertyKey<String> = PropertyKey::new("name");
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// session.properties().insert(&NAME, "Ada".to_owned())?;
    /// let handle = session.properties().remove(&NAME)?.unwrap();
    /// assert_eq!(handle.try_into_inner().unwrap(), "Ada");
    /// # Ok(()) }
    /// ```
    pub fn try_into_inner(mut self) -> Result<T, Self> {
        let Some(value) = self.0.take() else {
            unreachable!("a handle is taken only as it is dropped")
        };
        match Counted::try_unwrap(value) {
            Ok(value) => {
                // A cleanup may be waiting for its close.
                if let Some(Account { serial, ledger }) = value.account {
                    ledger.expect_no_longer(serial);
                }
                Ok(value.inner)
            }
            Err(value) => Err(Self(Some(value))),
        }
    }
}

impl<T> Deref for PropertyRef<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value().inner
    }
}

impl<T> Clone for PropertyRef<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Drop for PropertyRef<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take()
            && let Some(value) = Counted::into_inner(value)
        {
            value.close_anywhere();
        }
    }
}

impl<T: fmt::Display> fmt::Display for PropertyRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for PropertyRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
