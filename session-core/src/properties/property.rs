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

/// A cell of a property set whose value is shared: many read it as `&T`.
///
/// The set's generated accessor gets it, or makes it on first use.
pub struct Property<T> {
    /// Takes no room, and stands first: a value that can't be shared is then blamed itself, not what keeps it.
    _shared: [T; 0],
    /// What the session holds under this cell's key, copied here so that the next look is one load.
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
    /// The property, if it is there. Creates nothing.
    #[inline]
    pub fn get(&self) -> Option<&PropertyRef<T>> {
        self.handle.get().or_else(|| self.look())
    }

    /// An initializer whose callers have all gone has published it, but could not reach this cell.
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

// ===== what accessors call =====

/// Makes an instance's cell.
pub fn property<T>(seed: &Seed<'_>, index: u16) -> Property<T> {
    Property::bind(seed, index)
}

/// Gets the property, if it is there.
#[inline]
pub fn get<T: Shareable>(cell: &Property<T>) -> Option<&PropertyRef<T>> {
    cell.get()
}

/// Gets the property, or makes it on this thread.
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

/// Gets the property, or makes it on a task of the session.
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

/// Gets the property, or makes it on this thread; waits for others without blocking.
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
/// Hands the value back if the property is there already or the session has completed.
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
