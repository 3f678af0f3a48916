//! The manager of sessions.

pub(crate) mod builder;
pub(crate) mod create;
mod drain;
pub(crate) mod eviction;
pub(crate) mod expiry;
mod settled;
mod tag;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{CreateError, NotLive};
use crate::id::session_key::SessionKey;
use crate::id::{GroupId, SessionId};
use crate::life::cause::CompletionCause;
use crate::life::event::{LifecycleEvents, Subject};
use crate::sessions::group::SessionGroup;
use crate::sessions::guard::RequestGuard;
use crate::sessions::session::{CLOSED, Session, Sessions};
use crate::sync::Ordering;
use crate::sync::runtime::{AbortHandle, Runtime, sleep_on};
use crate::values::report::CleanupReport;

/// The time that a shutdown leaves to cleanups, once its timeout has passed and they have been told not to wait.
const HURRY_GRACE: Duration = Duration::from_secs(1);

/// Creates sessions, finds them, and ends them.
///
/// Cheap to clone, and bound to one tokio runtime. Dropping the last clone completes the sessions with
/// [`CompletionCause::Shutdown`], so `builder().build()?.create()?` returns an ended session, and a clone in the
/// manager's own state or in a property keeps the manager alive forever. Before `main` returns it must await
/// [`shutdown`](Self::shutdown): without a runtime nothing that is async can be closed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{LocalSession, SessionManager};
/// use std::time::Duration;
///
/// let sessions = SessionManager::builder().idle_timeout(Duration::from_secs(60)).build()?;
/// let session = sessions.create()?;
/// assert_eq!(sessions.get(&session.id()).as_ref(), Some(&session));
///
/// let report = sessions.shutdown(Duration::from_secs(5)).await;
/// assert!(report.is_clean());
/// assert!(session.is_completed());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SessionManager(Arc<Handle>);

/// The part that the clones share: dropping it ends the sessions.
struct Handle {
    sessions: Arc<Sessions>,
    sweepers: [AbortHandle; 4],
}

impl SessionManager {
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        let env = &sessions.env;
        let due = expiry::sweep(Arc::downgrade(&sessions));
        let lingering = expiry::sweep_groups(Arc::downgrade(&sessions));
        let superseded_ids = sessions.ids.clone().sweep(env.clock.clone());
        let superseded_keys = sessions.keys.slots.clone().sweep(env.clock.clone());
        let sweepers = [
            env.runtime.spawn(due).abort_handle(),
            env.runtime.spawn(lingering).abort_handle(),
            env.runtime.spawn(superseded_ids).abort_handle(),
            env.runtime.spawn(superseded_keys).abort_handle(),
        ];
        Self(Arc::new(Handle { sessions, sweepers }))
    }

    /// Creates a session.
    ///
    /// # Errors
    ///
    /// [`CreateError::Full`] if there is no room for it, [`CreateError::Draining`] after [`drain`](Self::drain) and
    /// [`CreateError::ShuttingDown`] after [`shutdown`](Self::shutdown) was called.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bits.
    pub fn create(&self) -> Result<Session, CreateError> {
        create::create(&self.0.sessions, None)
    }

    /// Creates a session in the group with this name, which is created if there is none.
    ///
    /// # Errors
    ///
    /// [`CreateError::Full`] also if there is no room for it in the group. Otherwise as [`create`](Self::create).
    ///
    /// # Panics
    ///
    /// As [`create`](Self::create).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers create the id for this call, and it reads better"
    )]
    pub fn create_in(&self, group: GroupId) -> Result<Session, CreateError> {
        create::create(&self.0.sessions, Some(&group))
    }

    /// Creates a session, in the group with this name or in one of its own, with a request inside. This is
    /// [`create`](Self::create) and [`Session::enter`] in one step, so that the session is not idle in between and
    /// can't be evicted.
    ///
    /// This is for adapters that create a session for a client. Until a request [enters](Self::enter) the session by its
    /// id, the [`unconfirmed_timeout`](crate::SessionManagerBuilder::unconfirmed_timeout) applies to it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    ///
    /// # Panics
    ///
    /// As [`create`](Self::create).
    pub fn create_entered(&self, group: Option<&GroupId>) -> Result<RequestGuard, CreateError> {
        create::create_entered(&self.0.sessions, group)
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
        create::get_or_create_keyed(sessions, sessions.keys.hash(key), Session::if_active)
    }

    /// Enters the active session with this key, for the length of a request, or creates it with the request inside. This
    /// is [`get_or_create_keyed`](Self::get_or_create_keyed) and [`Session::enter`] in one step: the session neither ends
    /// nor is idle in between.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{SessionKey, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tenant = SessionKey::new("tenant:7")?;
    /// let request = sessions.enter_keyed(&tenant)?;
    /// assert_eq!(sessions.get_or_create_keyed(&tenant)?, *request.session());
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
    pub fn enter_keyed(&self, key: &SessionKey) -> Result<RequestGuard, CreateError> {
        let sessions = &self.0.sessions;
        create::get_or_create_keyed(
            sessions,
            sessions.keys.hash(key),
            Session::try_enter_by_name,
        )
    }

    /// Returns the active session with this id. A look-up does not count as activity.
    #[inline]
    pub fn get(&self, id: &SessionId) -> Option<Session> {
        self.0.sessions.ids.get(id)
    }

    /// Enters the active session with this id, for the length of a request, in one step with the look-up: no request
    /// enters by an id that has been replaced.
    ///
    /// # Errors
    ///
    /// [`NotLive`], which tells an id that was taken from its client a moment ago from an unknown one.
    ///
    /// # Panics
    ///
    /// As [`Session::enter`].
    #[inline]
    pub fn enter(&self, id: &SessionId) -> Result<RequestGuard, NotLive> {
        self.0.sessions.enter(id)
    }

    /// Returns the active session with this [serial](crate::LocalSession::serial). It goes through all sessions, as
    /// [`sessions`](Self::sessions) does.
    pub fn find(&self, serial: u64) -> Option<Session> {
        let sessions = self.sessions();
        sessions
            .into_iter()
            .find(|session| session.local().serial == serial)
    }

    /// Returns the group with this name, if it has sessions or lingers.
    pub fn group(&self, id: &GroupId) -> Option<SessionGroup> {
        self.0.sessions.groups.get(id)
    }

    /// Returns the active sessions, in no order. It goes through all of them; one whose id changes meanwhile may be
    /// missing.
    pub fn sessions(&self) -> Vec<Session> {
        self.0.sessions.all()
    }

    /// Returns the named groups that have sessions or linger, in no order. It goes through all of them.
    pub fn groups(&self) -> Vec<SessionGroup> {
        self.0.sessions.groups.all()
    }

    /// Returns the manager's counts, without going through sessions or groups.
    pub fn stats(&self) -> SessionStats {
        let sessions = &self.0.sessions;
        SessionStats {
            active: sessions.active(),
            in_cleanup: sessions.in_cleanup.load(Ordering::Relaxed),
            groups: sessions.groups.len(),
            created: sessions.created.load(Ordering::Relaxed),
        }
    }

    /// Returns the runtime of the manager's and the sessions' tasks.
    pub fn runtime(&self) -> &Runtime {
        &self.0.sessions.env.runtime
    }

    /// Subscribes to the events of sessions and groups from now on. A slow subscriber loses events and is told how
    /// many; nothing waits for it.
    pub fn subscribe(&self) -> LifecycleEvents {
        self.0.sessions.env.events.subscribe()
    }

    /// Ends all sessions: no new ones are created, all complete at once, and they are cleaned up in parallel.
    ///
    /// The manager's runtime has to be running: cleanups are its tasks, and so is the timer.
    ///
    /// After `timeout`, which caps the drain and close timeouts, cleanups no longer wait for anything. The report
    /// has what was left over.
    ///
    /// # Cancel safety
    ///
    /// The sessions have been completed by the first poll, and their cleanups go on, with their own timeouts.
    pub async fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        let env = &self.0.sessions.env;
        let gathering = env.cleanups.gather();
        let sessions = self.0.close();
        let ended = gathering.count(sessions.len());
        for session in sessions {
            session.complete(CompletionCause::Shutdown);
        }
        self.0.sessions.groups.end_all_lingering();
        // For those who wait for the drain of a manager without sessions.
        env.cleanups.ended.notify_waiters();
        let mut in_time = self.are_cleaned_up_within(timeout).await;
        if !in_time {
            env.hurry.cancel();
            in_time = self.are_cleaned_up_within(HURRY_GRACE).await;
        }
        // A cleanup that can't be hurried (in a blocking destructor, say) is left behind and named. If there is none, a
        // change of an ended session's id may still owe an end for a moment.
        let unfinished = if in_time {
            Vec::new()
        } else {
            env.cleanups.unfinished()
        };
        ShutdownReport {
            ended,
            problems: gathering.gathered(),
            unfinished,
        }
    }

    async fn are_cleaned_up_within(&self, timeout: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.cleanups_reach(|sessions| !sessions.are_cleaning_up()) => true,
            () = sleep_on(&self.0.sessions.env.runtime, timeout) => false,
        }
    }

    /// Waits until `done`, which is asked again after each end of a cleanup.
    async fn cleanups_reach(&self, done: impl Fn(&Sessions) -> bool) {
        let sessions = &self.0.sessions;
        loop {
            let mut ended = std::pin::pin!(sessions.env.cleanups.ended.notified());
            ended.as_mut().enable();
            if done(sessions) {
                return;
            }
            ended.await;
        }
    }
}

impl Handle {
    /// Stops the creation of sessions, and the lingering of groups. Returns the active sessions.
    fn close(&self) -> Vec<Session> {
        self.sessions.close(CLOSED);
        self.sessions.groups.lingering.close();
        self.sessions.all()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for sweeper in &self.sweepers {
            sweeper.abort();
        }
        for session in self.close() {
            session.complete(CompletionCause::Shutdown);
        }
        self.sessions.groups.end_all_lingering();
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionManager")
            .field(&self.stats())
            .finish()
    }
}

/// The outcome of a shutdown.
#[derive(Clone, Debug)]
pub struct ShutdownReport {
    ended: usize,
    problems: Vec<(Subject, CleanupReport)>,
    unfinished: Vec<Subject>,
}

impl ShutdownReport {
    /// The number of sessions that were active when this shutdown began, or another that is still under way.
    pub fn ended(&self) -> usize {
        self.ended
    }

    /// The sessions and groups whose cleanup had problems, with their reports.
    pub fn problems(&self) -> &[(Subject, CleanupReport)] {
        &self.problems
    }

    /// The sessions and groups whose cleanup had not ended when the time was up.
    pub fn unfinished(&self) -> &[Subject] {
        &self.unfinished
    }

    /// Whether all cleanups ended, and without problems.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.unfinished.is_empty()
    }
}

/// The counts of a manager: see [`SessionManager::stats`](crate::SessionManager::stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Active sessions.
    pub active: usize,
    /// Sessions that have completed and are not cleaned up yet.
    pub in_cleanup: usize,
    /// Named groups.
    pub groups: usize,
    /// Sessions created since the manager was built.
    pub created: u64,
}
