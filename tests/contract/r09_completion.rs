//! Row 9: completion while initializers run.

use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyError, Props, Session, SessionManager,
    SessionProperties,
};
use tokio::sync::Notify;

use crate::kit::{Log, Tell, Watch, builder, problems, settle};
use crate::thread::{block_on, watch_me};

const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The state: the messages of initializers, and the signals they wait for.
struct Stage {
    log: Log,
    entered: mpsc::Sender<()>,
    leave: Mutex<mpsc::Receiver<()>>,
    on_a_task: Arc<Notify>,
}

/// A value that came too late, and whose drop can be awaited.
struct Late {
    tell: Tell,
    _alive: mpsc::Sender<()>,
}

#[derive(SessionProperties)]
#[session(state = Stage)]
struct Set {
    #[property(init = on_the_thread, close = closed_here)]
    here: Property<Tell>,
    #[property(init = on_the_thread, close = closed_here)]
    lent_here: Exclusive<Tell>,
    #[property(async_init = on_a_task, close = closed)]
    on_a_task: Property<Tell>,
    #[property(async_init = on_a_task, close = closed)]
    lent: Exclusive<Tell>,
    #[property(async_init = never, close = closed)]
    never: Property<Tell>,
    #[property(async_init = in_a_blocking_call, close = closed_late)]
    blocking: Property<Late>,
}

fn on_the_thread(cx: &InitContext<Stage>) -> Tell {
    let stage = cx.state();
    stage.entered.send(()).unwrap();
    stage.leave.lock().unwrap().recv().unwrap();
    stage.log.tell("dropped")
}

async fn on_a_task(cx: &InitContext<Stage>) -> Tell {
    cx.completion_token().cancelled().await;
    cx.state().log.add("heard of the end");
    cx.state().on_a_task.notified().await;
    cx.state().log.tell("dropped")
}

async fn never(cx: &InitContext<Stage>) -> Tell {
    let _dropped = cx.state().log.tell("aborted");
    std::future::pending().await
}

async fn in_a_blocking_call(cx: &InitContext<Stage>) -> Late {
    let cx = cx.clone();
    let make = move || {
        let tell = on_the_thread(&cx);
        Late {
            tell,
            _alive: cx.state().entered.clone(),
        }
    };
    tokio::task::spawn_blocking(make).await.unwrap()
}

fn closed_here(value: Tell) {
    value.log.add("closed");
    drop(value);
}

async fn closed(value: Tell) {
    // A caller that does not wait for this misses it.
    tokio::task::yield_now().await;
    value.log.add("closed");
}

fn closed_late(late: Late) {
    closed_here(late.tell);
}

/// A session with its stage.
struct Play {
    sessions: SessionManager,
    session: Session,
    set: Props<Set>,
    log: Log,
    entered: mpsc::Receiver<()>,
    leave: mpsc::Sender<()>,
    on_a_task: Arc<Notify>,
}

fn play() -> Play {
    let (entered, has_entered) = mpsc::channel();
    let (may_leave, leave) = mpsc::channel();
    let (log, on_a_task) = (Log::default(), Arc::<Notify>::default());
    let stage = Stage {
        log: log.clone(),
        entered,
        leave: Mutex::new(leave),
        on_a_task: on_a_task.clone(),
    };
    let sessions = builder().drain_timeout(DRAIN_TIMEOUT).state(stage);
    let sessions = sessions.build().unwrap();
    let session = sessions.create().unwrap();
    Play {
        set: session.props().unwrap(),
        session,
        sessions,
        log,
        entered: has_entered,
        leave: may_leave,
        on_a_task,
    }
}

fn is_ended<T>(outcome: &Result<T, PropertyError>) -> bool {
    matches!(outcome, Err(PropertyError::SessionEnded))
}

/// Completes the session while one thread runs the initializer of `get`'s property and others are blocked.
async fn complete_while_threads_wait(get: impl Fn(&Set) -> bool + Clone + Send + 'static) {
    let play = play();
    let (others, other) = mpsc::channel();
    let call = || {
        let (set, get, others) = (play.set.clone(), get.clone(), others.clone());
        thread::spawn(move || {
            others.send(watch_me()).unwrap();
            get(&set)
        })
    };
    let first = call();
    play.entered.recv().unwrap();
    let waiting = [call(), call(), call()];
    for other in other.iter().take(4) {
        other.until_asleep();
    }
    play.session.terminate();
    for thread in waiting {
        assert!(thread.join().unwrap(), "the initializer is still running");
    }
    assert!(!first.is_finished());
    assert_eq!(play.log.count(), 0);

    play.leave.send(()).unwrap();
    assert!(first.join().unwrap(), "it came too late for its own caller");
    let report = play.session.cleanup_completed().await;
    assert!(report.is_clean());
    assert_eq!(report.closed(), 1);
    assert_eq!(
        play.log.entries(),
        ["closed", "dropped"],
        "it is closed once"
    );
}

#[tokio::test]
async fn r09_at_completion_threads_that_wait_get_session_ended_at_once() {
    complete_while_threads_wait(|set| is_ended(&set.here())).await;
}

#[tokio::test]
async fn r09_at_completion_a_caller_that_waits_to_borrow_gets_session_ended_at_once() {
    complete_while_threads_wait(|set| is_ended(&block_on(set.lent_here()))).await;
}

#[tokio::test(start_paused = true)]
async fn r09_a_value_that_a_thread_creates_after_cleanup_is_closed_through_its_hook() {
    let play = play();
    let first = thread::spawn({
        let set = play.set.clone();
        move || is_ended(&set.here())
    });
    play.entered.recv().unwrap();
    play.session.terminate();
    let report = play.session.cleanup_completed().await;
    assert_eq!(problems(&report), ["here: still held"]);
    assert_eq!(play.log.count(), 0);

    play.leave.send(()).unwrap();
    assert!(first.join().unwrap());
    assert_eq!(
        play.log.entries(),
        ["closed", "dropped"],
        "it is closed once"
    );
    assert!(play.set.here.get().is_none());
}

#[tokio::test(start_paused = true)]
async fn r09_at_completion_tasks_that_wait_get_session_ended_and_initializers_drain() {
    let play = play();
    let watch = Watch::start();
    {
        let set = &play.set;
        let mut first = pin!(set.on_a_task());
        let mut second = pin!(set.on_a_task());
        let mut lent = pin!(set.lent());
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(lent.as_mut().now_or_never().is_none());
        settle().await;
        assert_eq!(play.log.count(), 0);

        play.session.terminate();
        assert!(is_ended(&first.now_or_never().unwrap()));
        assert!(is_ended(&second.now_or_never().unwrap()));
        assert!(is_ended(&lent.now_or_never().unwrap()));
    }
    let cleanup = play.session.cleanup_completed();
    settle().await;
    assert!(
        cleanup.clone().now_or_never().is_none(),
        "initializers are waited for"
    );
    assert_eq!(
        play.log.entries(),
        ["heard of the end"; 2],
        "they have the token"
    );

    play.on_a_task.notify_waiters();
    let report = cleanup.await;
    assert!(report.is_clean());
    assert_eq!((report.closed(), watch.millis()), (2, 0));
    let mut rest = play.log.entries().split_off(2);
    rest.sort();
    assert_eq!(
        rest,
        ["closed", "closed", "dropped", "dropped"],
        "each is closed once"
    );
    assert!(play.set.on_a_task.get().is_none() && play.set.lent.try_lock().is_none());
}

#[tokio::test(start_paused = true)]
async fn r09_an_async_initializer_is_aborted_at_the_drain_timeout() {
    let play = play();
    let watch = Watch::start();
    assert!(play.set.never().now_or_never().is_none());
    settle().await;
    play.session.terminate();
    let report = play.session.cleanup_completed().await;
    assert_eq!(watch.millis(), DRAIN_TIMEOUT.as_millis());
    assert_eq!(problems(&report), ["never: aborted"]);
    assert_eq!(report.closed(), 0);
    assert_eq!(play.log.entries(), ["aborted"], "what it held is dropped");
}

#[tokio::test(start_paused = true)]
async fn r09_a_value_that_a_blocking_call_still_creates_for_an_aborted_initializer_is_dropped() {
    let play = play();
    assert!(play.set.blocking().now_or_never().is_none());
    settle().await;
    play.entered.recv().unwrap();
    play.session.terminate();
    settle().await;
    // Paused time does not pass by itself while a blocking call runs.
    tokio::time::advance(DRAIN_TIMEOUT).await;
    let report = play.session.cleanup_completed().await;
    assert_eq!(problems(&report), ["blocking: aborted"]);

    play.leave.send(()).unwrap();
    let Play {
        sessions,
        session,
        set,
        log,
        entered,
        ..
    } = play;
    // The state has one sender, and the value the other.
    drop((sessions, session, set));
    assert!(entered.recv().is_err());
    assert_eq!(log.entries(), ["dropped"], "and not closed");
}
