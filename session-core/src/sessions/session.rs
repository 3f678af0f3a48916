//! Sessions, and the parts that all sessions of a manager share.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::id::SessionId;
use crate::life::activity::{Activity, Alive};
use crate::life::cause::{CompletionCause, Ending};
use crate::life::clock::Ticks;
use crate::life::env::Env;
use crate::life::event::Subject;
use crate::life::lifecycle::{self, Completion};
use crate::life::owner::{AnyLocal, AsOwner, Local, Owner, OwnerRef};
use crate::life::state::State;
use crate::sessions::deadlines::Deadlines;
use crate::sessions::group::{Groups, SessionGroup};
use crate::sessions::idle_order::{IdleOrder, Kind, Place};
use crate::sessions::ids::Ids;
use crate::sessions::keys::Keys;
use crate::sessions::places::Places;
use crate::sessions::record::Record;
use crate::sessions::seat::Seat;
use crate::sessions::tag::Tag;
use crate::settings::WhenFull;
use crate::sync::{AtomicU64, AtomicUsize, Counted, Mutex, MutexGuard, Ordering, WeakCounted};

/// The states of `Sessions::closing`, in the order in which they follow each other.
pub(crate) const OPEN: usize = 0;
pub(crate) const DRAINING: usize = 1;
pub(crate) const CLOSED: usize = 2;

/// The sessions of a manager: registries, deadlines, counters.
///
/// Sessions keep it alive, and it keeps the active sessions alive. Completion takes a session out of the registry,
/// which breaks the reference cycle, and dropping the last clone of the manager completes them all.
pub(crate) struct Sessions {
    pub(crate) env: Arc<Env>,
    pub(crate) ids: Arc<Ids<SessionId, Session>>,
    pub(crate) keys: Keys<Session>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) deadlines: Arc<Deadlines>,
    /// `None` if sessions are not evicted.
    pub(crate) idle: Option<Idle>,
    pub(crate) places: Places,
    pub(crate) in_cleanup: AtomicUsize,
    pub(crate) created: AtomicU64,
    pub(crate) closing: AtomicUsize,
    pub(crate) tag: Tag,
}

/// The idle sessions, of which one may be evicted.
pub(crate) struct Idle {
    /// Held by the thread that searches. The first in the lock order.
    pub(crate) search: Mutex<()>,
    /// A leaf in the lock order.
    pub(crate) order: Mutex<IdleOrder<Session>>,
}

impl Sessions {
    pub(crate) fn new(env: Arc<Env>) -> Self {
        let settings = &env.settings;
        let idle = || Idle {
            search: Mutex::new(()),
            order: Mutex::new(IdleOrder::new()),
        };
        Self {
            ids: Arc::new(Ids::new(settings.superseded_for, settings.max_sessions)),
            keys: Keys::new(settings.superseded_for, settings.max_sessions),
            deadlines: Arc::new(Deadlines::new(
                settings.idle_timeout,
                settings.absolute_timeout,
                settings.unconfirmed_timeout,
            )),
            idle: (settings.when_full == WhenFull::EvictIdlest).then(idle),
            places: Places::new(),
            in_cleanup: AtomicUsize::new(0),
            created: AtomicU64::new(0),
            closing: AtomicUsize::new(OPEN),
            tag: Tag::none(),
            groups: Arc::new(Groups::new(env.clone())),
            env,
        }
    }

    pub(crate) fn active(&self) -> usize {
        self.places.taken()
    }

    /// Lets no more sessions be created.
    pub(crate) fn close(&self, closing: usize) {
        self.closing.fetch_max(closing, Ordering::SeqCst);
        self.places.close();
    }

    /// Whether no session is active, or ever will be, and none is being cleaned up.
    pub(crate) fn are_drained(&self) -> bool {
        self.places.are_drained() && !self.are_cleaning_up()
    }

    pub(crate) fn is_closing(&self) -> bool {
        // SeqCst, as in `close`: when a creation and a shutdown race, one of them sees the other. With a weaker
        // ordering, a session could be registered after the shutdown has read the registry, and live on.
        self.closing.load(Ordering::SeqCst) == CLOSED
    }

    /// The active sessions, in no order; one whose id changes meanwhile may be missing.
    pub(crate) fn all(&self) -> Vec<Session> {
        let mut sessions = self.ids.live();
        // Such a session may be listed under both ids.
        let mut seen = HashSet::with_capacity(sessions.len());
        sessions.retain(|session| seen.insert(session.local().serial));
        sessions
    }

    /// Whether a session or group is between its completion and the end of its cleanup.
    pub(crate) fn are_cleaning_up(&self) -> bool {
        // Read the sessions first, with Acquire: the last step of a session may begin the cleanup of its group, and a
        // caller that sees the session done has to see that.
        self.in_cleanup.load(Ordering::Acquire) > 0 || self.env.cleanups.are_under_way()
    }

    /// Adds the session to the timer.
    pub(crate) fn schedule(&self, session: &Session, id: SessionId) {
        if let Some(due) = session.due(self.env.clock.past()) {
            self.deadlines.add(id, due);
        }
        // After a change of the id, the old id's entry is dead.
        self.deadlines.entry_died(self.active());
    }

    /// Puts the session into the order of idle sessions, or parks it if it is active. A parked session is placed when
    /// its activity ends.
    pub(crate) fn place(&self, session: &Session) {
        let Some(idle) = &self.idle else { return };
        let kind = session.kind();
        let mut order = idle.order.lock();
        // Under the lock: a completion either removes the entry or is seen here.
        if let Err(Alive::Since(since)) = session.local().activity.park() {
            let session = session.clone();
            let place = Place {
                session,
                since,
                kind,
            };
            let replaced = order.insert(place.session.local().serial, place);
            drop(order);
            drop(replaced);
        }
    }

    /// Removes the session with this serial from the order.
    pub(crate) fn displace(&self, serial: u64) {
        let Some(idle) = &self.idle else { return };
        let displaced = idle.order.lock().remove(serial);
        drop(displaced);
    }
}

/// The session that one visitor's requests share, in this process, while it is active.
///
/// This is a handle: it is cheap to clone, and dropping it ends nothing. Its other methods are in
/// [`LocalSession`](crate::LocalSession), the trait it shares with [`SessionGroup`].
#[derive(Clone)]
pub struct Session(Counted<Inner>);

/// A handle that keeps nothing alive: see [`Session::downgrade`].
#[derive(Clone)]
pub struct WeakSession(WeakCounted<Inner>);

/// The fields that every request reads come first, beside the counts: with many sessions each cache line is a miss.
#[repr(C)]
struct Inner {
    local: Local,
    record: Record,
    sessions: Arc<Sessions>,
    seat: Mutex<Seat>,
}

impl Session {
    pub(crate) fn new(sessions: &Arc<Sessions>, id: SessionId) -> Self {
        let created = sessions.env.clock.now();
        Self(Counted::new(Inner {
            local: Local::new(sessions.env.clone(), created),
            record: Record::new(created),
            sessions: sessions.clone(),
            seat: Mutex::new(Seat::new(id)),
        }))
    }

    /// Returns the session, if the owner is one.
    pub(crate) fn of(owner: Owner) -> Option<Self> {
        owner.downcast().map(Self)
    }

    #[inline]
    pub(crate) fn local(&self) -> &Local {
        &self.0.local
    }

    pub(crate) fn sessions(&self) -> &Arc<Sessions> {
        &self.0.sessions
    }

    pub(crate) fn seat(&self) -> MutexGuard<'_, Seat> {
        self.0.seat.lock()
    }

    /// Returns the current id. [`cycle_id`](Self::cycle_id) changes it.
    pub fn id(&self) -> SessionId {
        self.seat().id
    }

    /// Returns the time since the session was created.
    pub fn age(&self) -> Duration {
        self.local().env.clock.past().since(self.created())
    }

    pub(crate) fn created(&self) -> Ticks {
        self.0.record.created()
    }

    #[inline]
    pub(crate) fn record(&self) -> &Record {
        &self.0.record
    }

    /// Whether the application named its group.
    pub(crate) fn kind(&self) -> Kind {
        match self.seat().group.as_ref().and_then(SessionGroup::id) {
            Some(_) => Kind::Named,
            None => Kind::Anonymous,
        }
    }

    /// Returns a handle that keeps nothing alive.
    pub fn downgrade(&self) -> WeakSession {
        WeakSession(Counted::downgrade(&self.0))
    }

    /// Waits until the step of completion that has begun is done. The session's id is dead then.
    #[cold]
    pub(crate) fn await_completion(&self) {
        drop(self.local().lock());
    }

    /// Completes the session. Returns whether this call did so.
    pub(crate) fn complete(&self, ending: impl Into<Ending>) -> bool {
        lifecycle::complete(self.as_owner(), ending)
    }

    /// Completes the session if `mark` does so.
    pub(crate) fn complete_if(
        &self,
        cause: CompletionCause,
        mark: impl FnOnce(&Activity, &mut State) -> Result<(), Alive>,
    ) -> Result<(), Alive> {
        let begun = lifecycle::begin(self.as_owner(), cause, mark, |state| {
            self.0.unregister(state);
        });
        let ((), completion) = begun?;
        completion.carry_out(self.as_owner());
        Ok(())
    }

    /// The step of eviction, if the session is still of this kind and there was no activity after `limit`. Its place
    /// among the active ones goes to the session that it makes room for.
    pub(crate) fn evict(&self, limit: Ticks, kind: Kind) -> Result<Completion, Alive> {
        let mark = |activity: &Activity, state: &mut State| {
            if self.kind() != kind {
                return Err(Alive::Active);
            }
            activity.complete_if_idle(state, limit)
        };
        let unregister = |state: &mut State| {
            let ids = &self.0.sessions.ids;
            self.0.leave_registry(|id| ids.remove(id));
            self.0.is_out(state);
        };
        let cause = CompletionCause::Evicted;
        let begun = lifecycle::begin(self.as_owner(), cause, mark, unregister);
        begun.map(|((), completion)| completion)
    }

    /// Takes the session out of the registries as its id is superseded.
    pub(crate) fn unregister_by<R>(
        &self,
        locked: &mut State,
        supersede: impl FnOnce(&SessionId) -> R,
    ) -> R {
        let superseded = self.0.leave_registry(supersede);
        self.sessions().places.free();
        self.0.is_out(locked);
        superseded
    }
}

impl Inner {
    /// Only a registered session is completed: it is registered under the lock that guards completion, before it has
    /// another holder than its creator.
    fn leave_registry<R>(&self, remove: impl FnOnce(&SessionId) -> R) -> R {
        // In this order, so that a shutdown finds the session in one place or the other.
        self.sessions.in_cleanup.fetch_add(1, Ordering::Relaxed);
        let seat = self.seat.lock();
        if let Some(group) = &seat.group {
            group.has_completed(self.local.serial);
        }
        remove(&seat.id)
    }

    /// Called after its place is free, so that a search that no longer finds the session finds its room, and so does a
    /// caller that finds its key free.
    fn is_out(&self, locked: &mut State) {
        if let Some(key) = locked.take_key() {
            self.sessions.keys.slots.remove(&key);
        }
        self.sessions.displace(self.local.serial);
        self.sessions.deadlines.entry_died(self.sessions.active());
    }
}

impl AnyLocal for Inner {
    fn local(&self) -> &Local {
        &self.local
    }

    fn subject(&self) -> Subject {
        Subject::Session(self.local.serial)
    }

    fn unregister(&self, locked: &mut State) {
        self.leave_registry(|id| self.sessions.ids.remove(id));
        self.sessions.places.free();
        self.is_out(locked);
    }

    fn leave(&self) -> Option<(Owner, Ending)> {
        let seat = self.seat.lock();
        let group = seat.group.as_ref()?;
        let (group, ending) = group.release(self.local.serial)?;
        Some((group.as_owner().to_owner(), ending))
    }

    fn cleaned_up(&self) {
        // Release, for `are_cleaning_up`.
        self.sessions.in_cleanup.fetch_sub(1, Ordering::Release);
    }
}

impl AsOwner for Session {
    #[inline]
    fn as_owner(&self) -> OwnerRef<'_> {
        OwnerRef::new(&self.0)
    }

    fn end(&self, ending: Ending) {
        self.complete(ending);
    }
}

impl WeakSession {
    /// Returns the session, if it still exists. It may have completed.
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
            .field("serial", &self.local().serial)
            .field("cause", &self.local().cause())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WeakSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakSession")
    }
}
