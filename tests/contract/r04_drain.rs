//! Drain: requests, tasks and initializers end, up to the drain timeout; then tasks are aborted.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{LocalSession, PropertyKey, SessionManager, SessionManagerBuilder};

use crate::kit::{Log, Slow, Tell, Watch, builder, problems, settle, threads};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const OTHER: PropertyKey<Tell> = PropertyKey::new("other");

/// The longest time that aborted tasks get.
const MOMENT: u128 = 1_000;

fn draining() -> SessionManagerBuilder {
    builder().drain_timeout(Duration::from_secs(20))
}

fn manager() -> SessionManager {
    draining().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn r04_a_cleanup_waits_no_longer_than_it_must() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let watch = Watch::start();
    let (first, second) = (session.enter().unwrap(), session.enter().unwrap());
    let telling = log.clone();
    let task = session.spawn(|token| async move {
        token.cancelled().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        telling.add("the task ends");
    });
    drop(task.unwrap());
    session.terminate();
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(first);
    settle().await;
    assert_eq!(log.entries(), ["the task ends"], "one is still inside");
    drop(second);
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["the task ends", "any"]);
    assert!(report.is_clean());
    assert_eq!(watch.millis(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn r04_a_request_that_stays_is_waited_for_until_the_drain_timeout() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let _stays = [session.enter().unwrap(), session.enter().unwrap()];
    let watch = Watch::start();
    session.terminate();
    tokio::time::sleep(Duration::from_millis(19_999)).await;
    settle().await;
    assert_eq!(log.count(), 0);
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);
    assert_eq!(
        problems(&report),
        ["request: still held", "request: still held"]
    );
    assert!(watch.millis() <= 20_000 + MOMENT, "{}", watch.millis());
}

#[tokio::test(start_paused = true)]
async fn r04_tasks_have_the_drain_timeout_and_are_then_aborted() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let holds = log.tell("what the task holds");
    let stubborn = session.spawn(|_| async move {
        let _holds = holds;
        std::future::pending::<()>().await;
    });
    let telling = log.clone();
    let slow = session.spawn(|_| async move {
        tokio::time::sleep(Duration::from_millis(19_999)).await;
        telling.add("the slow task ends");
    });
    let watch = Watch::start();
    session.terminate();
    slow.unwrap().await.unwrap();
    assert_eq!(log.entries(), ["the slow task ends"]);
    let report = session.cleanup_completed().await;
    assert!(stubborn.unwrap().await.unwrap_err().is_cancelled());
    // It got a moment to drop what it held, and the properties waited for that.
    let order = ["the slow task ends", "what the task holds", "any"];
    assert_eq!(log.entries(), order);
    assert_eq!(problems(&report), ["task: aborted"]);
    assert_eq!(watch.millis(), 20_000);
}

/// Lets the runtime's other tasks run as far as they can.
async fn others_have_their_turn() {
    for _ in 0..20 {
        tokio::spawn(settle()).await.unwrap();
    }
}

/// Lets other threads take the tasks that this one has woken: a runtime's thread keeps the last one for itself.
struct HandsOver;

impl Drop for HandsOver {
    fn drop(&mut self) {
        tokio::spawn(async {});
    }
}

#[test]
fn r04_an_aborted_task_gets_a_moment_to_drop_what_it_holds() {
    // Time is not paused: the moment would be over as soon as the runtime has nothing else to do.
    let runtime = threads();
    let sessions = builder()
        .drain_timeout(Duration::from_millis(1))
        .runtime(runtime.handle().clone())
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let (slow, brake) = Slow::new();
    let holds = (HandsOver, slow, log.tell("what the task holds"));
    let stubborn = session.spawn(|_| async move {
        let _holds = holds;
        std::future::pending::<()>().await;
    });
    drop(stubborn.unwrap());
    session.terminate();
    runtime.block_on(async {
        brake.begun();
        others_have_their_turn().await;
        assert_eq!(log.count(), 0, "the properties wait for it");
        assert!(session.cleanup_completed().now_or_never().is_none());
        drop(brake);
        let report = session.cleanup_completed().await;
        assert_eq!(log.entries(), ["what the task holds", "any"]);
        assert_eq!(problems(&report), ["task: aborted"]);
    });
}

#[tokio::test(start_paused = true)]
async fn r04_async_initializers_drain_as_tasks_do() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&OTHER, log.tell("other")));
    let holds = log.tell("what the initializer holds");
    let own = session.clone();
    let caller = tokio::spawn(async move {
        let properties = own.properties();
        let made = properties.get_or_init_async(&ANY, || async move {
            let _holds = holds;
            std::future::pending().await
        });
        made.await.map(drop)
    });
    settle().await;
    let watch = Watch::start();
    session.terminate();
    assert!(caller.await.unwrap().is_err(), "callers wait no longer");
    assert_eq!(log.count(), 0);
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["what the initializer holds", "other"]);
    // An initializer is named after its property.
    assert_eq!(problems(&report), ["any: aborted"]);
    assert_eq!(watch.millis(), 20_000);
}

#[test]
fn r04_a_sync_initializer_is_waited_for() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&OTHER, log.tell("other")));
    let (inside, is_inside) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let (own, telling) = (session.clone(), log.clone());
    let caller = std::thread::spawn(move || {
        let made = own.properties().get_or_init(&ANY, || {
            inside.send(()).unwrap();
            wait.recv().unwrap();
            telling.add("the initializer ends");
            telling.tell("too late")
        });
        made.map(drop)
    });
    is_inside.recv().unwrap();
    session.terminate();
    runtime.block_on(others_have_their_turn());
    assert_eq!(log.count(), 0);
    go_on.send(()).unwrap();
    assert!(caller.join().unwrap().is_err());
    let report = runtime.block_on(session.cleanup_completed());
    assert_eq!(log.entries(), ["the initializer ends", "too late", "other"]);
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn r04_a_keep_alive_guard_is_not_waited_for() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let kept = session.keep_alive().unwrap();
    let watch = Watch::start();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(watch.millis(), 0);
    drop(kept);
}

#[tokio::test(start_paused = true)]
async fn r04_owned_values_are_dropped_before_anything_has_drained() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let _request = session.enter().unwrap();
    let owned: Arc<()> = Arc::default();
    let _owned = session.take_ownership(owned.clone()).unwrap();
    let task = session.spawn(|_| std::future::pending::<()>()).unwrap();
    session.terminate();
    settle().await;
    assert!(Arc::into_inner(owned).is_some());
    assert!(!task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn r04_work_that_outlasts_the_cleanup_brings_nothing_back() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let request = session.enter().unwrap();
    let kept = session.keep_alive().unwrap();
    let (slow, brake) = Slow::new();
    let owned = session.take_ownership(slow).unwrap();
    let disposing = std::thread::spawn(move || owned.dispose());
    let (inside, is_inside) = mpsc::channel();
    let (make_on, wait) = mpsc::channel::<()>();
    let (own, telling) = (session.clone(), log.clone());
    let making = std::thread::spawn(move || {
        let made = own.properties().get_or_init(&ANY, || {
            inside.send(()).unwrap();
            let _ = wait.recv();
            telling.tell("too late")
        });
        made.map(drop)
    });
    brake.begun();
    is_inside.recv().unwrap();
    session.terminate();
    // The threads take only real time, which the paused clock does not see.
    let report = session.cleanup_completed().await;
    let left_over = [
        "request: still held",
        "owned value: still held",
        "any: still held",
    ];
    assert_eq!(problems(&report), left_over);

    drop(make_on);
    assert!(making.join().unwrap().is_err());
    assert_eq!(log.entries(), ["too late"], "it is closed all the same");
    drop(brake);
    assert!(disposing.join().unwrap());
    drop((request, kept));
    assert!(session.properties().list().is_empty());
    assert_eq!(session.cleanup_completed().await.problems().len(), 3);
    let weak = session.downgrade();
    drop(session);
    assert!(weak.upgrade().is_none());
}
