//! The wait for the cleanups that are under way.

use std::collections::HashSet;

use crate::life::event::Subject;
use crate::manager::SessionManager;

impl SessionManager {
    /// Waits until the sessions and groups that are in cleanup now have been cleaned up, and the groups that end with
    /// these sessions. Sessions that end meanwhile are not waited for.
    ///
    /// Cleanups are bounded by the [drain](crate::SessionManagerBuilder::drain_timeout) and
    /// [close](crate::SessionManagerBuilder::close_timeout) timeouts, and so is this.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, PropertyKey, SessionManager};
    /// # const LOG: PropertyKey<Vec<String>> = PropertyKey::new("log");
    /// # let sessions = SessionManager::builder().build()?;
    /// for session in [sessions.create()?, sessions.create()?] {
    ///     session.properties().insert(&LOG, vec![])?;
    ///     session.terminate();
    /// }
    /// assert_eq!(sessions.stats().in_cleanup, 2);
    /// sessions.settled().await;
    /// assert_eq!(sessions.stats().in_cleanup, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    pub async fn settled(&self) {
        self.are_done(|_| true).await;
        // A session's group is in cleanup by the time that the session's own has ended.
        self.are_done(|subject| !matches!(subject, Subject::Session(_)))
            .await;
    }

    /// Waits for those of the cleanups that are under way now.
    async fn are_done(&self, awaited: impl Fn(&Subject) -> bool) {
        let unfinished = self.0.sessions.env.cleanups.unfinished();
        let awaited = unfinished.iter().filter(|subject| awaited(subject));
        let serials: HashSet<_> = awaited.map(Subject::serial).collect();
        self.cleanups_reach(|sessions| !sessions.env.cleanups.are_any_of(&serials))
            .await;
    }
}
