//! Guards of activity: requests inside a session, and guards that keep a session alive.

use std::fmt;

use crate::error::{NotLive, SessionEnded};
use crate::id::SessionId;
use crate::life::activity::{Departed, Epoch, Left};
use crate::sessions::record::ID_CHANGES;
use crate::sessions::seat::Seat;
use crate::sessions::session::{Session, Sessions};
use crate::sync::{AtomicU64, Ordering};

/// A request inside a session: see [`Session::enter`](crate::Session::enter).
///
/// Dropping it ends the activity. A panic or a client that hangs up drops it, too.
///
/// A guard and its clones are one request: it is counted once, leaves with the last of them, and stays with the session
/// if one of them [changes the id](Self::cycle_id). So what runs on after the handler, a task or a tool call, takes a
/// clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use session_core::{LocalSession, SessionManager};
/// # let sessions = SessionManager::builder().build()?;
/// let session = sessions.create()?;
/// let request = session.enter()?;
/// let tool = tokio::spawn({
///     let request = request.clone();
///     async move { request.session().serial() }
/// });
/// drop(request);
/// session.terminate();
/// // Cleanup waits for the task.
/// assert!(session.cleanup_completed().await.is_clean());
/// assert_eq!(tool.await?, session.serial());
/// # Ok(()) }
/// ```
#[must_use = "dropping it leaves the session"]
pub struct RequestGuard {
    session: Session,
    /// An [`Arrival`]. Changes under the seat's lock.
    arrival: AtomicU64,
}

/// The moment when a request came in: its epoch, and how often the session's id had changed, in one word with the
/// number of the request. A guard that was never cloned has no number. For one that has, the seat knows how often the
/// id had changed.
#[derive(Clone, Copy)]
pub(crate) struct Arrival(u64);

const REQUEST_SHIFT: u32 = Epoch::BITS + ID_CHANGES.ilog2();

impl Arrival {
    #[inline]
    fn new(epoch: Epoch, id_changes: u64) -> Self {
        Self(id_changes << Epoch::BITS | epoch.to_bits())
    }

    #[inline]
    fn epoch(self) -> Epoch {
        Epoch::of_bits(self.0)
    }

    #[inline]
    fn id_changes(self) -> u64 {
        (self.0 >> Epoch::BITS) % ID_CHANGES
    }

    fn with_request(self, number: u64) -> Self {
        Self(self.0 | number << REQUEST_SHIFT)
    }

    /// Returns the number of a request that several guards share, or zero.
    #[inline]
    pub(crate) fn request(self) -> u64 {
        self.0 >> REQUEST_SHIFT
    }
}

/// The right of one request to its session, as it is when taken: see [`RequestGuard::pass`].
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    serial: u64,
    /// How often the session's id had changed when the request came in, or when it changed the id itself.
    pub(crate) id_changes: u64,
}

impl Pass {
    /// Returns the [serial](crate::LocalSession::serial) of the session that it is for.
    pub fn serial(self) -> u64 {
        self.serial
    }
}

impl Sessions {
    /// Enters the live session with this id.
    #[inline]
    pub(crate) fn enter(&self, id: &SessionId) -> Result<RequestGuard, NotLive> {
        let wait = |ending: Session| ending.await_completion();
        let guard = self.ids.enter(id, Session::try_enter, wait)?;
        guard.confirm();
        Ok(guard)
    }
}

impl RequestGuard {
    /// Notes that the request's client knows the session.
    #[inline]
    fn confirm(&self) {
        if self.session.record().is_unconfirmed() {
            self.session.record().confirm();
        }
    }
}

impl Session {
    /// Enters the session for the length of a request. Until the guard is dropped the session is not idle, and cleanup
    /// waits for it, up to the drain timeout.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    ///
    /// # Panics
    ///
    /// If over a million requests are inside.
    #[inline]
    pub fn enter(&self) -> Result<RequestGuard, SessionEnded> {
        self.try_enter().ok_or_else(|| {
            self.await_completion();
            SessionEnded
        })
    }

    /// Enters the session; `None` once completion has begun, whose step may not be done yet.
    #[inline]
    pub(crate) fn try_enter(&self) -> Option<RequestGuard> {
        let epoch = self.local().activity.enter()?;
        let id_changes = self.record().id_changes();
        Some(RequestGuard::new(self.clone(), epoch, id_changes))
    }

    /// As [`try_enter`](Self::try_enter), for a request that has named the session.
    pub(crate) fn try_enter_by_name(&self) -> Option<RequestGuard> {
        self.try_enter().inspect(RequestGuard::confirm)
    }

    /// Returns the session itself; `None` as [`try_enter`](Self::try_enter).
    pub(crate) fn if_active(&self) -> Option<Self> {
        (!self.local().activity.is_completed()).then(|| self.clone())
    }

    /// Keeps the session from being idle until the guard is dropped; cleanup does not wait for it. A property
    /// or the task of an upgraded connection may hold one.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    pub fn keep_alive(&self) -> Result<KeepAlive, SessionEnded> {
        KeepAlive::new(self.clone())
    }

    /// Handles the leaving of a request that was awaited.
    #[cold]
    pub(crate) fn left(&self, departed: Departed) {
        let activity = &self.local().activity;
        let Departed { entered, left, .. } = departed;
        let released = self.seat().left(activity, entered, left);
        drop(released);
        self.local().check_drained();
        if departed.unparked {
            self.unparked();
        }
    }
}

impl RequestGuard {
    #[inline]
    pub(crate) fn new(session: Session, epoch: Epoch, id_changes: u64) -> Self {
        Self {
            session,
            arrival: AtomicU64::new(Arrival::new(epoch, id_changes).0),
        }
    }

    #[inline]
    pub(crate) fn arrival(&self) -> Arrival {
        // Relaxed: whatever depends on a change is read under the seat's lock.
        Arrival(self.arrival.load(Ordering::Relaxed))
    }

    /// Returns the session that the request is inside.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether the session's id has been changed since this request came in, other than by this request itself. The
    /// session is then *parted* from it. A parted request may be a stranger's that came by a planted id: do not hand
    /// out anything more of the session to it.
    ///
    /// A concurrent log-in is seen only by a call that comes after it. So read first (the session's group, say), and
    /// hand out the result only if this is `false` afterwards.
    #[inline]
    pub fn is_parted(&self) -> bool {
        self.session.is_parted_since(self.arrival())
    }

    /// Returns the request's right to the session, for checks when the guard is gone:
    /// [`Session::is_parted_from`](crate::Session::is_parted_from).
    pub fn pass(&self) -> Pass {
        Pass {
            serial: self.session.local().serial,
            id_changes: self.session.id_changes_at(self.arrival()),
        }
    }

    /// Counts a change of the id by the request itself.
    pub(crate) fn has_changed_id(&self, seat: &mut Seat) {
        let arrival = self.arrival();
        if let Some(shared) = seat.shared(arrival.request()) {
            shared.id_changes = (shared.id_changes + 1) % ID_CHANGES;
        } else {
            let id_changes = (arrival.id_changes() + 1) % ID_CHANGES;
            let arrival = Arrival::new(arrival.epoch(), id_changes);
            self.arrival.store(arrival.0, Ordering::Relaxed);
        }
    }
}

impl Session {
    /// Whether the id has been changed since this arrival, other than by the request itself.
    #[inline]
    pub(crate) fn is_parted_since(&self, arrival: Arrival) -> bool {
        if arrival.request() > 0 {
            return self.is_parted_from_shared(arrival);
        }
        arrival.id_changes() != self.record().id_changes()
    }

    /// Under the seat's lock, because another guard of the request may be changing the id.
    #[cold]
    fn is_parted_from_shared(&self, arrival: Arrival) -> bool {
        let mut seat = self.seat();
        let shared = seat.shared(arrival.request());
        shared.is_none_or(|shared| shared.id_changes != self.record().id_changes())
    }

    /// Returns how often the id had changed when the request arrived, or changed it itself.
    fn id_changes_at(&self, arrival: Arrival) -> u64 {
        if arrival.request() > 0
            && let Some(shared) = self.seat().shared(arrival.request())
        {
            return shared.id_changes;
        }
        arrival.id_changes()
    }
}

impl Clone for RequestGuard {
    fn clone(&self) -> Self {
        let arrival = {
            let mut seat = self.session.seat();
            let mut arrival = self.arrival();
            if let Some(shared) = seat.shared(arrival.request()) {
                shared.guards += 1;
            } else {
                arrival = arrival.with_request(seat.share(arrival.id_changes()));
                self.arrival.store(arrival.0, Ordering::Relaxed);
            }
            arrival
        };
        Self {
            session: self.session.clone(),
            arrival: AtomicU64::new(arrival.0),
        }
    }
}

impl Drop for RequestGuard {
    #[inline]
    fn drop(&mut self) {
        let arrival = self.arrival();
        if arrival.request() > 0 && !self.session.seat().let_go(arrival.request()) {
            return;
        }
        let local = self.session.local();
        let entered = arrival.epoch();
        let left = local.activity.leave(entered, || local.env.clock.now());
        if let Left::Awaited(departed) = left {
            self.session.left(departed);
        }
    }
}

impl fmt::Debug for RequestGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestGuard").field(&self.session).finish()
    }
}

/// A guard that keeps a session from being idle: see [`Session::keep_alive`](crate::Session::keep_alive).
///
/// Idle time runs from when the last one is dropped.
#[must_use = "dropping it lets the session be idle"]
pub struct KeepAlive {
    session: Session,
}

impl KeepAlive {
    pub(crate) fn new(session: Session) -> Result<Self, SessionEnded> {
        let local = session.local();
        let mut state = local.lock();
        if state.is_completed() {
            return Err(SessionEnded);
        }
        let kept = &mut state.used_mut().rare_mut().kept;
        *kept += 1;
        if *kept == 1 {
            local.activity.keep(&mut state);
        }
        drop(state);
        Ok(Self { session })
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        let local = self.session.local();
        let mut state = local.lock();
        // A session that has been cleaned up no longer counts them.
        if !state.is_cleaned_up()
            && let Some(used) = state.used_if_any()
        {
            let kept = &mut used.rare_mut().kept;
            *kept -= 1;
            let last = *kept == 0;
            let now = || local.env.clock.now();
            let unparked = last && local.activity.keep_no_longer(&mut state, now);
            drop(state);
            if unparked {
                self.session.unparked();
            }
        }
    }
}

impl fmt::Debug for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeepAlive").field(&self.session).finish()
    }
}
