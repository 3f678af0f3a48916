//! The end of a session by its idle timeout, now.

use std::panic::Location;
use std::time::Duration;

use session_core::{CleanupReport, CompletionCause, Session};

use crate::ended::{cleaned_up, completed};

/// Methods for sessions in tests.
pub trait SessionExt {
    /// Ends the session as if it had been idle for its timeout, waits for the end of its cleanup, and returns the report.
    ///
    /// In paused time this takes no time. It does what the timeout does, neither more nor less: the cause is
    /// [`IdleTimeout`](CompletionCause::IdleTimeout), and requests inside or
    /// [`keep_alive`](Session::keep_alive) guards hold it up. It waits for these.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{CompletionCause, LocalSession, SessionManager};
    /// use session_test::SessionExt;
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// assert!(session.expire().await.is_clean());
    /// assert_eq!(session.completion_cause(), Some(CompletionCause::IdleTimeout));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If requests or guards hold it for longer than the [limit](crate#panics), or it ends for another cause. The
    /// report is not checked: that is for [`assert_ended!`](crate::assert_ended) and
    /// [`assert_clean`](crate::SessionsExt::assert_clean).
    fn expire(&self) -> impl Future<Output = CleanupReport> + Send;
}

impl SessionExt for Session {
    #[track_caller]
    fn expire(&self) -> impl Future<Output = CleanupReport> + Send {
        let by = Location::caller();
        async move {
            self.set_idle_timeout(Duration::ZERO);
            let ended = async {
                completed(self, CompletionCause::IdleTimeout).await?;
                cleaned_up(self).await
            };
            ended
                .await
                .unwrap_or_else(|message| panic!("{message} (at {by})"))
        }
    }
}
