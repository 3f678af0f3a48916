//! The drain: no session is created any more, and those that exist go on.

use crate::manager::SessionManager;
use crate::sessions::session::{DRAINING, Sessions};

impl SessionManager {
    /// Refuses new sessions from now on: creating one fails with [`CreateError::Draining`](crate::CreateError::Draining). Existing sessions go on,
    /// for [`drained`](Self::drained) to wait for, or until [`shutdown`](Self::shutdown) ends them.
    pub fn drain(&self) {
        self.0.sessions.close(DRAINING);
        self.0.sessions.env.cleanups.ended.notify_waiters();
    }

    /// Waits until the manager [drains](Self::drain), or is shut down, and no session is active or in cleanup. There will
    /// be none after that.
    ///
    /// Sessions end in their own time, so bound the wait. Groups may still linger: [`shutdown`](Self::shutdown) ends them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{CreateError, LocalSession, SessionManager};
    /// # use std::time::Duration;
    /// # let sessions = SessionManager::builder().build()?;
    /// # let session = sessions.create()?;
    /// # tokio::spawn(async move { session.terminate() });
    /// sessions.drain();
    /// assert_eq!(sessions.create(), Err(CreateError::Draining));
    ///
    /// let deadline = Duration::from_secs(60 * 60);
    /// let _ = tokio::time::timeout(deadline, sessions.drained()).await;
    /// sessions.shutdown(Duration::from_secs(5)).await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    pub async fn drained(&self) {
        self.cleanups_reach(Sessions::are_drained).await;
    }
}
