//! Row 8: an `Exclusive` is lent to one caller at a time.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, ExclusiveGuard, InitContext, LocalSession, Property, PropertyError, Props, Session,
    SessionManager, SessionProperties,
};
use tokio::sync::{Barrier, oneshot};

use crate::kit::{Log, Watch, builder, settle, threads};
use crate::thread::{block_on, watch_me};

const LEND_TIMEOUT: Duration = Duration::from_secs(7);
const JUST_IN_TIME: Duration = Duration::from_millis(6_999);

/// A typical value of an `Exclusive`: it can go bad, can be used up, and can't be shared.
struct Connection {
    name: &'static str,
    sent: Cell<u32>,
}

fn open() -> Connection {
    Connection {
        name: "first",
        sent: Cell::new(0),
    }
}

fn close(Connection { name, sent }: Connection) {
    LOG.with(|log| log.add(format!("closed {name} at {}", sent.get())));
}

thread_local! {
    /// Tests here run on one thread each, and their cleanups with them.
    static LOG: Log = Log::default();
}

fn log() -> Vec<String> {
    LOG.with(Log::entries)
}

#[derive(SessionProperties)]
struct Bench {
    #[property(init = open, close = close)]
    connection: Exclusive<Connection>,
    #[property(async_init = async || 0)]
    a: Exclusive<u32>,
    #[property(default)]
    b: Exclusive<u32>,
    transaction: Exclusive<Option<String>>,
    #[property(try_async_init = asks_again)]
    asks_again: Property<u32>,
    #[property(async_init = async |cx: &InitContext| needs_lent(cx).await)]
    needs_lent: Property<bool>,
}

/// Borrows while holding the guard.
async fn asks_again(cx: &InitContext) -> Result<u32, PropertyError> {
    let bench = cx.session().props::<Bench>().unwrap();
    let _in_hand = bench.a().await?;
    bench.a().await.map(|again| *again)
}

/// Whether it is busy with the callers that wait for this.
async fn needs_lent(cx: &InitContext) -> bool {
    let bench = cx.session().props::<Bench>().unwrap();
    matches!(bench.b().await, Err(PropertyError::Busy))
}

fn bench() -> (SessionManager, Session, Props<Bench>) {
    let sessions = builder().lend_timeout(LEND_TIMEOUT).build().unwrap();
    let session = sessions.create().unwrap();
    let bench = session.props().unwrap();
    (sessions, session, bench)
}

#[tokio::test(start_paused = true)]
async fn r08_an_exclusive_is_lent_in_the_order_of_asking() {
    let (_sessions, _session, bench) = bench();
    let mut guard = bench.a().await.unwrap();
    let order = Log::default();
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let (bench, order) = (bench.clone(), order.clone());
            tokio::spawn(async move {
                let mut guard = bench.a().await.unwrap();
                order.add(number);
                tokio::task::yield_now().await;
                *guard += 1;
            })
        })
        .collect();
    settle().await;
    assert_eq!(order.count(), 0, "it is lent to one at a time");
    *guard += 100;
    drop(guard);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(order.entries(), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(*bench.a().await.unwrap(), 106);
}

#[tokio::test(start_paused = true)]
async fn r08_a_caller_that_goes_away_leaves_the_queue() {
    let (_sessions, _session, bench) = bench();
    let guard = bench.a().await.unwrap();
    {
        let mut gone = pin!(bench.a());
        assert!(gone.as_mut().now_or_never().is_none());
    }
    let mut next = pin!(bench.a());
    assert!(next.as_mut().now_or_never().is_none());
    drop(guard);
    assert!(next.now_or_never().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn r08_a_wait_ends_in_busy_after_the_lend_timeout() {
    let (_sessions, _session, bench) = bench();
    let guard = bench.a().await.unwrap();
    let watch = Watch::start();
    assert!(matches!(bench.a().await, Err(PropertyError::Busy)));
    assert_eq!(watch.millis(), LEND_TIMEOUT.as_millis());

    // A caller that comes in time is served.
    let (lent, ()) = tokio::join!(bench.a(), async {
        tokio::time::sleep(JUST_IN_TIME).await;
        drop(guard);
    });
    assert!(lent.is_ok());
}

#[tokio::test]
async fn r08_a_wait_on_a_thread_without_a_runtime_ends_in_busy_too() {
    // A paused clock runs ahead of threads, so this one is not paused, and the wait is short.
    let sessions = builder().lend_timeout(Duration::from_millis(1));
    let sessions = sessions.build().unwrap();
    let bench: Props<Bench> = sessions.create().unwrap().props().unwrap();
    let _guard = bench.a().await.unwrap();
    let (told, outcome) = oneshot::channel();
    let thread = std::thread::spawn({
        let bench = bench.clone();
        move || drop(told.send(block_on(bench.a()).map(drop)))
    });
    assert!(matches!(outcome.await, Ok(Err(PropertyError::Busy))));
    thread.join().unwrap();
}

/// Without a runtime there is no clock for the wait.
#[test]
fn r08_a_wait_ends_in_busy_once_the_managers_runtime_is_gone() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone());
    let sessions = sessions.build().unwrap();
    let bench: Props<Bench> = sessions.create().unwrap().props().unwrap();
    let guard = block_on(bench.b()).unwrap();
    std::thread::scope(|scope| {
        let me = oneshot::channel();
        let bench = &bench;
        let waiting = scope.spawn(move || {
            let _ = me.0.send(watch_me());
            block_on(bench.b()).map(drop)
        });
        block_on(me.1).unwrap().until_asleep();
        drop(runtime);
        assert!(matches!(waiting.join().unwrap(), Err(PropertyError::Busy)));
    });
    let asked = threads().block_on(bench.b()).map(drop);
    assert!(matches!(asked, Err(PropertyError::Busy)));
    drop(guard);
    assert!(block_on(bench.b()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn r08_two_requests_that_lend_crosswise_do_not_lock_the_visitor_out() {
    let (_sessions, _session, bench) = bench();
    let both_have_one = Barrier::new(2);
    let a_then_b = async {
        let _a = bench.a().await.unwrap();
        both_have_one.wait().await;
        bench.b().await.map(drop)
    };
    let b_then_a = async {
        let _b = bench.b().await.unwrap();
        both_have_one.wait().await;
        bench.a().await.map(drop)
    };
    let outcomes = tokio::join!(a_then_b, b_then_a);
    let busy = [outcomes.0, outcomes.1]
        .into_iter()
        .filter(|outcome| matches!(outcome, Err(PropertyError::Busy)));
    assert!(busy.count() > 0, "one at least had to give way");
    assert!(bench.a.try_lock().is_some() && bench.b.try_lock().is_some());
}

#[tokio::test(start_paused = true)]
async fn r08_at_completion_a_wait_ends_at_once_and_nothing_is_lent_any_more() {
    let (_sessions, session, bench) = bench();
    let guard = bench.connection().await.unwrap();
    let watch = Watch::start();
    let waiting = tokio::spawn({
        let bench = bench.clone();
        async move { bench.connection().await.map(drop) }
    });
    settle().await;
    session.terminate();
    assert!(matches!(
        waiting.await.unwrap(),
        Err(PropertyError::SessionEnded)
    ));
    assert_eq!(watch.millis(), 0, "it ends at once");

    // The lent guard stays valid, and the close hook sees the changes made through it.
    assert!(bench.connection.try_lock().is_none());
    assert_eq!(guard.name, "first");
    guard.sent.set(3);
    drop(guard);
    assert!(bench.connection.try_lock().is_none());
    assert!(matches!(
        bench.connection().await,
        Err(PropertyError::SessionEnded)
    ));
    assert!(matches!(
        bench.transaction().await,
        Err(PropertyError::SessionEnded)
    ));
    drop(bench);
    assert_eq!(session.cleanup_completed().await.closed(), 1);
    assert_eq!(log(), ["closed first at 3"]);
}

#[tokio::test(start_paused = true)]
async fn r08_a_value_returned_at_completion_is_lent_to_nobody() {
    let (_sessions, session, bench) = bench();
    let guard = bench.a().await.unwrap();
    let mut waiting = pin!(bench.a());
    assert!(waiting.as_mut().now_or_never().is_none());
    session.terminate();
    drop(guard);
    // Both have happened when it is polled again: the session's end and the guard's return.
    assert!(matches!(
        waiting.now_or_never(),
        Some(Err(PropertyError::SessionEnded))
    ));
}

#[tokio::test(start_paused = true)]
async fn r08_asking_again_with_the_guard_in_hand_ends_in_busy() {
    let (_sessions, _session, bench) = bench();
    let in_hand = bench.a().await.unwrap();
    assert!(matches!(bench.a().await, Err(PropertyError::Busy)));
    drop(in_hand);

    // Inside an initializer it is not a cycle either.
    let failed = bench.asks_again().await.unwrap_err();
    assert!(matches!(failed.downcast_ref(), Some(PropertyError::Busy)));
    let _in_hand = bench.b().await.unwrap();
    assert!(**bench.needs_lent().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn r08_try_lock_never_waits() {
    let (_sessions, _session, bench) = bench();
    assert!(bench.a.try_lock().is_none(), "it makes nothing");
    let mut making = pin!(bench.a());
    assert!(making.as_mut().now_or_never().is_none());
    assert!(bench.a.try_lock().is_none(), "it is being made");
    *making.await.unwrap() = 5;
    let guard = bench.a.try_lock().unwrap();
    assert_eq!(*guard, 5);
    assert!(bench.a.try_lock().is_none(), "it is lent");
    drop(guard);
    assert!(bench.a.try_lock().is_some());
}

#[tokio::test(start_paused = true)]
async fn r08_a_panic_with_the_guard_in_hand_does_not_poison() {
    let (_sessions, _session, bench) = bench();
    let panics = tokio::spawn({
        let bench = bench.clone();
        async move {
            let mut guard = bench.a().await.unwrap();
            *guard = 5;
            panic!("with the guard in hand");
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(*bench.a().await.unwrap(), 5);
}

#[tokio::test]
async fn r08_a_value_that_goes_bad_is_replaced_through_its_guard() {
    let (_sessions, session, bench) = bench();
    let mut connection = bench.connection().await.unwrap();
    connection.sent.set(1);
    *connection = Connection {
        name: "reopened",
        sent: Cell::new(2),
    };
    drop(connection);
    assert_eq!(bench.connection().await.unwrap().name, "reopened");
    drop(bench);
    session.terminate();
    session.cleanup_completed().await;
    assert_eq!(
        log(),
        ["closed reopened at 2"],
        "the hook gets what is there"
    );
}

#[tokio::test]
async fn r08_a_value_that_is_used_up_is_taken_through_its_guard() {
    let (_sessions, _session, bench) = bench();
    assert!(bench.transaction().await.unwrap().is_none());
    bench.set_transaction(Some("begin".into())).unwrap();
    let mut transaction = bench.transaction().await.unwrap().unwrap();
    assert_eq!(transaction.take().as_deref(), Some("begin"));
    drop(transaction);
    let mut transaction = bench.transaction().await.unwrap().unwrap();
    assert_eq!(transaction.take(), None);
    *transaction = Some("begin again".into());
    drop(transaction);
    assert!(bench.transaction.try_lock().unwrap().is_some());
}

#[tokio::test]
async fn r08_a_guard_moves_into_a_blocking_call() {
    let (_sessions, _session, bench) = bench();
    let mut guard: ExclusiveGuard<u32> = bench.a().await.unwrap();
    let blocking = move || {
        *guard += 1;
        guard
    };
    let guard = tokio::task::spawn_blocking(blocking).await.unwrap();
    assert_eq!(*guard, 1);
    assert!(bench.a.try_lock().is_none(), "it is still lent");
}
