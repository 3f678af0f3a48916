//! The shared parts of the models: a world of sessions, threads that race in it, values that count, and exploration.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use crate::error::{CreateError, RekeyError};
use crate::id::GroupId;
use crate::id::session_key::SessionKey;
use crate::life::activity::Activity;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::life::env::Env;
use crate::life::state::{State, Used};
use crate::manager::create;
use crate::sessions::guard::RequestGuard;
use crate::sessions::session::Sessions;
use crate::sessions::session::{Session, WeakSession};
use crate::settings::{Settings, WhenFull};
use crate::sync::point;
use crate::sync::runtime::Runtime;
use crate::{Exclusive, InitContext, Property, SessionProperties};

// ===== exploration =====

/// Runs the model under random schedules of two kinds.
pub(super) fn explore(model: fn()) {
    // All models together then take about a minute.
    let tries = std::env::var("SESSION_MODEL_ITERATIONS").map_or(30_000, |tries| {
        tries.parse().expect("SESSION_MODEL_ITERATIONS is a number")
    });
    let explored = run("random", RandomScheduler::new(tries), model)
        + run("PCT", PctScheduler::new(3, tries), model);
    println!("explored {explored} schedules");
}

/// Runs the model under all possible schedules. Random ones come first, since they find most failures sooner.
pub(super) fn exhaust(model: fn()) {
    explore(model);
    let explored = run("DFS", DfsScheduler::new(None, false), model);
    println!("explored all {explored} schedules");
}

fn run(name: &'static str, scheduler: impl Scheduler + 'static, model: fn()) -> usize {
    let mut config = Config::new();
    // The core's frames need more than shuttle's usual stack. A run of this many steps is endless.
    config.stack_size = 0x4_0000;
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    let tried = Tried {
        name,
        count: Arc::default(),
    };
    let count = tried.count.clone();
    Runner::new(scheduler, config).run(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    })
}

/// Prints how many schedules it took to find a failure.
struct Tried {
    name: &'static str,
    count: Arc<AtomicUsize>,
}

impl Drop for Tried {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let count = self.count.load(Ordering::Relaxed);
            println!("failed at schedule {count} of {}", self.name);
        }
    }
}

// ===== the world of one schedule =====

pub(super) struct World {
    pub(super) sessions: Arc<Sessions>,
    pub(super) tally: Tally,
    /// The sessions that were created.
    made: Mutex<Vec<WeakSession>>,
}

pub(super) type Thread<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs these closures at the same time, until all have ended. The runtime's tasks run beside them.
macro_rules! race {
    ($($thread:expr),+ $(,)?) => {
        $crate::models::harness::run_threads(vec![
            $(Box::new($thread) as $crate::models::harness::Thread<'_>),+
        ])
    };
}
pub(super) use race;

pub(super) fn run_threads(threads: Vec<Thread<'_>>) {
    shuttle::thread::scope(|scope| {
        for thread in threads {
            scope.spawn(thread);
        }
    });
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let tally = Tally::default();
        let mut settings = Settings {
            idle_timeout: Duration::from_secs(10),
            absolute_timeout: Duration::from_secs(3600),
            unconfirmed_timeout: None,
            drain_timeout: Duration::from_secs(1),
            close_timeout: Duration::from_secs(1),
            lend_timeout: Duration::from_secs(1),
            superseded_for: Duration::from_secs(30),
            max_sessions: 10,
            when_full: WhenFull::Reject,
            group_linger: Duration::ZERO,
            max_per_group: None,
            state: Some(Arc::new(tally.clone())),
        };
        change(&mut settings);
        let env = Arc::new(Env::new(settings, Runtime::new()));
        let sessions = Arc::new(Sessions::new(env));
        Self {
            sessions,
            tally,
            made: Mutex::default(),
        }
    }

    pub(super) fn session(&self) -> Session {
        self.create(None)
    }

    pub(super) fn session_in(&self, group: &GroupId) -> Session {
        self.create(Some(group))
    }

    fn create(&self, group: Option<&GroupId>) -> Session {
        let session = create::create(&self.sessions, group).expect("there is room");
        let mut made = self.made.lock().expect("no panic before this");
        made.push(session.downgrade());
        session
    }

    pub(super) fn try_create(&self, group: Option<&GroupId>) -> Result<Session, CreateError> {
        create::create(&self.sessions, group)
    }

    pub(super) fn keyed(&self, key: &SessionKey) -> Result<Session, CreateError> {
        create::get_or_create_keyed(
            &self.sessions,
            self.sessions.keys.hash(key),
            Session::if_active,
        )
        .map(|(session, _)| session)
    }

    pub(super) fn rekey(
        &self,
        old: &SessionKey,
        new: Option<&SessionKey>,
    ) -> Result<Option<Session>, RekeyError> {
        let hash = |key| self.sessions.keys.hash(key);
        self.sessions.rekey(hash(old), new.map(hash))
    }

    pub(super) fn enter_keyed(&self, key: &SessionKey) -> Result<RequestGuard, CreateError> {
        create::get_or_create_keyed(
            &self.sessions,
            self.sessions.keys.hash(key),
            Session::try_enter_by_name,
        )
        .map(|(guard, _)| guard)
    }

    pub(super) fn create_entered(
        &self,
        group: Option<&GroupId>,
    ) -> Result<RequestGuard, CreateError> {
        create::create_entered(&self.sessions, group)
    }

    /// Whether no session can be evicted.
    pub(super) fn is_order_empty(&self) -> bool {
        let idle = self.sessions.idle.as_ref();
        idle.is_none_or(|idle| idle.order.lock().is_empty())
    }

    /// Ends the remaining sessions. Asserts that nothing is left of any session, and that every value was closed once.
    pub(super) fn end(&self) {
        self.sessions.groups.end_all_lingering();
        for session in self.sessions.all() {
            assert!(session.local().cause().is_none(), "registered, but ended");
            session.complete(CompletionCause::Shutdown);
        }
        self.sessions.env.runtime.settle();
        let sessions = &self.sessions;
        let in_cleanup = sessions.in_cleanup.load(crate::sync::Ordering::Relaxed);
        assert_eq!(
            (sessions.active(), in_cleanup, sessions.groups.len()),
            (0, 0, 0)
        );
        assert!(!sessions.are_cleaning_up());
        assert!(sessions.keys.slots.live().is_empty());
        assert!(self.is_order_empty());
        assert_eq!(self.tally.closed(), self.tally.made());
        assert_eq!(self.tally.dropped(), self.tally.made());
        let made = self.made.lock().expect("no panic before this");
        for session in made.iter().filter_map(WeakSession::upgrade) {
            let state = session.local().lock();
            let empty = state.used().is_none_or(Used::is_report) && state.sets().next().is_none();
            assert!(empty, "an ended session keeps more than its report");
        }
    }
}

/// Ends the session by idleness unless there was activity after `limit`. Returns whether this call did so.
pub(super) fn end_if_idle(session: &Session, limit: Ticks) -> bool {
    let mark = |activity: &Activity, state: &mut State| activity.complete_if_idle(state, limit);
    let ended = session.complete_if(CompletionCause::IdleTimeout, mark);
    ended.is_ok()
}

/// Polls once, with a waker that does nothing.
pub(super) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A step between two polls.
pub(super) async fn step() {
    let mut stepped = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            Poll::Ready(())
        } else {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

// ===== values =====

/// The numbers of values that were created, closed by their hook, and dropped.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    closed: AtomicUsize,
    dropped: AtomicUsize,
}

/// A value that counts.
pub(super) struct Probe {
    tally: Tally,
    /// The value is closed by a hook, and not by its drop alone.
    hooked: bool,
}

impl Tally {
    pub(super) fn make(&self) -> Probe {
        self.0.made.fetch_add(1, Ordering::Relaxed);
        Probe {
            tally: self.clone(),
            hooked: true,
        }
    }

    pub(super) fn make_plain(&self) -> Probe {
        let mut probe = self.make();
        probe.hooked = false;
        probe
    }

    pub(super) fn made(&self) -> usize {
        self.0.made.load(Ordering::Relaxed)
    }

    pub(super) fn closed(&self) -> usize {
        self.0.closed.load(Ordering::Relaxed)
    }

    pub(super) fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Probe {
    fn count_closed(&self) {
        self.tally.0.closed.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the value back from the place where it would have been closed.
    pub(super) fn take_back(mut self) {
        self.hooked = false;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        point();
        if !self.hooked {
            self.count_closed();
        }
        self.tally.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn close(probe: Probe) {
    point();
    probe.count_closed();
    drop(probe);
}

pub(super) async fn close_later(probe: Probe) {
    step().await;
    probe.count_closed();
}

/// A set with a cell of each kind.
#[derive(SessionProperties)]
#[session(state = Tally, crate = crate)]
pub(super) struct Desk {
    #[property(init = make, close = close)]
    pub(super) here: Property<Probe>,
    #[property(async_init = make_later, close = close_later)]
    pub(super) elsewhere: Property<Probe>,
    #[property(async_init = make_later, close = close)]
    pub(super) lent: Exclusive<Probe>,
    #[property(init = make, close = close_later)]
    pub(super) lent_here: Exclusive<Probe>,
}

fn make(cx: &InitContext<Tally>) -> Probe {
    point();
    cx.state().make()
}

async fn make_later(cx: &InitContext<Tally>) -> Probe {
    step().await;
    cx.state().make()
}
