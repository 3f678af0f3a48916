//! What a manager's sessions have in common: settings, registries, counters.
//!
//! Sessions keep it; it keeps the active sessions. Completion takes a session out of the registry, which
//! breaks the ring, and the last clone of the manager completes them all.

use std::any::Any;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::builder::Settings;
use crate::cleanups::Cleanups;
use crate::error::CreateError;
use crate::event::{Events, LifecycleEvent, Subject};
use crate::group::SessionGroup;
use crate::id::{GroupId, SessionId};
use crate::ids::Ids;
use crate::life::cause::CompletionCause;
use crate::life::clock::Clock;
use crate::life::eviction::{Eviction, Kind};
use crate::life::expiry::Expiry;
use crate::life::guard::RequestGuard;
use crate::life::ledger::Ledger;
use crate::life::report::CleanupReport;
use crate::owner::OwnerRef;
use crate::properties::wait_graph::WaitGraph;
use crate::registry::Registry;
use crate::session::Session;
use crate::stats::SessionStats;
use crate::sync::runtime::Runtime;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// The states of `Shared::closing`, in the order in which they follow one another.
const OPEN: usize = 0;
const DRAINING: usize = 1;
const CLOSED: usize = 2;

/// Serials start at a random multiple of this, so that those of several runs differ.
const SERIAL_RANGE: u64 = 1 << 32;
/// Serials are below this, so that JavaScript reads them exactly.
const SERIAL_LIMIT: u64 = 1 << 53;

pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) clock: Clock,
    pub(crate) drain_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) lend_timeout: Duration,
    max_sessions: usize,
    pub(crate) state: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) groups: Registry<GroupId, SessionGroup, RandomState>,
    pub(crate) expiry: Arc<Expiry>,
    pub(crate) eviction: Eviction,
    pub(crate) graph: Arc<WaitGraph>,
    /// Cancelled when a shutdown has no more time: whatever cleanups wait for, they wait no longer.
    pub(crate) hurry: CancellationToken,
    pub(crate) events: Events,
    serials: AtomicU64,
    active: AtomicUsize,
    in_cleanup: AtomicUsize,
    created: AtomicU64,
    closing: AtomicUsize,
    pub(crate) cleanups: Cleanups,
}

impl Shared {
    pub(crate) fn new(settings: Settings, runtime: Runtime) -> Self {
        let clock = Clock::new(runtime.clone());
        Self {
            expiry: Arc::new(Expiry::new(
                settings.idle_timeout,
                settings.absolute_timeout,
            )),
            eviction: Eviction::new(settings.when_full),
            clock,
            runtime,
            drain_timeout: settings.drain_timeout,
            close_timeout: settings.close_timeout,
            lend_timeout: settings.lend_timeout,
            max_sessions: settings.max_sessions,
            state: settings.state,
            ids: Arc::new(Ids::new(settings.superseded_for, settings.max_sessions)),
            groups: Registry::new(),
            graph: Arc::new(WaitGraph::new()),
            hurry: CancellationToken::new(),
            events: Events::new(),
            serials: AtomicU64::new(first_serial()),
            active: AtomicUsize::new(0),
            in_cleanup: AtomicUsize::new(0),
            created: AtomicU64::new(0),
            closing: AtomicUsize::new(OPEN),
            cleanups: Cleanups::new(),
        }
    }

    pub(crate) fn next_serial(&self) -> u64 {
        // Relaxed: the numbers only have to differ.
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn new_ledger(&self) -> Ledger {
        Ledger::new(self.runtime.clone(), self.close_timeout)
    }

    pub(crate) fn create(
        self: &Arc<Self>,
        group: Option<&GroupId>,
    ) -> Result<Session, CreateError> {
        // Before the place is taken: it may panic.
        let id = SessionId::random();
        self.reserve(group)?;
        let session = Session::new(self, id);
        self.register(&session, group)?;
        Ok(session)
    }

    /// Creates a session that a request is inside of from the beginning: it is never idle before that.
    pub(crate) fn create_entered(
        self: &Arc<Self>,
        group: Option<&GroupId>,
    ) -> Result<RequestGuard, CreateError> {
        // Before the place is taken: it may panic.
        let id = SessionId::random();
        self.reserve(group)?;
        let session = Session::new(self, id);
        let guard = session.try_enter().ok_or(CreateError::ShuttingDown)?;
        self.register(&session, group)?;
        Ok(guard)
    }

    /// Makes a new session known.
    fn register(&self, session: &Session, group: Option<&GroupId>) -> Result<(), CreateError> {
        // Relaxed: a statistic.
        self.created.fetch_add(1, Ordering::Relaxed);
        session.take_seat(group);
        self.events.deliver();
        tracing::debug!(session = session.serial_number(), "session created");
        // A shutdown looks through the registry after it has said so. A session that is not in there by then has
        // to find that out here.
        if self.is_closing() {
            session.complete(CompletionCause::Shutdown);
            return Err(CreateError::ShuttingDown);
        }
        self.schedule(session, session.id());
        self.eviction.place(session);
        Ok(())
    }

    /// Counts one more active session in, if there is room or room can be made.
    fn reserve(&self, group: Option<&GroupId>) -> Result<(), CreateError> {
        // Relaxed: each counter is exact by itself, and no other memory hangs on it. First of all: what is evicted
        // here may take the last place in cleanup, and has then made room all the same.
        if self.in_cleanup.load(Ordering::Relaxed) >= self.max_sessions {
            return Err(CreateError::Full);
        }
        match self.closing.load(Ordering::SeqCst) {
            OPEN => {}
            DRAINING => return Err(CreateError::Draining),
            _ => return Err(CreateError::ShuttingDown),
        }
        let newcomer = match group {
            Some(_) => Kind::Named,
            None => Kind::Anonymous,
        };
        // The last: room may have come about during the search.
        if self.take_room() || self.eviction.evict(newcomer) || self.take_room() {
            Ok(())
        } else {
            Err(CreateError::Full)
        }
    }

    fn take_room(&self) -> bool {
        let room = |active| (active < self.max_sessions).then_some(active + 1);
        self.active
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok()
    }

    /// Makes the session a member of the named group, founding it if there is none.
    pub(crate) fn admit(self: &Arc<Self>, id: &GroupId, session: &Session) -> SessionGroup {
        // Recorded before any thread can find the group, and end it.
        let found = || {
            let group = SessionGroup::new(self, Some(id.clone()));
            let created = || LifecycleEvent::Created(Subject::of(OwnerRef::Group(&group)));
            self.events.record(created);
            group
        };
        loop {
            let group = self.groups.get_or_insert(id.clone(), found);
            if group.admit(session) {
                return group;
            }
            // It is closed, and about to be taken out: found a new one.
            group.unregister();
        }
    }

    /// Enters the session into the timer.
    pub(crate) fn schedule(&self, session: &Session, id: SessionId) {
        let since = session.local().activity.idle_since();
        let since = since.unwrap_or_else(|_| self.clock.now());
        self.expiry.add(id, self.expiry.due(session, since));
        // After a change of the id the old one is.
        self.expiry.entry_died(self.active());
    }

    /// Moves it from the active ones to those in cleanup; if that `owes` something it will take a task.
    pub(crate) fn completing<R>(
        &self,
        owner: OwnerRef<'_>,
        cause: CompletionCause,
        owes: bool,
        unregister: impl FnOnce() -> R,
    ) -> R {
        // In this order: a shutdown finds it in the one place or in the other, and there is room for a new one
        // once this one is gone.
        let is_session = matches!(owner, OwnerRef::Session(_));
        if is_session {
            self.in_cleanup.fetch_add(1, Ordering::Relaxed);
        }
        if owes {
            self.cleanups.begin(owner);
        }
        let unregistered = unregister();
        if let OwnerRef::Session(session) = owner {
            // The place of an evicted one goes to the session that it makes room for.
            if cause != CompletionCause::Evicted {
                self.active.fetch_sub(1, Ordering::Relaxed);
            }
            // After that: a search that does not find it any more finds its room.
            self.eviction.remove(session);
            self.expiry.entry_died(self.active());
        }
        unregistered
    }

    pub(crate) fn completed(&self, owner: OwnerRef<'_>, cause: CompletionCause) {
        if let OwnerRef::Session(session) = owner {
            tracing::debug!(session = session.serial_number(), %cause, "session completed");
        }
        self.emit(|| LifecycleEvent::Completed(Subject::of(owner), cause));
    }

    pub(crate) fn cleaned_up(&self, owner: OwnerRef<'_>, report: &CleanupReport) {
        if matches!(owner, OwnerRef::Session(_)) {
            // Release, for `is_cleaning_up`.
            self.in_cleanup.fetch_sub(1, Ordering::Release);
        }
        self.cleanups.end(owner, report);
    }

    /// Tells of something, outside all locks.
    pub(crate) fn emit(&self, event: impl FnOnce() -> LifecycleEvent) {
        self.events.record(event);
        self.events.deliver();
    }

    pub(crate) fn is_closing(&self) -> bool {
        // SeqCst, as in `close`: of a creation and a shutdown at the same time, one sees the other. With
        // less, a session could be registered after the look through the registry and live on.
        self.closing.load(Ordering::SeqCst) == CLOSED
    }

    /// From now on no session is created.
    pub(crate) fn drain(&self) {
        self.closing.fetch_max(DRAINING, Ordering::SeqCst);
    }

    /// From now on no session is created. Returns those that are active.
    pub(crate) fn close(&self) -> Vec<Session> {
        self.closing.store(CLOSED, Ordering::SeqCst);
        self.sessions()
    }

    #[inline]
    pub(crate) fn find(&self, id: &SessionId) -> Option<Session> {
        self.ids.get(id)
    }

    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.ids.sessions()
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self) -> SessionStats {
        SessionStats {
            active: self.active(),
            in_cleanup: self.in_cleanup.load(Ordering::Relaxed),
            groups: self.groups.len(),
            created: self.created.load(Ordering::Relaxed),
        }
    }

    /// Is any session or group between its completion and the end of its cleanup?
    pub(crate) fn is_cleaning_up(&self) -> bool {
        // The sessions first, with Acquire: the last step of one may be to begin the cleanup of its group, and
        // who sees the session done has to see that.
        if self.in_cleanup.load(Ordering::Acquire) > 0 {
            return true;
        }
        self.cleanups.are_under_way()
    }
}

fn first_serial() -> u64 {
    let mut bytes = [0; 8];
    // Serials are no secret: without random bits they start at zero.
    let _ = getrandom::fill(&mut bytes);
    let ranges = SERIAL_LIMIT / SERIAL_RANGE;
    u64::from_ne_bytes(bytes) % ranges * SERIAL_RANGE
}
