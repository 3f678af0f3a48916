//! Cells of a property set that are lent.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::BoxError;
use crate::error::{PropertyError, Refused};
use crate::life::owner::Owner;
use crate::properties::context::InitContext;
use crate::properties::property::{self, Property};
use crate::properties::set::{Home, Lendable, Seed, SharedState};
use crate::store::any_set::AnyCell;
use crate::sync::runtime::sleep_on;
use crate::values::close::Hook;
use crate::values::value::PropertyRef;

/// A cell of a property set whose value is lent to one caller at a time, as `&mut T`.
///
/// The set's generated accessor creates the value on first use, and lends it in the order of the calls. A caller that
/// asks again while it holds the guard waits for itself: after the manager's
/// [lend timeout](crate::SessionManagerBuilder::lend_timeout) that ends in
/// [`PropertyError::Busy`](crate::PropertyError::Busy), as any longer wait does.
pub struct Exclusive<T> {
    /// Zero-sized and first, so that the compiler blames the value's type and not the fields around it.
    _lent: [Mutex<T>; 0],
    property: Property<Lent<T>>,
}

/// A value that is lent. A holder of the inner pointer also has a handle of the property, and drops the pointer
/// first, so the last handle's value is the only pointer left.
pub(crate) struct Lent<T>(Arc<Mutex<T>>);

impl<T> Lent<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    fn into_inner(self) -> T {
        match Arc::into_inner(self.0) {
            Some(value) => value.into_inner(),
            None => unreachable!("a guard keeps a handle until after its pointer is dropped"),
        }
    }
}

impl<T: Lendable> Exclusive<T> {
    /// Lends it if it is present and not lent, and the session has not completed. Never waits and creates nothing.
    pub fn try_lock(&self) -> Option<ExclusiveGuard<T>> {
        let handle = self.property.get()?.clone();
        let owner = self.property.owner()?;
        let guard = handle.0.clone().try_lock_owned().ok()?;
        // Checked while holding the guard: a value lent before completion stays lent; none is lent after it.
        if owner.local().is_completed() {
            None
        } else {
            Some(ExclusiveGuard {
                guard,
                _handle: handle,
            })
        }
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.property.fmt(f)
    }
}

/// A lent value. No other caller has it until this guard is dropped.
///
/// It is owned, so it can move into `spawn_blocking` or a task. A panic while the guard is held does not
/// poison the value.
#[must_use = "dropping the guard returns the value at once"]
pub struct ExclusiveGuard<T> {
    // The fields drop in order: the pointer to the value before the handle that keeps it.
    guard: OwnedMutexGuard<T>,
    _handle: PropertyRef<Lent<T>>,
}

impl<T> Deref for ExclusiveGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for ExclusiveGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
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

async fn lend_out<T: Send + 'static>(
    owner: &Owner,
    handle: PropertyRef<Lent<T>>,
) -> Result<ExclusiveGuard<T>, PropertyError> {
    let local = owner.local();
    if local.is_completed() {
        return Err(PropertyError::SessionEnded);
    }
    let guard = match handle.0.clone().try_lock_owned() {
        Ok(guard) => guard,
        Err(_lent) => {
            let token = local.token();
            let patience = sleep_on(&local.env.runtime, local.env.settings.lend_timeout);
            tokio::select! {
                biased;
                () = token.cancelled() => return Err(PropertyError::SessionEnded),
                guard = handle.0.clone().lock_owned() => guard,
                () = patience => {
                    let about = &handle.tag().about;
                    let subject = owner.as_ref().subject();
                    tracing::warn!(%subject, set = about.set(), property = about.name(), "lent for longer than the lend timeout");
                    return Err(PropertyError::Busy);
                }
            }
        }
    };
    // Checked while holding the guard: a completion in the meantime may have been too late to end the wait.
    if local.is_completed() {
        return Err(PropertyError::SessionEnded);
    }
    Ok(ExclusiveGuard {
        guard,
        _handle: handle,
    })
}

fn wrap<T: Send + 'static>(hook: Option<Hook<T>>) -> Option<Hook<Lent<T>>> {
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
        property: Property::bind(seed, index),
    }
}

/// Returns the cell without its type.
pub fn any_exclusive<T: 'static>(cell: &Exclusive<T>) -> &dyn AnyCell {
    &cell.property
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
    make: impl FnOnce(&InitContext<S, L>) -> Result<T, BoxError> + Send,
    hook: impl FnOnce() -> Option<Hook<T>> + Send,
) -> impl Future<Output = Result<ExclusiveGuard<T>, PropertyError>> + Send
where
    T: Lendable,
    S: SharedState,
    L: Home,
{
    async move {
        let owner = cell.property.owner().ok_or(PropertyError::SessionEnded)?;
        let make = |context: &InitContext<S, L>| make(context).map(Lent::new);
        let handle = property::init_waiting(&cell.property, make, || wrap(hook())).await?;
        lend_out(&owner, handle.clone()).await
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
    make: impl FnOnce(InitContext<S, L>) -> Fut + Send + 'static,
    hook: impl FnOnce() -> Option<Hook<T>> + Send + 'static,
) -> impl Future<Output = Result<ExclusiveGuard<T>, PropertyError>> + Send
where
    T: Lendable,
    S: SharedState,
    L: Home,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    async move {
        let owner = cell.property.owner().ok_or(PropertyError::SessionEnded)?;
        let make = |context| async move { make(context).await.map(Lent::new) };
        let handle = property::init_async(&cell.property, make, || wrap(hook())).await?;
        lend_out(&owner, handle.clone()).await
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
        let owner = cell.property.owner().ok_or(PropertyError::SessionEnded)?;
        match cell.property.get() {
            Some(handle) => lend_out(&owner, handle.clone()).await.map(Some),
            None if owner.local().is_completed() => Err(PropertyError::SessionEnded),
            None => Ok(None),
        }
    }
}

/// Sets a property that has no initializer.
///
/// # Errors
///
/// Hands the value back if the property is already present or the session has completed.
pub fn set_exclusive<T: Lendable>(
    cell: &Exclusive<T>,
    value: T,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<(), Refused<T>> {
    let set = property::set(&cell.property, Lent::new(value), || wrap(hook()));
    set.map(drop)
        .map_err(|refused| refused.map(Lent::into_inner))
}
