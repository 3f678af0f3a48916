//! Sessions.

mod cycle;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionEnded;
use crate::event::{LifecycleEvent, Subject};
use crate::group::{GroupHold, OwedEnd, SessionGroup};
use crate::id::{GroupId, SessionId};
use crate::life::activity::{Activity, Alive, Departed, Epoch};
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::life::eviction::Kind;
use crate::life::guard::{KeepAlive, RequestGuard};
use crate::life::lifecycle::{self, Completion, Local};
use crate::owner::OwnerRef;
use crate::shared::Shared;
use crate::sync::{AtomicU64, Counted, Mutex, Ordering, WeakCounted};

/// What one visitor's requests share, in this process, while it is active.
///
/// A cheap handle: it clones, and dropping it ends nothing. What it can do beyond its own methods is in
/// [`LocalSession`](crate::LocalSession), the trait it shares with [`SessionGroup`].
#[derive(Clone)]
pub struct Session(Counted<Inner>);

/// A handle that keeps nothing alive: see [`Session::downgrade`].
#[derive(Clone)]
pub struct WeakSession(WeakCounted<Inner>);

/// What every request reads comes first, beside the counts: with many sessions each cache line is a miss.
#[repr(C)]
struct Inner {
    local: Local,
    /// How often the id has changed. Written under the session's lock.
    id_changes: AtomicU64,
    seat: Mutex<Seat>,
    created: Ticks,
    serial: u64,
}

/// Where a session is registered. Its lock is taken after the session's state, and before a group's members.
struct Seat {
    id: SessionId,
    /// The session is in the registry under `id`.
    registered: bool,
    group: Option<SessionGroup>,
    departures: Vec<Departure>,
}

/// A group that a session left while requests were inside: its drain waits for these.
struct Departure {
    hold: GroupHold,
    epoch: Epoch,
    inside: u64,
}

impl Session {
    pub(crate) fn new(shared: &Arc<Shared>, id: SessionId) -> Self {
        let created = shared.clock.now();
        Self(Counted::new(Inner {
            serial: shared.next_serial(),
            created,
            local: Local::new(shared.clone(), created),
            id_changes: AtomicU64::new(0),
            seat: Mutex::new(Seat {
                id,
                registered: false,
                group: None,
                departures: Vec::new(),
            }),
        }))
    }

    pub(crate) fn local(&self) -> &Local {
        &self.0.local
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.local.shared
    }

    pub(crate) fn serial_number(&self) -> u64 {
        self.0.serial
    }

    /// The id now: [`cycle_id`](Self::cycle_id) changes it.
    pub fn id(&self) -> SessionId {
        self.0.seat.lock().id
    }

    /// How long ago it was created.
    pub fn age(&self) -> Duration {
        self.shared().clock.past().since(self.0.created)
    }

    /// The group it belongs to. One without a named group has an anonymous one of its own, made now.
    pub fn group(&self) -> SessionGroup {
        let state = self.local().lock();
        let mut seat = self.0.seat.lock();
        if let Some(group) = &seat.group {
            return group.clone();
        }
        let group = SessionGroup::new(self.shared(), None);
        let created = || LifecycleEvent::Created(Subject::of(OwnerRef::Group(&group)));
        self.shared().events.record(created);
        if !state.is_cleaned_up() {
            let _admitted = group.admit(self);
        }
        seat.group = Some(group.clone());
        drop(seat);
        let ended = state.is_cleaned_up();
        drop(state);
        self.shared().events.deliver();
        if ended {
            group.complete();
        }
        group
    }

    /// Moves the session to the group of this name, which is born if there is none. To join one's own group changes
    /// nothing.
    ///
    /// The id stays: a log-in is [`RequestGuard::log_in`], which changes both.
    ///
    /// The old group's properties stay with the old group, and so do its sets that a request or task already has in
    /// hand: ask for them again after the log-in. If this was its last session it ends; its drain
    /// waits for the requests that are inside the session now.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make one for it, and it reads better"
    )]
    pub fn join(&self, group: GroupId) -> Result<(), SessionEnded> {
        let left = {
            let state = self.local().lock();
            if state.is_completed() {
                return Err(SessionEnded);
            }
            self.move_to(&mut self.0.seat.lock(), &group)
        };
        self.shared().events.deliver();
        drop(left);
        Ok(())
    }

    /// Makes the session a member of this group. Returns the group that it left if that has to end. To be called
    /// under the session's lock; the end is for after it.
    fn move_to(&self, seat: &mut Seat, group: &GroupId) -> Option<OwedEnd> {
        let own = seat.group.as_ref().and_then(SessionGroup::id);
        if own == Some(group) {
            return None;
        }
        let old = seat.group.replace(self.shared().admit(group, self))?;
        seat.depart(&old, &self.local().activity);
        old.release(self).map(OwedEnd::new)
    }

    /// A handle that keeps nothing alive.
    pub fn downgrade(&self) -> WeakSession {
        WeakSession(Counted::downgrade(&self.0))
    }

    /// Enters the session for the length of a request: until the guard is dropped the session is not idle, and
    /// cleanup waits for it, up to the drain timeout.
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

    /// `None` once completion has begun: its step may not be done yet.
    #[inline]
    pub(crate) fn try_enter(&self) -> Option<RequestGuard> {
        let epoch = self.local().activity.enter()?;
        Some(RequestGuard::new(self.clone(), epoch, self.id_changes()))
    }

    /// Waits until the step of completion that has begun is done: the session's id is dead then.
    #[cold]
    pub(crate) fn await_completion(&self) {
        drop(self.local().lock());
    }

    /// How often the id has changed.
    #[inline]
    pub(crate) fn id_changes(&self) -> u64 {
        // Acquire: a request that sees a change also sees what the log-in did before it, and a request that does not
        // has read what it read before the change.
        self.0.id_changes.load(Ordering::Acquire)
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

    /// A request has left that was awaited.
    #[cold]
    pub(crate) fn left(&self, departed: Departed) {
        let activity = &self.local().activity;
        let Departed { entered, left, .. } = departed;
        let released = self.0.seat.lock().left(activity, entered, left);
        drop(released);
        self.local().check_drained();
        if departed.unparked {
            self.shared().eviction.place(self);
        }
    }

    /// Completes it. Returns whether this was the call that did.
    pub(crate) fn complete(&self, cause: CompletionCause) -> bool {
        let unregister = || self.unregister();
        lifecycle::complete(
            OwnerRef::Session(self),
            cause,
            Activity::complete,
            unregister,
        )
        .is_ok()
    }

    /// Completes it unless there was activity after `limit`.
    pub(crate) fn complete_if_idle(
        &self,
        cause: CompletionCause,
        limit: Ticks,
    ) -> Result<(), Alive> {
        let mark = |activity: &Activity| activity.complete_if_idle(limit);
        lifecycle::complete(OwnerRef::Session(self), cause, mark, || self.unregister())
    }

    /// Makes a new session known: in its group, if it is to have a named one, and in the registry.
    pub(crate) fn take_seat(&self, group: Option<&GroupId>) {
        // Under its own lock, as `join`: the group may be terminated as soon as it has admitted the session.
        let _state = self.local().lock();
        let mut seat = self.0.seat.lock();
        seat.group = group.map(|group| self.shared().admit(group, self));
        let created = || LifecycleEvent::Created(Subject::Session(self.serial_number()));
        self.shared().events.record(created);
        seat.registered = true;
        self.shared().ids.insert(seat.id, self.clone());
    }

    fn unregister(&self) {
        let mut seat = self.0.seat.lock();
        if std::mem::take(&mut seat.registered) {
            self.shared().ids.remove(&seat.id);
        }
    }

    /// The step of its eviction, if it is still of this kind and there was no activity after `limit`.
    pub(crate) fn evict(&self, limit: Ticks, kind: Kind) -> Result<Completion, Alive> {
        let mark = |activity: &Activity| {
            if self.kind() != kind {
                return Err(Alive::Active);
            }
            activity.complete_if_idle(limit)
        };
        let cause = CompletionCause::Evicted;
        let begun = lifecycle::begin(self.as_owner(), cause, mark, || self.unregister());
        begun.map(|((), completion)| completion)
    }

    /// Whether the application named its group.
    pub(crate) fn kind(&self) -> Kind {
        let seat = self.0.seat.lock();
        match seat.group.as_ref().and_then(SessionGroup::id) {
            Some(_) => Kind::Named,
            None => Kind::Anonymous,
        }
    }

    pub(crate) fn as_owner(&self) -> OwnerRef<'_> {
        OwnerRef::Session(self)
    }

    /// Leaves its group; gives the group if it has to end now.
    pub(crate) fn leave_group(&self) -> Option<SessionGroup> {
        let seat = self.0.seat.lock();
        seat.group.as_ref()?.release(self)
    }

    pub(crate) fn created(&self) -> Ticks {
        self.0.created
    }
}

impl Seat {
    /// Makes the group's drain wait for the requests inside.
    fn depart(&mut self, group: &SessionGroup, activity: &Activity) {
        // Who changes groups so often within one request that the epochs would go round is not waited for in
        // the last of them.
        if self.departures.len() + 1 == Epoch::COUNT {
            return;
        }
        let (epoch, inside) = activity.next_epoch();
        if inside > 0
            && let Some(hold) = GroupHold::new(group)
        {
            self.departures.push(Departure {
                hold,
                epoch,
                inside,
            });
        }
    }

    /// Counts a request that has left against the departures it was inside for: those after it entered, and before it
    /// left.
    fn left(&mut self, activity: &Activity, entered: Epoch, left: Epoch) -> Vec<GroupHold> {
        let now = activity.epoch();
        let since = now.after(left) + 1..=now.after(entered);
        for departure in &mut self.departures {
            if since.contains(&now.after(departure.epoch)) {
                departure.inside -= 1;
            }
        }
        let released = self
            .departures
            .extract_if(.., |departure| departure.inside == 0);
        released.map(|departure| departure.hold).collect()
    }
}

impl WeakSession {
    /// The session, if it still exists: it may have completed.
    pub fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(Session)
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Counted::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("serial", &self.serial_number())
            .field("cause", &self.local().cause())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WeakSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakSession")
    }
}
