//! Row 26: a value that has gone bad is discarded, and the line of callers goes on with a new one.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use allocation_counter::measure;
use futures_util::FutureExt as _;
use session_core::{
    Exclusive, ExclusiveGuard, InitContext, LocalSession, Property, PropertyError, PropertyState,
    Props, Refused, Session, SessionManager, SessionProperties, Trouble,
};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::kit::{Log, Tell, Watch, builder, problems, settle, threads};
use crate::thread::block_on;

use PropertyState::{Absent, BeingClosed, BeingCreated, Present};

const LEND_TIMEOUT: Duration = Duration::from_secs(7);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How an initializer or a hook goes.
#[derive(Clone, Copy)]
enum Course {
    Takes(u64),
    Fails,
    FailsAfter(u64),
    Panics,
    Hangs,
}
use Course::{Fails, FailsAfter, Hangs, Panics, Takes};

impl Course {
    async fn run(self) -> Result<(), &'static str> {
        match self {
            Takes(0) => Ok(()),
            Takes(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                Ok(())
            }
            Fails => Err("as asked for"),
            FailsAfter(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                Err("as asked for")
            }
            Panics => panic!("as asked for"),
            Hangs => std::future::pending().await,
        }
    }
}

#[derive(Clone, Default)]
struct App {
    log: Log,
    opens: Arc<Mutex<VecDeque<Course>>>,
    closes: Arc<Mutex<VecDeque<Course>>>,
    opened: Arc<Mutex<u32>>,
}

impl App {
    /// The next initializers and hooks go like this, later ones take no time.
    fn next(&self, opens: &[Course], closes: &[Course]) {
        self.opens.lock().unwrap().extend(opens);
        self.closes.lock().unwrap().extend(closes);
    }

    fn open(&self) -> Connection {
        let mut number = self.opened.lock().unwrap();
        *number += 1;
        self.log.add(format!("opened {number}"));
        Connection {
            number: *number,
            app: self.clone(),
        }
    }

    fn log(&self) -> Vec<String> {
        self.log.entries()
    }
}

fn next(courses: &Mutex<VecDeque<Course>>) -> Course {
    courses.lock().unwrap().pop_front().unwrap_or(Takes(0))
}

struct Connection {
    number: u32,
    app: App,
}

async fn open(cx: &InitContext<App>) -> Result<Connection, &'static str> {
    next(&cx.state().opens).run().await?;
    Ok(cx.state().open())
}

fn open_here(cx: &InitContext<App>) -> Result<Connection, &'static str> {
    match next(&cx.state().opens) {
        Fails => Err("as asked for"),
        _ => Ok(cx.state().open()),
    }
}

async fn close(connection: Connection) -> Result<(), &'static str> {
    let Connection { number, app } = connection;
    app.log.add(format!("closing {number}"));
    next(&app.closes).run().await?;
    app.log.add(format!("closed {number}"));
    Ok(())
}

fn close_here(connection: Connection) {
    let Connection { number, app } = connection;
    app.log.add(format!("closed {number}"));
}

#[derive(SessionProperties)]
#[session(state = App)]
struct Bench {
    #[property(try_async_init = open, close = close)]
    connection: Exclusive<Connection>,
    #[property(try_init = open_here, close = close_here)]
    here: Exclusive<Connection>,
    #[property(init = |cx: &InitContext<App>| cx.state().log.tell("other dropped"))]
    other: Property<Tell>,
    #[property(default)]
    count: Exclusive<u32>,
    #[property(init = || String::from("a text"))]
    text: Exclusive<String>,
    by_hand: Exclusive<Tell>,
    #[property(try_async_init = asks_for_itself, close = |_: u32| ())]
    selfish: Exclusive<u32>,
    #[property(try_async_init = needs_crossed)]
    needs_crossed: Property<u32>,
    #[property(try_async_init = crossed, close = |_: u32| ())]
    crossed: Exclusive<u32>,
}

/// The second time it asks for itself.
async fn asks_for_itself(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let first = *cx.state().opened.lock().unwrap() == 0;
    *cx.state().opened.lock().unwrap() += 1;
    if first {
        return Ok(1);
    }
    let bench = cx.session().props::<Bench>().unwrap();
    bench.selfish().await.map(|value| *value)
}

async fn needs_crossed(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let bench = cx.session().props::<Bench>().unwrap();
    bench.crossed().await.map(|value| *value)
}

/// The second time it needs a property whose initializer is waiting in line for this one.
async fn crossed(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let first = *cx.state().opened.lock().unwrap() == 0;
    *cx.state().opened.lock().unwrap() += 1;
    if first {
        return Ok(1);
    }
    let bench = cx.session().props::<Bench>().unwrap();
    bench.needs_crossed().await.map(|value| **value)
}

type World = (SessionManager, Session, Props<Bench>, App);

fn world() -> World {
    let app = App::default();
    let sessions = builder()
        .lend_timeout(LEND_TIMEOUT)
        .close_timeout(CLOSE_TIMEOUT)
        .state(app.clone())
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let bench = session.props().unwrap();
    (sessions, session, bench, app)
}

/// The state of the property `name` in a listing.
fn state(session: &Session, name: &str) -> PropertyState {
    let list = session.properties().list();
    let info = list.iter().find(|info| info.name() == name).unwrap();
    assert_eq!(info.age().is_some(), info.state() == Present);
    info.state()
}

type Lent = Result<u32, PropertyError>;

/// A task that asks for the connection, and adds its number to the log when it has it.
fn ask(bench: &Props<Bench>, app: &App, number: usize) -> JoinHandle<Lent> {
    let (bench, log) = (bench.clone(), app.log.clone());
    tokio::spawn(async move {
        let connection = bench.connection().await?;
        log.add(format!("lent to {number}"));
        Ok(connection.number)
    })
}

#[tokio::test(start_paused = true)]
async fn r26_a_discard_takes_effect_when_called() {
    let (_sessions, session, bench, app) = world();
    app.next(&[], &[Takes(3)]);
    let connection = bench.connection().await.unwrap();
    drop(connection.discard());
    assert_eq!(state(&session, "connection"), BeingClosed);
    assert!(bench.connection.try_lock().is_none());
    assert!(format!("{:?}", bench.connection).ends_with("(being closed)"));
    let watch = Watch::start();
    assert_eq!(bench.connection().await.unwrap().number, 2);
    assert_eq!(watch.millis(), 3_000);
    assert_eq!(app.log(), ["opened 1", "closing 1", "closed 1", "opened 2"]);
}

#[tokio::test(start_paused = true)]
async fn r26_the_line_keeps_its_order_and_no_second_value_is_made_before_the_first_is_closed() {
    let (_sessions, session, bench, app) = world();
    app.next(&[Takes(0), Takes(1)], &[Takes(3)]);
    let connection = bench.connection().await.unwrap();
    let waiting: Vec<_> = (0..200).map(|number| ask(&bench, &app, number)).collect();
    settle().await;
    let discarded = tokio::spawn(connection.discard());
    settle().await;
    // The discarder and the first in line hang up, the one after it in the middle of the creation.
    discarded.abort();
    waiting[0].abort();
    sleep(Duration::from_millis(3_500)).await;
    assert_eq!(state(&session, "connection"), BeingCreated);
    waiting[1].abort();
    let mut lent = Vec::new();
    for waiting in waiting.into_iter().skip(2) {
        lent.push(waiting.await.unwrap().unwrap());
    }
    assert!(lent.iter().all(|number| *number == 2));
    let mut expected = vec!["opened 1", "closing 1", "closed 1", "opened 2"];
    let order: Vec<_> = (2..200).map(|number| format!("lent to {number}")).collect();
    expected.extend(order.iter().map(String::as_str));
    assert_eq!(app.log(), expected);
}

#[tokio::test(start_paused = true)]
async fn r26_listings_say_being_closed_and_then_being_created() {
    let (_sessions, session, bench, app) = world();
    assert_eq!(state(&session, "connection"), Absent);
    app.next(&[Takes(0), Takes(2)], &[Takes(2)]);
    let connection = bench.connection().await.unwrap();
    assert_eq!(state(&session, "connection"), Present);
    let closed = connection.discard();
    assert_eq!(state(&session, "connection"), BeingClosed);
    closed.await.unwrap();
    assert_eq!(state(&session, "connection"), Absent);
    let waiting = ask(&bench, &app, 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(state(&session, "connection"), BeingCreated);
    assert!(bench.connection.try_lock().is_none());
    waiting.await.unwrap().unwrap();
    assert_eq!(state(&session, "connection"), Present);
}

#[tokio::test(start_paused = true)]
async fn r26_the_future_says_how_the_hook_ended() {
    let (_sessions, _session, bench, app) = world();
    app.next(&[], &[Takes(2), Fails, Panics, Hangs]);
    let failed = Trouble::Failed("\"as asked for\"".into());
    let panicked = Trouble::Panicked("as asked for".into());
    let outcomes = [
        (Ok(()), 2_000),
        (Err(failed), 0),
        (Err(panicked), 0),
        (Err(Trouble::TimedOut), 5_000),
    ];
    for (number, (outcome, millis)) in (1..).zip(outcomes) {
        let connection = bench.connection().await.unwrap();
        assert_eq!(
            connection.number, number,
            "a bad end does not keep the next from being made"
        );
        let watch = Watch::start();
        assert_eq!(connection.discard().await, outcome);
        assert_eq!(watch.millis(), millis);
    }
}

#[tokio::test(start_paused = true)]
async fn r26_the_new_value_is_published_last() {
    let (_sessions, session, bench, app) = world();
    bench.here().await.unwrap().discard().await.unwrap();
    bench.other().unwrap();
    assert_eq!(bench.here().await.unwrap().number, 2);
    drop(bench);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), report.is_clean()), (2, true));
    let log = app.log();
    assert_eq!(
        log,
        [
            "opened 1",
            "closed 1",
            "opened 2",
            "closed 2",
            "other dropped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn r26_the_lend_timeout_of_callers_in_line_runs_on() {
    let (_sessions, _session, bench, app) = world();
    app.next(&[Takes(0), Takes(4)], &[Takes(4)]);
    let connection = bench.connection().await.unwrap();
    let watch = Watch::start();
    let (first, second) = (ask(&bench, &app, 1), ask(&bench, &app, 2));
    settle().await;
    drop(connection.discard());
    assert!(matches!(second.await.unwrap(), Err(PropertyError::Busy)));
    assert_eq!(watch.millis(), LEND_TIMEOUT.as_millis());
    // The first has come to its turn: it waits for its initializer.
    assert_eq!(first.await.unwrap().unwrap(), 2);
    assert_eq!(watch.millis(), 8_000);

    app.next(&[], &[Hangs, Takes(0)]);
    let connection = bench.connection().await.unwrap();
    let waiting = ask(&bench, &app, 3);
    sleep(Duration::from_secs(3)).await;
    drop(connection.discard());
    assert!(matches!(waiting.await.unwrap(), Err(PropertyError::Busy)));
    assert_eq!(watch.millis(), 15_000);
}

#[tokio::test(start_paused = true)]
async fn r26_a_caller_that_comes_while_a_new_value_is_made_waits_for_its_initializer() {
    let (_sessions, _session, bench, app) = world();
    for (course, is_lent) in [(Takes(10), true), (FailsAfter(10), false)] {
        let connection = bench.connection().await.unwrap();
        app.next(&[course], &[Takes(1)]);
        let first = ask(&bench, &app, 1);
        settle().await;
        drop(connection.discard());
        sleep(Duration::from_secs(2)).await;
        // For longer than the lend timeout.
        let watch = Watch::start();
        let late = ask(&bench, &app, 2);
        assert_eq!(late.await.unwrap().is_ok(), is_lent);
        assert_eq!(watch.millis(), 9_000);
        assert_eq!(first.await.unwrap().is_ok(), is_lent);
    }
}

#[tokio::test(start_paused = true)]
async fn r26_a_failure_reaches_all_in_line_and_later_callers_try_again() {
    let (_sessions, session, bench, app) = world();
    let is_failure = |lent: &Lent| {
        let error = lent.as_ref().unwrap_err();
        matches!(error, PropertyError::Failed(cause) if cause.to_string() == "as asked for")
    };
    for before_it_fails in [0, 1] {
        app.next(&[Takes(0), Fails], &[Takes(before_it_fails)]);
        let connection = bench.connection().await.unwrap();
        let waiting: Vec<_> = (0..5).map(|number| ask(&bench, &app, number)).collect();
        settle().await;
        drop(connection.discard());
        for waiting in waiting {
            assert!(is_failure(&waiting.await.unwrap()));
        }
        assert_eq!(state(&session, "connection"), Absent);
    }
    assert_eq!(bench.connection().await.unwrap().number, 3);

    // An initializer that is not async does not let the others run before it fails.
    app.next(&[Takes(0), Fails], &[]);
    let here = bench.here().await.unwrap();
    let ask = || {
        bench
            .here()
            .map(|lent| lent.map(|connection| connection.number))
    };
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(ask())).collect();
    for waiting in &mut waiting {
        assert!(waiting.now_or_never().is_none());
    }
    here.discard().await.unwrap();
    for waiting in waiting {
        assert!(is_failure(&waiting.await));
    }
    assert_eq!(bench.here().await.unwrap().number, 5);
}

#[tokio::test(start_paused = true)]
async fn r26_an_initializer_that_needs_itself_is_a_cycle() {
    let (_sessions, _session, bench, _app) = world();
    let is_cycle = |error: PropertyError| {
        let cause = error.downcast_ref::<PropertyError>().cloned();
        matches!(cause, Some(PropertyError::Cycle))
    };
    bench.selfish().await.unwrap().discard().await.unwrap();
    assert!(is_cycle(bench.selfish().await.unwrap_err()));

    // With the value lent, its waiting in line is no cycle yet.
    let (_sessions, _session, bench, _app) = world();
    let crossed = bench.crossed().await.unwrap();
    let asked = bench.clone();
    let first = tokio::spawn(async move { asked.crossed().await.map(drop) });
    settle().await;
    let asked = bench.clone();
    let behind = tokio::spawn(async move { asked.needs_crossed().await.map(drop) });
    settle().await;
    let watch = Watch::start();
    drop(crossed.discard());
    assert!(first.await.unwrap().is_err() && behind.await.unwrap().is_err());
    assert_eq!(watch.millis(), 0, "no one waits for the lend timeout");
}

#[tokio::test(start_paused = true)]
async fn r26_at_completion_the_line_ends_and_cleanup_waits_for_the_hook() {
    let (_sessions, session, bench, app) = world();
    bench.other().unwrap();
    app.next(&[], &[Takes(3)]);
    let connection = bench.connection().await.unwrap();
    let waiting: Vec<_> = (0..3).map(|number| ask(&bench, &app, number)).collect();
    settle().await;
    let closed = connection.discard();
    settle().await;
    let watch = Watch::start();
    session.terminate();
    for waiting in waiting {
        let ended = waiting.await.unwrap();
        assert!(matches!(ended, Err(PropertyError::SessionEnded)));
    }
    assert_eq!(watch.millis(), 0);
    drop(bench);
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        (watch.millis(), closed.now_or_never()),
        (3_000, Some(Ok(())))
    );
    assert_eq!(
        app.log(),
        ["opened 1", "closing 1", "closed 1", "other dropped"]
    );
}

#[tokio::test(start_paused = true)]
async fn r26_a_hook_that_ends_badly_during_cleanup_is_in_the_report() {
    for (course, problem) in [(Hangs, "timed out"), (Panics, "panicked: as asked for")] {
        let (_sessions, session, bench, app) = world();
        app.next(&[], &[course]);
        let closed = bench.connection().await.unwrap().discard();
        drop(bench);
        session.terminate();
        let report = session.cleanup_completed().await;
        assert_eq!(problems(&report), [format!("connection: {problem}")]);
        assert!(closed.await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn r26_a_hook_that_outlasts_the_drain_does_not_hold_up_the_others() {
    let app = App::default();
    let sessions = builder()
        .drain_timeout(Duration::from_secs(1))
        .close_timeout(CLOSE_TIMEOUT)
        .state(app.clone())
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let bench = session.props::<Bench>().unwrap();
    bench.other().unwrap();
    app.next(&[], &[Takes(4)]);
    drop(bench.connection().await.unwrap().discard());
    drop(bench);
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        app.log(),
        ["opened 1", "closing 1", "other dropped", "closed 1"]
    );
}

#[tokio::test(start_paused = true)]
async fn r26_a_guard_that_is_out_at_completion_can_still_be_discarded() {
    let (_sessions, session, bench, app) = world();
    bench.other().unwrap();
    let guard = bench.connection().await.unwrap();
    let request = session.enter().unwrap();
    drop(bench);
    session.terminate();
    let watch = Watch::start();
    // A request that waits for this does not wait for itself.
    assert_eq!(guard.discard().await, Ok(()));
    assert_eq!(watch.millis(), 0);
    drop(request);
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), report.is_clean()), (2, true));
    assert_eq!(
        app.log(),
        ["opened 1", "closing 1", "closed 1", "other dropped"]
    );
}

#[tokio::test(start_paused = true)]
async fn r26_a_discard_while_cleanup_waits_for_the_guard_is_waited_for() {
    let (_sessions, session, bench, app) = world();
    bench.other().unwrap();
    let guard = bench.connection().await.unwrap();
    app.next(&[], &[Takes(3)]);
    drop(bench);
    session.terminate();
    settle().await;
    assert_eq!(app.log(), ["opened 1", "other dropped"]);
    let closed = guard.discard();
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), report.is_clean()), (2, true));
    assert_eq!(closed.now_or_never(), Some(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn r26_a_discard_after_cleanup_closes_the_value() {
    let (_sessions, session, bench, app) = world();
    let guard = bench.connection().await.unwrap();
    drop(bench);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["connection: still held"]);
    assert_eq!(guard.discard().await, Ok(()));
    assert_eq!(app.log(), ["opened 1", "closing 1", "closed 1"]);
}

#[tokio::test(start_paused = true)]
async fn r26_a_property_set_by_hand_is_absent_and_can_be_set_again() {
    let (_sessions, session, bench, app) = world();
    let tell = |name| app.log.tell(name);
    bench.set_by_hand(tell("first")).unwrap();
    let guard = bench.by_hand().await.unwrap().unwrap();
    let mut waiting = pin!(bench.by_hand());
    assert!(waiting.as_mut().now_or_never().is_none());
    let closed = guard.discard();
    assert_eq!(state(&session, "by_hand"), BeingClosed);
    let refused = bench.set_by_hand(tell("second")).unwrap_err();
    assert!(matches!(refused, Refused::BeingClosed(_)));
    let second = refused.into_value();
    closed.await.unwrap();
    assert_eq!(app.log(), ["first"]);
    assert_eq!(state(&session, "by_hand"), Absent);
    bench.set_by_hand(second).unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().name, "second");

    // A caller that is in line while nothing is set finds nothing.
    let guard = bench.by_hand.try_lock().unwrap();
    let mut waiting = pin!(bench.by_hand());
    assert!(waiting.as_mut().now_or_never().is_none());
    guard.discard().await.unwrap();
    assert!(waiting.await.unwrap().is_none());
    assert!(bench.by_hand().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn r26_a_value_with_nothing_to_close_is_gone_at_once() {
    let (_sessions, _session, bench, _app) = world();
    let mut count = bench.count().await.unwrap();
    *count = 7;
    assert_eq!(count.discard().await, Ok(()));
    assert_eq!(*bench.count().await.unwrap(), 0);
}

#[test]
fn r26_without_a_runtime_what_can_be_closed_is_closed() {
    let runtime = threads();
    let (_sessions, session, bench, app) = runtime.block_on(async { world() });
    let here = block_on(bench.here()).unwrap();
    let connection = runtime.block_on(bench.connection()).unwrap();
    drop(runtime);
    assert_eq!(block_on(here.discard()), Ok(()));
    assert_eq!(block_on(connection.discard()), Err(Trouble::Aborted));
    assert_eq!(app.log()[2], "closed 1");
    assert_eq!(state(&session, "here"), Absent);
    assert_eq!(state(&session, "connection"), Absent);
    assert_eq!(block_on(bench.here()).unwrap().number, 3);
}

#[test]
fn r26_many_values_that_are_discarded_leave_nothing() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let (_sessions, _session, bench, _app) = world();
    let come_and_go = || {
        runtime.block_on(async {
            let guard = bench.text().await.unwrap();
            let mut waiting = pin!(bench.text());
            assert!(waiting.as_mut().now_or_never().is_none());
            drop(guard.discard());
            waiting.await.unwrap().discard().await.unwrap();
        });
    };
    (0..100).for_each(|_| come_and_go());
    let memory = measure(|| (0..10_000).for_each(|_| come_and_go()));
    assert!(memory.count_total > 0, "this thread is measured");
    assert_eq!((memory.count_current, memory.bytes_current), (0, 0));
}

#[tokio::test]
async fn r26_a_guard_can_move_anywhere() {
    fn anywhere<T: Send + Sync + 'static>(_: &T) {}
    let (_sessions, _session, bench, _app) = world();
    let guard: ExclusiveGuard<u32> = bench.count().await.unwrap();
    anywhere(&guard);
    let closed = guard.discard();
    anywhere(&closed);
    tokio::spawn(closed).await.unwrap().unwrap();
}
