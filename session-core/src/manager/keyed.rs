//! Sessions by their keys.

use super::{SessionManager, create};
use crate::error::{CreateError, NotLive, RekeyError};
use crate::id::session_key::SessionKey;
use crate::sessions::guard::RequestGuard;
use crate::sessions::session::Session;

/// The entry of a request into the session of a key: see [`SessionManager::enter_or_create_keyed`].
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyedEntry {
    /// The request, inside the session.
    pub request: RequestGuard,
    /// Whether this call created the session.
    pub is_new: bool,
}

impl SessionManager {
    /// Returns the active session with this key. A look-up does not count as activity.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{NotLive, SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tenant = SessionKey::new("tenant:7")?;
    /// assert_eq!(sessions.get_keyed(&tenant), Err(NotLive::Unknown));
    /// let session = sessions.get_or_create_keyed(&tenant)?;
    /// assert_eq!(sessions.get_keyed(&tenant), Ok(session.clone()));
    /// session.rekey(None)?;
    /// assert_eq!(sessions.get_keyed(&tenant), Err(NotLive::Superseded));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotLive`], which tells a key that was taken from its session a moment ago from an unknown one.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bits, for the manager's first key.
    pub fn get_keyed(&self, key: &SessionKey) -> Result<Session, NotLive> {
        let sessions = &self.0.sessions;
        sessions.keyed(&sessions.keys.hash(key), Session::if_active)
    }

    /// Returns the active session with this key, or creates it. Of any number of callers that ask for a key at the same
    /// time one creates its session, and the others get that one.
    ///
    /// A key is the application's own name for a session: see [`SessionKey`]. The session has an id of its own beside
    /// it. [`Session::rekey`] changes the key, and at completion it is free for another session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tenant = SessionKey::new("tenant:7")?;
    /// let session = sessions.get_or_create_keyed(&tenant)?;
    /// assert_eq!(sessions.get_or_create_keyed(&tenant)?, session);
    ///
    /// session.terminate();
    /// assert_ne!(sessions.get_or_create_keyed(&tenant)?, session);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CreateError::KeySuperseded`] if the key was taken from its session a moment ago. If there is no session with
    /// this key, also as [`create`](Self::create).
    ///
    /// # Panics
    ///
    /// As [`create`](Self::create).
    pub fn get_or_create_keyed(&self, key: &SessionKey) -> Result<Session, CreateError> {
        let sessions = &self.0.sessions;
        let key = sessions.keys.hash(key);
        let (session, _) = create::get_or_create_keyed(sessions, key, Session::if_active)?;
        Ok(session)
    }

    /// Enters the active session with this key, for the length of a request, in one step with the look-up: no request
    /// enters by a key that has been taken from its session. Creates nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tenant = SessionKey::new("tenant:7")?;
    /// assert!(sessions.enter_keyed(&tenant).is_err());
    /// let session = sessions.get_or_create_keyed(&tenant)?;
    /// let request = sessions.enter_keyed(&tenant)?;
    /// assert_eq!(*request.session(), session);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_keyed`](Self::get_keyed).
    ///
    /// # Panics
    ///
    /// As [`get_keyed`](Self::get_keyed) and [`Session::enter`].
    pub fn enter_keyed(&self, key: &SessionKey) -> Result<RequestGuard, NotLive> {
        let sessions = &self.0.sessions;
        sessions.keyed(&sessions.keys.hash(key), Session::try_enter_by_name)
    }

    /// Enters the active session with this key, or creates it with the request inside. This is
    /// [`get_or_create_keyed`](Self::get_or_create_keyed) and [`Session::enter`] in one step: the session neither ends
    /// nor is idle in between.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tenant = SessionKey::new("tenant:7")?;
    /// let first = sessions.enter_or_create_keyed(&tenant)?;
    /// let second = sessions.enter_or_create_keyed(&tenant)?;
    /// assert_eq!(first.request.session(), second.request.session());
    /// assert!(first.is_new && !second.is_new);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_or_create_keyed`](Self::get_or_create_keyed).
    ///
    /// # Panics
    ///
    /// As [`create`](Self::create) and [`Session::enter`].
    pub fn enter_or_create_keyed(&self, key: &SessionKey) -> Result<KeyedEntry, CreateError> {
        let sessions = &self.0.sessions;
        let key = sessions.keys.hash(key);
        let (request, is_new) =
            create::get_or_create_keyed(sessions, key, Session::try_enter_by_name)?;
        Ok(KeyedEntry { request, is_new })
    }

    /// Moves the session with the key `old` to the key `new`, or takes its key away, as [`Session::rekey`] does, and
    /// returns it. `old` is superseded even if no session has it: a request that came with it before, and is slower, does
    /// not create one.
    ///
    /// This is for adapters of other frameworks, which change a visitor's key whether or not the visitor has a live
    /// session. The same key twice changes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{CreateError, SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let (before, after) = (SessionKey::new("before")?, SessionKey::new("after")?);
    /// assert_eq!(sessions.rekey(&before, Some(&after))?, None);
    /// assert_eq!(sessions.get_or_create_keyed(&before), Err(CreateError::KeySuperseded));
    /// assert!(sessions.get_or_create_keyed(&after).is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RekeyError::InUse`] if another live session has the key `new`, and [`RekeyError::Superseded`] if that was taken
    /// from one a moment ago. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// As [`Session::rekey`].
    pub fn rekey(
        &self,
        old: &SessionKey,
        new: Option<&SessionKey>,
    ) -> Result<Option<Session>, RekeyError> {
        let sessions = &self.0.sessions;
        let hash = |key| sessions.keys.hash(key);
        sessions.rekey(hash(old), new.map(hash))
    }
}
