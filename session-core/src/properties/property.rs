//! Cells of a property set that are shared.

use std::fmt;
use std::sync::OnceLock;

use crate::error::BoxError;
use crate::error::{PropertyError, Refused};
use crate::life::owner::Owner;
use crate::properties::context::InitContext;
use crate::properties::get_or_init::{get_or_init, get_or_init_async};
use crate::properties::insert::{IfPresent, insert};
use crate::properties::set::{Cell, Home, Seed, Shareable, SharedState};
use crate::store::any_set::{AnyCell, Presence};
use crate::store::key::Place;
use crate::values::close::Hook;
use crate::values::value::{Held, PropertyRef};

/// A cell of a property set whose value is shared: many callers read it as `&T`.
///
/// The set's generated accessor gets it, or creates it on first use.
pub struct Property<T> {
    /// Zero-sized and first, so that the compiler blames the value's type and not the fields around it.
    _shared: [T; 0],
    /// The value. Set under the session's lock, and read without it.
    handle: OnceLock<PropertyRef<T>>,
    cell: Cell,
}

impl<T> Property<T> {
    pub(crate) fn bind(seed: &Seed<'_>, index: u16) -> Self {
        Self {
            _shared: [],
            handle: OnceLock::new(),
            cell: seed.cell(index),
        }
    }

    fn owner(&self) -> Option<Owner> {
        self.cell.owner()
    }

    fn place(&self) -> Place {
        self.cell.place()
    }

    fn presence(&self) -> Presence {
        let born = self.handle.get().map(|handle| handle.tag().born);
        born.map_or(Presence::Absent, |born| Presence::Present { born })
    }

    /// Returns the property that a turn has found or created: values are published into their cells.
    fn present(&self) -> &PropertyRef<T> {
        match self.handle.get() {
            Some(handle) => handle,
            None => unreachable!("a set's cells are those of the only instance in its session"),
        }
    }
}

impl<T: Shareable> Property<T> {
    /// Returns the property, if it is present. Creates nothing.
    #[inline]
    pub fn get(&self) -> Option<&PropertyRef<T>> {
        self.handle.get()
    }
}

impl<T: 'static> AnyCell for Property<T> {
    fn presence(&self) -> Presence {
        self.presence()
    }

    fn publish(&self, held: &Held, _listed: Option<u64>) {
        held.publish(&self.handle);
    }
}

impl<T> fmt::Debug for Property<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(self.presence(), f)
    }
}

// ===== functions that accessors call =====

/// Creates an instance's cell.
pub fn property<T>(seed: &Seed<'_>, index: u16) -> Property<T> {
    Property::bind(seed, index)
}

/// Returns the cell without its type.
pub fn any_property<T: 'static>(cell: &Property<T>) -> &dyn AnyCell {
    cell
}

/// Returns the property, if it is present.
#[inline]
pub fn get<T: Shareable>(cell: &Property<T>) -> Option<&PropertyRef<T>> {
    cell.get()
}

/// Gets the property, or creates it on this thread.
///
/// # Errors
///
/// A [`PropertyError`].
#[inline]
pub fn init<T, S, L>(
    cell: &Property<T>,
    make: impl FnOnce(&InitContext<S, L>) -> Result<T, BoxError>,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<&PropertyRef<T>, PropertyError>
where
    T: Shareable,
    S: SharedState,
    L: Home,
{
    match cell.handle.get() {
        Some(handle) => Ok(handle),
        None => init_slow(cell, make, hook),
    }
}

#[cold]
#[inline(never)]
fn init_slow<T, S, L>(
    cell: &Property<T>,
    make: impl FnOnce(&InitContext<S, L>) -> Result<T, BoxError>,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<&PropertyRef<T>, PropertyError>
where
    T: Shareable,
    S: SharedState,
    L: Home,
{
    let owner = cell.owner().ok_or(PropertyError::SessionEnded)?;
    let make = || make(&InitContext::new(&owner)?);
    get_or_init(owner.as_ref(), &cell.place(), make, hook).map(|_| cell.present())
}

/// Gets the property, or creates it on a task of the session.
///
/// # Errors
///
/// A [`PropertyError`].
#[expect(
    clippy::manual_async_fn,
    reason = "the promise to be `Send` is made here, for all accessors"
)]
pub fn init_async<T, S, L, Fut>(
    cell: &Property<T>,
    make: impl FnOnce(InitContext<S, L>) -> Fut + Send + 'static,
    hook: impl FnOnce() -> Option<Hook<T>> + Send + 'static,
) -> impl Future<Output = Result<&PropertyRef<T>, PropertyError>> + Send
where
    T: Shareable,
    S: SharedState,
    L: Home,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    async move {
        if let Some(handle) = cell.handle.get() {
            return Ok(handle);
        }
        let owner = cell.owner().ok_or(PropertyError::SessionEnded)?;
        let context = owner.clone();
        let make = || async move { make(InitContext::new(&context)?).await };
        get_or_init_async(owner.as_ref(), &cell.place(), make, hook).await?;
        Ok(cell.present())
    }
}

/// Sets a property that has no initializer.
///
/// # Errors
///
/// Hands the value back if the property is already present or the session has completed.
pub fn set<T: Shareable>(
    cell: &Property<T>,
    value: T,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<&PropertyRef<T>, Refused<T>> {
    let Some(owner) = cell.owner() else {
        return Err(Refused::SessionEnded(value));
    };
    let place = cell.place();
    insert(owner.as_ref(), place, value, hook(), IfPresent::Refuse)?;
    Ok(cell.present())
}
