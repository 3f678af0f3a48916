//! Look-ups by key, and changes of a session's key.

use crate::error::{NotLive, RekeyError};
use crate::id::session_key::{KeyHash, SessionKey};
use crate::sessions::session::{Session, Sessions};

impl Sessions {
    /// Takes the active session with this key. If it is just being completed, waits for the end of that step.
    pub(crate) fn keyed<T>(
        &self,
        key: &KeyHash,
        take: impl Fn(&Session) -> Option<T>,
    ) -> Result<T, NotLive> {
        let wait = |ending: Session| ending.await_completion();
        self.keys.slots.enter(key, take, wait)
    }

    /// Moves the session with the old key, if there is one, and supersedes that key in any case.
    pub(crate) fn rekey(
        &self,
        old: KeyHash,
        new: Option<KeyHash>,
    ) -> Result<Option<Session>, RekeyError> {
        let _adding = self.keys.adding.lock();
        loop {
            match self.keyed(&old, Session::if_active) {
                Ok(session) => match session.change_key(new) {
                    // It has ended since: the key is free by now.
                    Err(RekeyError::SessionEnded) => {}
                    moved => return moved.map(|()| Some(session)),
                },
                Err(NotLive::Superseded) => return Ok(None),
                Err(NotLive::Unknown) => {
                    if new != Some(old) {
                        self.supersede_key(old);
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn supersede_key(&self, key: KeyHash) {
        if self.keys.slots.supersede(&key) {
            self.keys.slots.begin(key, self.env.clock.now());
        }
    }
}

impl Session {
    /// Moves the session to this key, or takes its key away, in one step. Its own key changes nothing.
    ///
    /// The old key is *superseded* from now on, for the manager's
    /// [`superseded_for`](crate::SessionManagerBuilder::superseded_for): no session is created under it, so that a
    /// request that came with it before does not get a new one. After that it is free. At the end of a session its key
    /// is free at once.
    ///
    /// The session's id stays the same, and no request is parted from it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{CreateError, SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let (before, after) = (SessionKey::new("before")?, SessionKey::new("after")?);
    /// let session = sessions.get_or_create_keyed(&before)?;
    /// session.rekey(Some(&after))?;
    /// assert_eq!(sessions.get_or_create_keyed(&after)?, session);
    /// assert_eq!(sessions.get_or_create_keyed(&before), Err(CreateError::KeySuperseded));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RekeyError::InUse`] if another live session has the key, [`RekeyError::Superseded`] if it was taken from one a
    /// moment ago, and [`RekeyError::SessionEnded`] if the session has completed. On an error nothing has changed.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bits, for the manager's first key.
    pub fn rekey(&self, key: Option<&SessionKey>) -> Result<(), RekeyError> {
        let keys = &self.sessions().keys;
        let key = key.map(|key| keys.hash(key));
        let _adding = keys.adding.lock();
        self.change_key(key)
    }

    /// Called under the lock `adding`.
    fn change_key(&self, key: Option<KeyHash>) -> Result<(), RekeyError> {
        let keys = &self.sessions().keys;
        // Before the session's own lock, since this may wait for another session's.
        if let Some(key) = &key {
            match self.sessions().keyed(key, Session::if_active) {
                Ok(session) if session == *self => return Ok(()),
                Ok(_) => return Err(RekeyError::InUse),
                Err(NotLive::Superseded) => return Err(RekeyError::Superseded),
                Err(NotLive::Unknown) => {}
            }
        }
        let mut state = self.local().lock();
        if state.is_completed() {
            return Err(RekeyError::SessionEnded);
        }
        // Insert the new key first: a look-up between the two steps finds the session by either.
        if let Some(key) = key {
            keys.slots.insert(key, self.clone());
        }
        if let Some(old) = state.set_key(key) {
            self.sessions().supersede_key(old);
        }
        Ok(())
    }
}
