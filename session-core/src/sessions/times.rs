//! The times of one session: its idle timeout, and when it is due.
//!
//! Invariants:
//! 1. The idle timeout is read, changed and compared under the session's lock, so no session ends by one that has been
//!    replaced.
//! 2. A session is due by the idle timeout that it had when the entry was added, or by a shorter one for which
//!    another thread is about to move the entry up. A timeout that has become longer needs no entry.
//! 3. With an idle timeout of zero, the thread that ends the last activity ends the session. The session is parked as
//!    long as it is active, so that this thread is told.

use std::time::Duration;

use crate::life::activity::{self, Alive};
use crate::life::cause::CompletionCause;
use crate::life::clock::{SmallSpan, Ticks};
use crate::life::state::State;
use crate::sessions::session::Session;

/// The activity of a session at one moment: see [`Session::activity`](crate::Session::activity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// The requests inside, also those that a completed session waits for.
    pub requests: usize,
    /// The [`keep_alive`](crate::Session::keep_alive) guards.
    pub keep_alives: usize,
    /// The time since the end of the last activity; `None` during activity, and once the session has completed.
    pub idle: Option<Duration>,
}

impl Session {
    /// Sets the idle timeout of this session, in place of the manager's, from now on. It counts from the end of the last
    /// activity, so an idle session ends at once if it has been idle for so long already.
    ///
    /// With [`Duration::ZERO`] the session ends with its last activity, without a wait for the timer, and at once if it
    /// is idle. A very long one, such as [`Duration::MAX`], leaves only the absolute timeout. On a completed session
    /// nothing happens.
    ///
    /// It takes no memory of its own. Like [`terminate`](crate::LocalSession::terminate) it can be called from
    /// anywhere.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionManager};
    /// # use std::time::Duration;
    /// # let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// session.set_idle_timeout(Duration::from_secs(60));
    /// assert_eq!(session.expires_in(), Duration::from_secs(60));
    ///
    /// let request = session.enter()?;
    /// session.set_idle_timeout(Duration::ZERO);
    /// assert!(!session.is_completed());
    /// drop(request);
    /// assert!(session.is_completed());
    /// # Ok(()) }
    /// ```
    pub fn set_idle_timeout(&self, timeout: Duration) {
        {
            let mut state = self.local().lock();
            let before = self.idle_timeout(&state);
            state.own_idle_timeout = SmallSpan::new(Ticks::of(timeout));
            // With a timeout of zero an active session is not looked at before its absolute timeout.
            if self.idle_timeout(&state) >= before && before > Ticks(0) {
                return;
            }
        }
        // After the change. If the id changes in between, the new id's entry is added by the new timeout.
        if let Some(due) = self.end_if_due(self.local().env.clock.past()) {
            let sessions = self.sessions();
            sessions.deadlines.move_up(self.id(), due);
            sessions.deadlines.entry_died(sessions.active());
        }
    }

    /// Counts as activity that ends now: the idle time starts again. A socket that is open all the time can call this
    /// for each message, in place of a [`keep_alive`](Self::keep_alive) guard. On a completed session nothing happens.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::SessionManager;
    /// # use std::time::Duration;
    /// # let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert!(session.activity().idle >= Some(Duration::from_secs(59)));
    /// session.touch();
    /// assert_eq!(session.activity().idle, Some(Duration::ZERO));
    /// # Ok(()) }
    /// ```
    pub fn touch(&self) {
        let local = self.local();
        local.activity.touch(local.env.clock.now());
    }

    /// Returns the time until a timeout would end the session if nothing happened from now on; zero once it has
    /// completed. The end may come later by one bucket of the timer
    /// ([`idle_timeout`](crate::SessionManagerBuilder::idle_timeout)).
    ///
    /// During activity, as in a request of the session, the time is that which would be left if the activity ended now.
    /// So a page can say when it will log its visitor out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::SessionManager;
    /// # use std::time::Duration;
    /// let sessions = SessionManager::builder().idle_timeout(Duration::from_secs(60)).build()?;
    /// let session = sessions.create()?;
    /// tokio::time::sleep(Duration::from_secs(20)).await;
    /// assert!(session.expires_in() <= Duration::from_secs(40));
    /// # Ok(()) }
    /// ```
    pub fn expires_in(&self) -> Duration {
        let clock = &self.local().env.clock;
        self.due(clock.past())
            .map_or(Duration::ZERO, |due| clock.until(due))
    }

    /// Returns the activity of this moment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::SessionManager;
    /// # let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// assert!(session.activity().idle.is_some());
    /// let _request = session.enter()?;
    /// let activity = session.activity();
    /// assert_eq!((activity.requests, activity.keep_alives), (1, 0));
    /// assert_eq!(activity.idle, None);
    /// # Ok(()) }
    /// ```
    pub fn activity(&self) -> Activity {
        let local = self.local();
        let state = local.lock();
        let (requests, alive) = local.activity.look();
        let rare = state.used().and_then(|used| used.rare());
        let keep_alives = rare.map_or(0, |rare| rare.kept);
        drop(state);
        let idle = match alive {
            Alive::Since(since) => Some(local.env.clock.past().since(since)),
            Alive::Active | Alive::Completed => None,
        };
        Activity {
            requests: usize::try_from(requests).unwrap_or(usize::MAX),
            keep_alives,
            idle,
        }
    }

    fn idle_timeout(&self, locked: &State) -> Ticks {
        let deadlines = &self.sessions().deadlines;
        let own = locked.own_idle_timeout.get().unwrap_or(deadlines.idle);
        match deadlines.unconfirmed {
            Some(unconfirmed) if self.record().is_unconfirmed() => own.min(unconfirmed),
            _ => own,
        }
    }

    /// Returns the time at which the session is due; `None` once it has completed.
    pub(crate) fn due(&self, past: Ticks) -> Option<Ticks> {
        let idle = self.idle_timeout(&self.local().lock());
        self.due_after(self.local().activity.alive(), past, idle)
    }

    fn due_after(&self, alive: Alive, past: Ticks, idle: Ticks) -> Option<Ticks> {
        let absolute = self.created().plus(self.sessions().deadlines.absolute);
        let since = match alive {
            Alive::Completed => return None,
            Alive::Since(since) => since,
            // It is parked: the thread that ends the activity ends the session.
            Alive::Active if idle == Ticks(0) => return Some(absolute),
            // Its next idle time can't begin before now.
            Alive::Active => past.plus(Ticks(1)),
        };
        Some(since.plus(idle).min(absolute))
    }

    /// Ends the session if it has been idle for its timeout. Otherwise returns the time at which it is due; `None` if it
    /// has completed.
    pub(crate) fn end_if_due(&self, past: Ticks) -> Option<Ticks> {
        let mut idle = Ticks(0);
        let mark = |activity: &activity::Activity, state: &mut State| {
            idle = self.idle_timeout(state);
            if idle == Ticks(0) {
                return activity.complete_or_park(state);
            }
            match past.checked_sub(idle) {
                Some(limit) => activity.complete_if_idle(state, limit),
                None => Err(activity.alive()),
            }
        };
        let ended = self.complete_if(CompletionCause::IdleTimeout, mark);
        self.due_after(ended.err()?, past, idle)
    }

    /// Called by the thread that has ended the activity of a parked session.
    #[cold]
    pub(crate) fn unparked(&self) {
        self.end_if_due(self.local().env.clock.past());
        self.sessions().place(self);
    }
}
