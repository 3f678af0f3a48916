//! Cells of a property set that are lent.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::error::BoxError;
use crate::error::{PropertyError, Refused};
use crate::life::owner::Owner;
use crate::properties::context::InitContext;
use crate::properties::discard::{Discarded, discard};
use crate::properties::insert::{IfPresent, insert};
use crate::properties::lending::{First, Lending, Loan, Make};
use crate::properties::set::{Home, Lendable, Seed, SharedState};
use crate::properties::turn::{Made, Making, Turn};
use crate::store::any_set::AnyCell;
use crate::sync::Mutex;
use crate::sync::runtime::run_blocking;
use crate::values::close::Hook;
use crate::values::value::{Held, PropertyRef};

/// A cell of a property set whose value is lent to one caller at a time, as `&mut T`.
///
/// The set's generated accessor creates the value on first use, and lends it in the order of the calls. A caller that
/// asks again while it holds the guard waits for itself: after the manager's
/// [lend timeout](crate::SessionManagerBuilder::lend_timeout) that ends in
/// [`PropertyError::Busy`](crate::PropertyError::Busy), as any longer wait does.
///
/// A value that has gone bad is [discarded](ExclusiveGuard::discard); the next caller in line creates a new one.
pub struct Exclusive<T> {
    /// Zero-sized and first, so that the compiler blames the value's type and not the fields around it.
    _lent: [tokio::sync::Mutex<T>; 0],
    lending: Lending,
}

/// A value that is lent: here, or in the hand of the caller that is first in line.
///
/// A guard has a handle of the property until it has put the value back, so the last handle's value is here.
pub(crate) struct Lent<T>(Mutex<Option<Box<T>>>);

impl<T> Lent<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(Some(Box::new(value))))
    }

    fn into_inner(self) -> T {
        match self.0.lock().take() {
            Some(value) => *value,
            None => unreachable!("a guard keeps a handle until it has put the value back"),
        }
    }
}

impl<T: Lendable> Exclusive<T> {
    /// Lends it if it is present and not lent, and the session has not completed. Never waits and creates nothing.
    ///
    /// Returns `None` also while the value is being closed, after a [`discard`](ExclusiveGuard::discard), and while a
    /// caller in line is about to have it.
    pub fn try_lock(&self) -> Option<ExclusiveGuard<T>> {
        self.lending.try_lend().map(ExclusiveGuard::new)
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lending.fmt(f)
    }
}

/// A lent value. No other caller has it until this guard is dropped.
///
/// It is owned, so it can move into `spawn_blocking` or a task. A panic while the guard is held does not
/// poison the value.
#[must_use = "dropping the guard returns the value at once"]
pub struct ExclusiveGuard<T>(Option<InHand<T>>);

/// The fields drop in order: the handle before the place in line.
struct InHand<T> {
    value: Box<T>,
    handle: PropertyRef<Lent<T>>,
    first: First,
}

impl<T> InHand<T> {
    /// Puts the value back.
    fn put_back(self) -> (PropertyRef<Lent<T>>, First) {
        *self.handle.0.lock() = Some(self.value);
        (self.handle, self.first)
    }
}

impl<T: Lendable> ExclusiveGuard<T> {
    fn new(loan: Loan) -> Self {
        let handle = loan.held.handle::<Lent<T>>();
        let value = handle.as_ref().and_then(|handle| handle.0.lock().take());
        let (Some(handle), Some(value)) = (handle, value) else {
            unreachable!("the first in line finds the value of its cell")
        };
        Self(Some(InHand {
            value,
            handle,
            first: loan.first,
        }))
    }

    /// Discards the value, which has gone bad: closes it, and leaves the property absent. This takes effect when called;
    /// the returned future only waits for the close, and says how the hook ended.
    ///
    /// The value goes to its close hook on a task of the manager's runtime, which the
    /// [close timeout](crate::SessionManagerBuilder::close_timeout) bounds. The task keeps the place in line, so there
    /// is no second value before the first is closed. Afterwards the first caller in line creates a new one, in an
    /// initializer like any other: if that fails, it fails for all that were in line by then. A property that is set by
    /// hand can be set again.
    ///
    /// Callers in line stay in their order, and their [lend timeout](crate::SessionManagerBuilder::lend_timeout) runs
    /// on. At completion they get [`PropertyError::SessionEnded`]; cleanup waits for the hook before it closes the other
    /// properties. On a session that has completed, the value is closed all the same, before its turn in cleanup.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{Exclusive, LocalSession, SessionManager, SessionProperties};
    ///
    /// # struct Connection;
    /// # impl Connection {
    /// #     async fn open() -> Self { Self }
    /// #     async fn close(self) {}
    /// #     fn is_broken(&self) -> bool { true }
    /// # }
    /// #[derive(SessionProperties)]
    /// struct Workbench {
    ///     #[property(async_init = Connection::open, close = Connection::close)]
    ///     connection: Exclusive<Connection>,
    /// }
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let workbench = sessions.create()?.props::<Workbench>()?;
    /// let connection = workbench.connection().await?;
    /// if connection.is_broken() {
    ///     connection.discard().await?;
    /// }
    /// assert!(workbench.connection.try_lock().is_none());
    /// let reopened = workbench.connection().await?;
    /// # drop(reopened); Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops nothing.
    pub fn discard(mut self) -> Discarded {
        let (handle, first) = self.take().put_back();
        let held = handle.hold();
        drop(handle);
        discard(held, first)
    }

    /// Calls `f` with the value on the blocking pool of the manager's runtime, and returns the guard with the result.
    ///
    /// If that runtime is gone, `f` runs on the thread that polls.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{Exclusive, LocalSession, SessionManager, SessionProperties};
    /// # #[derive(SessionProperties)]
    /// # struct Workbench {
    /// #     #[property(default)]
    /// #     lines: Exclusive<Vec<String>>,
    /// # }
    /// # let sessions = SessionManager::builder().build()?;
    /// # let workbench = sessions.create()?.props::<Workbench>()?;
    /// let lines = workbench.lines().await?;
    /// let (lines, count) = lines.blocking(|lines| {
    ///     lines.push(std::fs::read_to_string("Cargo.toml").unwrap_or_default());
    ///     lines.len()
    /// }).await;
    /// assert_eq!((lines.len(), count), (1, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` panics; the value is returned to the line first, as it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops nothing once it has been polled: `f` runs to its end, and the value is returned then.
    pub async fn blocking<R: Send + 'static>(
        self,
        f: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> (Self, R) {
        let runtime = self.in_hand().first.owner.local().env.runtime.clone();
        let job = Arc::new(Mutex::new(Some((self, f))));
        let its_job = job.clone();
        let done = run_blocking(&runtime, move || call(&its_job)).await;
        match done.flatten().or_else(|| call(&job)) {
            Some((guard, Ok(result))) => (guard, result),
            Some((guard, Err(panic))) => {
                drop(guard);
                resume_unwind(panic)
            }
            None => unreachable!("a job that is taken has a result"),
        }
    }
}

impl<T> ExclusiveGuard<T> {
    fn in_hand(&self) -> &InHand<T> {
        self.0
            .as_ref()
            .expect("a guard is empty only as it is dropped")
    }

    fn take(&mut self) -> InHand<T> {
        self.0
            .take()
            .expect("a guard is empty only as it is dropped")
    }
}

impl<T> Drop for ExclusiveGuard<T> {
    fn drop(&mut self) {
        if let Some(in_hand) = self.0.take() {
            drop(in_hand.put_back());
        }
    }
}

impl<T> Deref for ExclusiveGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.in_hand().value
    }
}

impl<T> DerefMut for ExclusiveGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        let in_hand = self.0.as_mut();
        &mut in_hand
            .expect("a guard is empty only as it is dropped")
            .value
    }
}

impl<T: fmt::Display> fmt::Display for ExclusiveGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for ExclusiveGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Calls the function with the guard, unless that has been done.
fn call<T, R>(
    job: &Mutex<Option<(ExclusiveGuard<T>, impl FnOnce(&mut T) -> R)>>,
) -> Option<(ExclusiveGuard<T>, std::thread::Result<R>)> {
    let (mut guard, f) = job.lock().take()?;
    let result = catch_unwind(AssertUnwindSafe(|| f(&mut guard)));
    Some((guard, result))
}

fn hold<T: Lendable>(turn: &Turn, value: T, hook: Option<Hook<T>>) -> Held {
    turn.hold(Lent::new(value), wrap(hook))
}

fn wrap<T: Lendable>(hook: Option<Hook<T>>) -> Option<Hook<Lent<T>>> {
    match hook {
        Some(hook) => Some(hook.before(Lent::into_inner)),
        // The wrapper has drop glue for every `T`.
        None => (!std::mem::needs_drop::<T>()).then(Hook::nothing),
    }
}

// ===== functions that accessors call =====

/// Creates an instance's cell.
pub fn exclusive<T>(seed: &Seed<'_>, index: u16) -> Exclusive<T> {
    Exclusive {
        _lent: [],
        lending: Lending::bind(seed, index),
    }
}

/// Returns the cell without its type.
pub fn any_exclusive<T: 'static>(cell: &Exclusive<T>) -> &dyn AnyCell {
    &cell.lending
}

/// Lends the property, created on this thread if it is missing.
///
/// # Errors
///
/// A [`PropertyError`].
#[expect(
    clippy::manual_async_fn,
    reason = "the promise to be `Send` is made here, for all accessors"
)]
pub fn lend<T, S, L>(
    cell: &Exclusive<T>,
    make: impl Fn(&InitContext<S, L>) -> Result<T, BoxError> + Send,
    hook: impl Fn() -> Option<Hook<T>> + Send,
) -> impl Future<Output = Result<ExclusiveGuard<T>, PropertyError>> + Send
where
    T: Lendable,
    S: SharedState,
    L: Home,
{
    async move {
        let mut make = move |turn: &Turn| {
            let value = make(&InitContext::new(turn.owner())?)?;
            Ok(hold(turn, value, hook()))
        };
        let loan = cell.lending.lend(Make::Here(&mut make)).await?;
        Ok(ExclusiveGuard::new(loan))
    }
}

/// Lends the property, created on a task of the session if it is missing.
///
/// # Errors
///
/// A [`PropertyError`].
#[expect(
    clippy::manual_async_fn,
    reason = "the promise to be `Send` is made here, for all accessors"
)]
pub fn lend_async<T, S, L, Fut>(
    cell: &Exclusive<T>,
    make: impl Fn(InitContext<S, L>) -> Fut + Clone + Send + 'static,
    hook: impl Fn() -> Option<Hook<T>> + Clone + Send + 'static,
) -> impl Future<Output = Result<ExclusiveGuard<T>, PropertyError>> + Send
where
    T: Lendable,
    S: SharedState,
    L: Home,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    async move {
        let mut start = move |owner: &Owner| -> Making {
            let (owner, make, hook) = (owner.clone(), make.clone(), hook.clone());
            Box::pin(async move {
                let value = make(InitContext::new(&owner)?).await?;
                let made: Made = Box::new(move |turn: &Turn| hold(turn, value, hook()));
                Ok(made)
            })
        };
        let loan = cell.lending.lend(Make::OnTask(&mut start)).await?;
        Ok(ExclusiveGuard::new(loan))
    }
}

/// Lends a property that has no initializer, if it has been set.
///
/// # Errors
///
/// A [`PropertyError`].
#[expect(
    clippy::manual_async_fn,
    reason = "the promise to be `Send` is made here, for all accessors"
)]
pub fn lend_present<T: Lendable>(
    cell: &Exclusive<T>,
) -> impl Future<Output = Result<Option<ExclusiveGuard<T>>, PropertyError>> + Send {
    async move {
        let loan = cell.lending.lend_present().await?;
        Ok(loan.map(ExclusiveGuard::new))
    }
}

/// Sets a property that has no initializer.
///
/// # Errors
///
/// Hands the value back if the property is present or being closed, or the session has completed.
pub fn set_exclusive<T: Lendable>(
    cell: &Exclusive<T>,
    value: T,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<(), Refused<T>> {
    let Some(owner) = cell.lending.owner() else {
        return Err(Refused::SessionEnded(value));
    };
    let (place, value) = (cell.lending.place(), Lent::new(value));
    insert(
        owner.as_ref(),
        place,
        value,
        wrap(hook()),
        IfPresent::Refuse,
    )
    .map(drop)
    .map_err(|refused| refused.map(Lent::into_inner))
}
