//! The dictionary: properties under typed keys.

use std::any::TypeId;
use std::fmt;

use crate::error::BoxError;
use crate::error::{PropertyError, Refused, SessionEnded};
use crate::life::contents::Removed;
use crate::life::owner::OwnerRef;
use crate::properties::get_or_init;
use crate::properties::insert::{IfPresent, insert};
use crate::properties::listing::{self, PropertyInfo};
use crate::store::key::{KeyName, Place, PropertyKey};
use crate::store::table::SlotState;
use crate::values::close::CloseHook;
use crate::values::value::{Held, PropertyRef};

/// The properties of a session or group, by key. Every method works from any thread.
///
/// A missing property can be created on access, exactly once, however many callers race for it. After the session
/// has completed, the properties that are present stay readable until cleanup lets go, and nothing changes any more.
///
/// A value is moved on the stack a few times before it is kept on the heap: box a value larger than about 16 KiB.
#[derive(Clone, Copy)]
pub struct Properties<'a> {
    owner: OwnerRef<'a>,
}

impl<'a> Properties<'a> {
    pub(crate) fn new(owner: OwnerRef<'a>) -> Self {
        Self { owner }
    }

    /// Whether the session has completed: nothing can be added, replaced or removed.
    pub fn is_read_only(&self) -> bool {
        self.owner.local().is_completed()
    }

    /// Returns the property, if it is present. Creates nothing.
    #[inline]
    pub fn get<T: Send + Sync + 'static, N: KeyName>(
        &self,
        key: &PropertyKey<T, N>,
    ) -> Option<PropertyRef<T>> {
        let state = self.owner.local().lock();
        match state.entry(key.hash(), key.name(), TypeId::of::<T>())? {
            SlotState::Present(held, _) => held.handle(),
            SlotState::Creating(_) => None,
        }
    }

    /// Adds a property.
    ///
    /// # Errors
    ///
    /// Hands the value back if the key is present or being created, or the session has completed.
    pub fn insert<T: Send + Sync + 'static, N: KeyName>(
        &self,
        key: &PropertyKey<T, N>,
        value: T,
    ) -> Result<PropertyRef<T>, Refused<T>> {
        insert(
            self.owner,
            Place::named(key),
            value,
            None,
            IfPresent::Refuse,
        )
        .map(|inserted| inserted.new)
    }

    /// Adds a property that is closed with this hook: see [`CloseHook`].
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, PropertyKey, SessionManager};
    ///
    /// struct Cursor;
    /// impl Cursor {
    ///     async fn close(self) -> std::io::Result<()> {
    ///         Ok(())
    ///     }
    /// }
    /// const CURSOR: PropertyKey<Cursor> = PropertyKey::new("cursor");
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// session.properties().insert_with(&CURSOR, Cursor, Cursor::close)?;
    /// session.properties().replace_with(&CURSOR, Cursor, |cursor| async { cursor.close().await })?;
    /// # Ok(()) }
    /// ```
    pub fn insert_with<T, N, R, M>(
        &self,
        key: &PropertyKey<T, N>,
        value: T,
        close: impl FnOnce(T) -> R + CloseHook<T, M>,
    ) -> Result<PropertyRef<T>, Refused<T>>
    where
        T: Send + Sync + 'static,
        N: KeyName,
    {
        insert(
            self.owner,
            Place::named(key),
            value,
            Some(close.into_hook()),
            IfPresent::Refuse,
        )
        .map(|inserted| inserted.new)
    }

    /// Sets the value and returns the previous one, if any. The previous value no longer belongs to the session, and is
    /// closed when its last holder lets go.
    ///
    /// # Errors
    ///
    /// Hands the value back if the property is being created or the session has completed.
    pub fn replace<T: Send + Sync + 'static, N: KeyName>(
        &self,
        key: &PropertyKey<T, N>,
        value: T,
    ) -> Result<Option<PropertyRef<T>>, Refused<T>> {
        insert(
            self.owner,
            Place::named(key),
            value,
            None,
            IfPresent::Replace,
        )
        .map(|inserted| inserted.old)
    }

    /// Like [`replace`](Self::replace), with a close hook for the new value.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace).
    pub fn replace_with<T, N, R, M>(
        &self,
        key: &PropertyKey<T, N>,
        value: T,
        close: impl FnOnce(T) -> R + CloseHook<T, M>,
    ) -> Result<Option<PropertyRef<T>>, Refused<T>>
    where
        T: Send + Sync + 'static,
        N: KeyName,
    {
        insert(
            self.owner,
            Place::named(key),
            value,
            Some(close.into_hook()),
            IfPresent::Replace,
        )
        .map(|inserted| inserted.old)
    }

    /// Removes the property and returns its handle. The value no longer belongs to the session, and is closed when
    /// its last holder lets go. A property that is being created is not present yet.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    pub fn remove<T: Send + Sync + 'static, N: KeyName>(
        &self,
        key: &PropertyKey<T, N>,
    ) -> Result<Option<PropertyRef<T>>, SessionEnded> {
        let mut state = self.owner.local().lock();
        if state.is_completed() {
            return Err(SessionEnded);
        }
        let removed = state.remove(&Place::named(key));
        drop(state);
        Ok(removed.and_then(Removed::handle))
    }

    /// Returns the property, created on this thread if it is missing. For quick initializers only, since other callers
    /// block meanwhile. The initializer must not block on something that a task of the same runtime has to make.
    ///
    /// # Errors
    ///
    /// A [`PropertyError`]: the session has completed, the initializer panicked or would wait for itself, or an
    /// async initializer is creating the property.
    pub fn get_or_init<T, N, F>(
        &self,
        key: &PropertyKey<T, N>,
        init: F,
    ) -> Result<PropertyRef<T>, PropertyError>
    where
        T: Send + Sync + 'static,
        N: KeyName,
        F: FnOnce() -> T,
    {
        if let Some(present) = self.get(key) {
            return Ok(present);
        }
        let make = || Ok(init());
        get_or_init::get_or_init(self.owner, &Place::named(key), make, || None).map(handle)
    }

    /// Like [`get_or_init`](Self::get_or_init), with an initializer that may fail.
    ///
    /// # Errors
    ///
    /// As [`get_or_init`](Self::get_or_init), and [`PropertyError::Failed`] with the initializer's error.
    pub fn get_or_try_init<T, N, F, E>(
        &self,
        key: &PropertyKey<T, N>,
        init: F,
    ) -> Result<PropertyRef<T>, PropertyError>
    where
        T: Send + Sync + 'static,
        N: KeyName,
        F: FnOnce() -> Result<T, E>,
        E: Into<BoxError>,
    {
        if let Some(present) = self.get(key) {
            return Ok(present);
        }
        let make = || init().map_err(Into::into);
        get_or_init::get_or_init(self.owner, &Place::named(key), make, || None).map(handle)
    }

    /// Returns the property, created on a task of the session if it is missing. Callers only wait: one that goes away
    /// does not stop the initializer.
    ///
    /// # Errors
    ///
    /// As [`get_or_init`](Self::get_or_init), except `BeingCreated`.
    ///
    /// # Cancel safety
    ///
    /// Once the initializer has started it runs to its end, whether or not this future is dropped.
    pub async fn get_or_init_async<T, N, F, Fut>(
        self,
        key: &PropertyKey<T, N>,
        init: F,
    ) -> Result<PropertyRef<T>, PropertyError>
    where
        T: Send + Sync + 'static,
        N: KeyName,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        if let Some(present) = self.get(key) {
            return Ok(present);
        }
        let make = || async { Ok(init().await) };
        let place = Place::named(key);
        let held = get_or_init::get_or_init_async(self.owner, &place, make, || None);
        held.await.map(handle)
    }

    /// Like [`get_or_init_async`](Self::get_or_init_async), with an initializer that may fail.
    ///
    /// # Errors
    ///
    /// As [`get_or_init_async`](Self::get_or_init_async), and [`PropertyError::Failed`] with the initializer's
    /// error.
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init_async`](Self::get_or_init_async).
    pub async fn get_or_try_init_async<T, N, F, Fut, E>(
        self,
        key: &PropertyKey<T, N>,
        init: F,
    ) -> Result<PropertyRef<T>, PropertyError>
    where
        T: Send + Sync + 'static,
        N: KeyName,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        if let Some(present) = self.get(key) {
            return Ok(present);
        }
        let make = || async { init().await.map_err(Into::into) };
        let place = Place::named(key);
        let held = get_or_init::get_or_init_async(self.owner, &place, make, || None);
        held.await.map(handle)
    }

    /// Returns every property of the dictionary and of the sets in use, in no particular order. Creates nothing.
    pub fn list(&self) -> Vec<PropertyInfo> {
        listing::list(self.owner)
    }
}

/// Returns a handle of the entry. Only a cell is present without one.
fn handle<T: Send + Sync + 'static>(held: Option<Held>) -> PropertyRef<T> {
    match held.and_then(|held| held.handle()) {
        Some(handle) => handle,
        None => unreachable!("an entry's key holds the type of its value"),
    }
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
