//! Cells of a property set that are shared.

use std::fmt;
use std::sync::OnceLock;

use crate::error::BoxError;
use crate::error::{PropertyError, Refused};
use crate::life::owner::Owner;
use crate::properties::context::InitContext;
use crate::properties::get_or_init::{get_or_init, get_or_init_async, get_or_init_waiting};
use crate::properties::insert::{IfPresent, insert};
use crate::properties::set::{Cell, Home, Seed, Shareable, SharedState};
use crate::store::creation::Place;
use crate::store::table::SlotState;
use crate::values::close::Hook;
use crate::values::value::PropertyRef;

/// A cell of a property set whose value is shared: many callers read it as `&T`.
///
/// The set's generated accessor gets it, or creates it on first use.
pub struct Property<T> {
    /// Zero-sized and first, so that the compiler blames the value's type and not the fields around it.
    _shared: [T; 0],
    /// A handle of the value under this cell's key, copied here so that the next access is one load.
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

    pub(crate) fn owner(&self) -> Option<Owner> {
        self.cell.owner()
    }

    fn keep(&self, handle: PropertyRef<T>) -> &PropertyRef<T> {
        self.handle.get_or_init(|| handle)
    }

    fn place(&self) -> Place {
        let key = self.cell.key();
        Place {
            hash: key.hash(),
            key,
            about: self.cell.about(),
        }
    }
}

impl<T: Shareable> Property<T> {
    /// Returns the property, if it is present. Creates nothing.
    #[inline]
    pub fn get(&self) -> Option<&PropertyRef<T>> {
        self.handle.get().or_else(|| self.look())
    }

    /// Looks in the session's table. An initializer whose callers have all gone has published the property there, but
    /// could not reach this cell.
    #[cold]
    #[inline(never)]
    fn look(&self) -> Option<&PropertyRef<T>> {
        let owner = self.cell.owner()?;
        let key = self.cell.key();
        let state = owner.local().lock();
        let found = match state.used()?.table.get(key.hash(), &key)? {
            SlotState::Present { held, .. } => held.handle()?,
            SlotState::Creating(_) => return None,
        };
        drop(state);
        Some(self.keep(found))
    }
}

impl<T> fmt::Debug for Property<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.cell.about();
        let state = if self.handle.get().is_some() {
            "present"
        } else {
            "absent"
        };
        write!(f, "{}: {} ({state})", about.name.as_str(), about.type_name)
    }
}

// ===== functions that accessors call =====

/// Creates an instance's cell.
pub fn property<T>(seed: &Seed<'_>, index: u16) -> Property<T> {
    Property::bind(seed, index)
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
    get_or_init(owner.as_ref(), &cell.place(), make, hook).map(|handle| cell.keep(handle))
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
        let handle = get_or_init_async(owner.as_ref(), &cell.place(), make, hook).await?;
        Ok(cell.keep(handle))
    }
}

/// Gets the property, or creates it on this thread; waits for others without blocking.
pub(crate) async fn init_waiting<T, S, L>(
    cell: &Property<T>,
    make: impl FnOnce(&InitContext<S, L>) -> Result<T, BoxError> + Send,
    hook: impl FnOnce() -> Option<Hook<T>> + Send,
) -> Result<&PropertyRef<T>, PropertyError>
where
    T: Shareable,
    S: SharedState,
    L: Home,
{
    if let Some(handle) = cell.handle.get() {
        return Ok(handle);
    }
    let owner = cell.owner().ok_or(PropertyError::SessionEnded)?;
    let make = || make(&InitContext::new(&owner)?);
    let handle = get_or_init_waiting(owner.as_ref(), &cell.place(), make, hook).await?;
    Ok(cell.keep(handle))
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
    let inserted = insert(
        owner.as_ref(),
        cell.place(),
        value,
        hook(),
        IfPresent::Refuse,
    )?;
    Ok(cell.keep(inserted.new))
}
