//! The end of a test: nothing is left of its sessions, and nothing went wrong in their cleanups.

use std::fmt::Write as _;
use std::panic::Location;

use futures_util::FutureExt as _;
use session_core::{LifecycleEvent, LifecycleEvents, SessionManager};

use crate::ended::{Named as _, problems};
use crate::patience::within;

/// Methods for the manager of sessions in tests.
///
/// To wait for cleanups alone, [`SessionManager::settled`] is enough.
pub trait SessionsExt {
    /// Waits for the cleanups under way, and checks that nothing is left: no session, and no group that lingers. Also that
    /// these cleanups had no problems. For those that have ended before, see [`record_cleanups`](Self::record_cleanups).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionManager};
    /// use session_test::SessionsExt;
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// sessions.create()?.terminate();
    /// sessions.assert_clean().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If something is left, or went wrong; the message says which session has which properties, and which property had
    /// which problem. Also if cleanups do not end within the [limit](crate#panics).
    fn assert_clean(&self) -> impl Future<Output = ()> + Send;

    /// Keeps the reports of the cleanups that end from now on, for [`CleanupRecord::assert_clean`].
    fn record_cleanups(&self) -> CleanupRecord;
}

impl SessionsExt for SessionManager {
    #[track_caller]
    fn assert_clean(&self) -> impl Future<Output = ()> + Send {
        self.record_cleanups().assert_clean()
    }

    fn record_cleanups(&self) -> CleanupRecord {
        CleanupRecord {
            sessions: self.clone(),
            events: self.subscribe(),
        }
    }
}

/// The reports of a manager's cleanups since [`SessionsExt::record_cleanups`].
///
/// It has room for the last 1024 events of the manager, which about 300 sessions have, and keeps the manager alive.
///
/// ```should_panic
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use session_core::{LocalSession, PropertyKey, SessionManager};
/// # use session_test::SessionsExt;
/// # const LOG: PropertyKey<Vec<String>> = PropertyKey::new("log");
/// let sessions = SessionManager::builder().build()?;
/// let record = sessions.record_cleanups();
///
/// let session = sessions.create()?;
/// session.properties().insert_with(&LOG, vec![], |_log: Vec<String>| Err::<(), _>("disk full"))?;
/// session.terminate();
/// session.cleanup_completed().await;
///
/// // the cleanup of session 7318349394477056 had problems:
/// //   `log` (alloc::vec::Vec<alloc::string::String>): failed: "disk full"
/// record.assert_clean().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CleanupRecord {
    sessions: SessionManager,
    events: LifecycleEvents,
}

impl CleanupRecord {
    /// Checks what [`SessionsExt::assert_clean`] does, and that no cleanup since the beginning of the record had problems.
    ///
    /// # Panics
    ///
    /// As that does, and if there were more events than the record has room for.
    #[track_caller]
    pub fn assert_clean(mut self) -> impl Future<Output = ()> + Send {
        let by = Location::caller();
        async move {
            let settled = within(self.sessions.settled()).await;
            let mut found = String::new();
            if let Err(limit) = settled {
                let _ = writeln!(found, "cleanups have not ended after {limit:?}");
            }
            self.note_problems(&mut found);
            self.note_left_over(&mut found);
            assert!(found.is_empty(), "sessions are not clean at {by}:\n{found}");
        }
    }

    fn note_problems(&mut self, found: &mut String) {
        while let Some(Some(event)) = self.events.next().now_or_never() {
            let _ = match event {
                Ok(LifecycleEvent::CleanedUp(subject, report)) if !report.is_clean() => {
                    writeln!(found, "{}", problems(&subject, &report))
                }
                Err(missed) => writeln!(found, "{missed}: the record has no room for so many"),
                Ok(_) => Ok(()),
            };
        }
    }

    fn note_left_over(&self, found: &mut String) {
        for session in self.sessions.sessions() {
            let _ = writeln!(found, "{} is active: {}", session.name(), session.state());
        }
        for group in self.sessions.groups() {
            let _ = writeln!(found, "{} is active: {}", group.name(), group.state());
        }
        let in_cleanup = self.sessions.stats().in_cleanup;
        if in_cleanup > 0 {
            let _ = writeln!(found, "{in_cleanup} sessions are in cleanup");
        }
    }
}
