//! The builder of a manager.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::BuildError;
use crate::life::env::Env;
use crate::manager::SessionManager;
use crate::sessions::session::Sessions;
use crate::settings::{Settings, WhenFull};
use crate::sync::runtime::{Runtime, sleep};

/// Builds a [`SessionManager`]: see [`SessionManager::builder`].
#[must_use = "call `build()`"]
pub struct SessionManagerBuilder {
    settings: Settings,
    runtime: Option<Runtime>,
}

impl SessionManagerBuilder {
    pub(crate) fn new() -> Self {
        let settings = Settings {
            idle_timeout: Duration::from_secs(20 * 60),
            absolute_timeout: Duration::from_secs(8 * 3600),
            unconfirmed_timeout: None,
            drain_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(10),
            lend_timeout: Duration::from_secs(30),
            superseded_for: Duration::from_secs(30),
            max_sessions: 1_000_000,
            when_full: WhenFull::Reject,
            group_linger: Duration::ZERO,
            max_per_group: None,
            state: None,
        };
        Self {
            settings,
            runtime: None,
        }
    }

    /// How long a session may be without activity: 20 minutes if not set.
    /// [`Session::set_idle_timeout`](crate::Session::set_idle_timeout) changes it for one session.
    ///
    /// A session ends within one bucket of the timer after its time, and never before. A bucket is a second, or a
    /// 64th of the builder's shortest timeout (idle, absolute, unconfirmed) if that is less.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// How long a session may live, whatever its activity: 8 hours if not set.
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.settings.absolute_timeout = timeout;
        self
    }

    /// How long a session may be without activity as long as no request has presented its id: off if not set.
    ///
    /// Crawlers and scripts never return a cookie, so each of their requests leaves a session that nobody comes back
    /// to. This ends such sessions sooner. It must be longer than a visitor reads the first page. It counts only if it
    /// is shorter than the session's idle timeout, and activity counts as always: a stream that is still open is not a
    /// crawler's.
    ///
    /// It applies to sessions that an adapter for a web framework creates for a client, with
    /// [`create_entered`](crate::SessionManager::create_entered), until one is entered by its id, with
    /// [`enter`](crate::SessionManager::enter).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionManager};
    /// # use std::time::Duration;
    /// let sessions = SessionManager::builder()
    ///     .unconfirmed_timeout(Duration::from_secs(5 * 60))
    ///     .build()?;
    /// let first = [sessions.create_entered(None)?, sessions.create_entered(None)?];
    /// let [crawler, visitor] = first.map(|request| request.session().clone());
    /// drop(sessions.enter(&visitor.id())?);
    ///
    /// tokio::time::sleep(Duration::from_secs(6 * 60)).await;
    /// assert!(crawler.is_completed() && !visitor.is_completed());
    /// # Ok(()) }
    /// ```
    pub fn unconfirmed_timeout(mut self, timeout: Duration) -> Self {
        self.settings.unconfirmed_timeout = Some(timeout);
        self
    }

    /// How long cleanup waits for requests, tasks and initializers before it aborts: 30 seconds if not set.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.settings.drain_timeout = timeout;
        self
    }

    /// How long a close hook may take, and how long cleanup waits for values that are still held elsewhere: 10
    /// seconds if not set.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    /// How long a request waits for an [`Exclusive`](crate::Exclusive) that is lent to another one: 30 seconds if
    /// not set.
    pub fn lend_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lend_timeout = timeout;
        self
    }

    /// How long an id that was taken from its client, by a log-in or a log-out, counts as superseded and not as unknown
    /// ([`NotLive`](crate::NotLive)): 30 seconds if not set, and zero turns it off. A browser may send requests with
    /// the old id as long as it has some waiting.
    ///
    /// As many ids may be superseded as sessions may be active. Beyond that the oldest become unknown; ids whose
    /// clients have not been told yet come last.
    pub fn superseded_for(mut self, time: Duration) -> Self {
        self.settings.superseded_for = time;
        self
    }

    /// The maximum of active sessions, and what happens beyond it: a million, and rejection, if not set. As many
    /// again may be in cleanup.
    pub fn max_sessions(mut self, max: usize, when_full: WhenFull) -> Self {
        self.settings.max_sessions = max;
        self.settings.when_full = when_full;
        self
    }

    /// How long a named group lingers: it stays active, with its properties, after its last session has left or has been
    /// cleaned up, and a session that comes meanwhile is its next member. Zero if not set: it ends with its last
    /// session.
    ///
    /// So what a group holds for a user, such as a limit of requests, outlives a log-out and a log-in. As many groups
    /// may linger as sessions may be active; beyond that the one that has lingered longest ends. A group that is
    /// terminated ends at once, and so do all that linger when the manager is shut down. To keep a group for longer,
    /// create a session of the application's own in it, and [keep it alive](crate::Session::keep_alive).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, SessionManager};
    /// use std::time::Duration;
    ///
    /// let sessions = SessionManager::builder().group_linger(Duration::from_secs(60)).build()?;
    /// let session = sessions.create_in("user:42".into())?;
    /// let group = session.group();
    /// session.terminate();
    /// assert!(!group.is_completed() && group.sessions().is_empty());
    /// assert_eq!(sessions.create_in("user:42".into())?.group(), group);
    /// # Ok(()) }
    /// ```
    pub fn group_linger(mut self, time: Duration) -> Self {
        self.settings.group_linger = time;
        self
    }

    /// The maximum of active sessions in a group that the application named, and what happens beyond it: no maximum
    /// if not set. The group of a session without a named one has no other sessions.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, SessionManager, WhenFull};
    ///
    /// // A user has two devices. A third one ends the session of that which has been idle longest.
    /// let sessions = SessionManager::builder()
    ///     .max_sessions_per_group(2, WhenFull::EvictIdlest)
    ///     .build()?;
    /// let devices = [(); 3].map(|()| sessions.create_in("user:42".into()));
    /// assert!(devices[0].as_ref().is_ok_and(|first| first.is_completed()));
    /// assert_eq!(sessions.stats().active, 2);
    /// # Ok(()) }
    /// ```
    pub fn max_sessions_per_group(mut self, max: usize, when_full: WhenFull) -> Self {
        self.settings.max_per_group = Some((max, when_full));
        self
    }

    /// The application's own state, of any type: [`InitContext::state`](crate::InitContext::state) returns it to
    /// initializers. A clone of the manager in it keeps the manager alive forever.
    pub fn state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.settings.state = Some(Arc::new(state));
        self
    }

    /// The runtime for the manager's and the sessions' tasks; the current one if not set.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoRuntime`] outside a runtime if none was named, and [`BuildError::Zero`] for a timeout or
    /// a maximum of zero.
    ///
    /// # Panics
    ///
    /// If the runtime was built without its timer (`enable_time`).
    pub fn build(self) -> Result<SessionManager, BuildError> {
        let settings = self.settings;
        for (name, zero) in [
            ("idle_timeout", settings.idle_timeout.is_zero()),
            ("absolute_timeout", settings.absolute_timeout.is_zero()),
            (
                "unconfirmed_timeout",
                settings.unconfirmed_timeout == Some(Duration::ZERO),
            ),
            ("drain_timeout", settings.drain_timeout.is_zero()),
            ("close_timeout", settings.close_timeout.is_zero()),
            ("lend_timeout", settings.lend_timeout.is_zero()),
            ("max_sessions", settings.max_sessions == 0),
            (
                "max_sessions_per_group",
                settings.max_per_group.is_some_and(|(max, _)| max == 0),
            ),
        ] {
            if zero {
                return Err(BuildError::Zero(name));
            }
        }
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Runtime::try_current().map_err(|_| BuildError::NoRuntime)?,
        };
        {
            // Without a timer this panics here, and not later in a task where it goes unnoticed.
            let _entered = runtime.enter();
            drop(sleep(Duration::ZERO));
        }
        let env = Arc::new(Env::new(settings, runtime));
        Ok(SessionManager::new(Arc::new(Sessions::new(env))))
    }
}

impl SessionManager {
    /// Returns a builder with the default settings.
    pub fn builder() -> SessionManagerBuilder {
        SessionManagerBuilder::new()
    }
}

impl fmt::Debug for SessionManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionManagerBuilder")
    }
}
