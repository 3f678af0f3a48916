//! Shutdown: no new sessions are created, and all complete at once and are cleaned up in parallel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    CompletionCause, CreateError, LocalSession, PropertyKey, Session, ShutdownReport, Subject,
};
use tokio::sync::Barrier;

use crate::kit::{
    Bomb, Log, Lookout, Slow, Tell, Watch, builder, manager, problems, race, settle, threads,
};
use crate::thread::block_on;

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const SECOND: Duration = Duration::from_secs(1);

/// The troubles of a shutdown, without their sessions.
fn troubles(report: &ShutdownReport) -> Vec<String> {
    let reports = report.problems().iter();
    reports.flat_map(|(_, report)| problems(report)).collect()
}

#[tokio::test(start_paused = true)]
async fn r17_shutdown_completes_all_at_once_and_admits_nobody() {
    let sessions = manager();
    let all = [
        sessions.create().unwrap(),
        sessions.create_in("g".into()).unwrap(),
        sessions.create_in("g".into()).unwrap(),
    ];
    let group = all[1].group();
    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("of the group")));
    let busy = all[2].enter().unwrap();
    let mut shutdown = Box::pin(sessions.shutdown(10 * SECOND));
    assert!(
        shutdown.as_mut().now_or_never().is_none(),
        "one has a request inside"
    );
    for session in &all {
        assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
        assert!(sessions.get(&session.id()).is_none());
    }
    assert_eq!(sessions.create().unwrap_err(), CreateError::ShuttingDown);
    let create = sessions.create_in("g".into());
    assert_eq!(create.unwrap_err(), CreateError::ShuttingDown);

    drop(busy);
    let report = shutdown.await;
    assert_eq!(report.ended(), 3);
    assert!(report.is_clean(), "{report:?}");
    // Groups are waited for as well.
    assert_eq!(log.entries(), ["of the group"]);
    let create = sessions.create();
    assert_eq!(create.unwrap_err(), CreateError::ShuttingDown, "for good");
    assert_eq!(sessions.shutdown(SECOND).await.ended(), 0);
}

#[tokio::test(start_paused = true)]
async fn r17_shutdown_cleans_up_in_parallel() {
    let sessions = manager();
    let meeting = Arc::new(Barrier::new(100));
    for _ in 0..100 {
        let session = sessions.create().unwrap();
        let meeting = meeting.clone();
        // None of these hooks ends before all have begun.
        let hook = async move |_: Tell| {
            meeting.wait().await;
        };
        let value = Log::default().tell("any");
        drop(session.properties().insert_with(&ANY, value, hook));
    }
    let watch = Watch::start();
    let report = sessions.shutdown(60 * SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.ended(), watch.millis()), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn r17_shutdown_waits_for_cleanups_that_had_begun_before() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let hook = async |value: Tell| {
        tokio::time::sleep(5 * SECOND).await;
        drop(value);
    };
    let value = log.tell("any");
    drop(session.properties().insert_with(&ANY, value, hook));
    session.terminate();
    settle().await;
    let report = sessions.shutdown(60 * SECOND).await;
    assert_eq!(log.entries(), ["any"]);
    assert_eq!((report.ended(), report.is_clean()), (0, true));
}

#[tokio::test(start_paused = true)]
async fn r17_shutdown_waits_for_a_completion_that_has_just_begun() {
    for of_the_group in [false, true] {
        let sessions = manager();
        let session = sessions.create_in("g".into()).unwrap();
        let log = Log::default();
        if of_the_group {
            drop(session.group().properties().insert(&ANY, log.tell("any")));
        } else {
            drop(session.properties().insert(&ANY, log.tell("any")));
        }
        // When the token is cancelled the session has completed, and its cleanup has not begun.
        let mut cancelled = Box::pin(session.completion_token().cancelled_owned());
        let own = sessions.clone();
        let lookout = Lookout::on(&mut cancelled, move || {
            own.shutdown(SECOND).now_or_never().is_none()
        });
        session.terminate();
        assert!(lookout.seen(), "it waits");
        sessions.shutdown(SECOND).await;
        assert_eq!(log.entries(), ["any"]);
    }
}

#[tokio::test(start_paused = true)]
async fn r17_shutdown_names_what_went_wrong() {
    let sessions = manager();
    let clean = sessions.create().unwrap();
    drop(clean.properties().insert(&ANY, Log::default().tell("any")));
    let session = sessions.create_in("g".into()).unwrap();
    drop(session.take_ownership(Bomb).unwrap());
    drop(session.group().take_ownership(Bomb).unwrap());
    let report = sessions.shutdown(SECOND).await;
    let (mut of_session, mut of_group) = (0, 0);
    for (subject, report) in report.problems() {
        assert_eq!(problems(report), ["owned value: panicked: boom"]);
        match subject {
            Subject::Session(serial) if *serial == session.serial() => of_session += 1,
            Subject::Group { id: Some(name), .. } if name.as_str() == "g" => of_group += 1,
            other => unreachable!("{other:?}"),
        }
    }
    assert_eq!((of_session, of_group), (1, 1));
    assert!(!report.is_clean() && report.unfinished().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r17_its_timeout_caps_the_others_and_what_was_left_over_is_named() {
    let sessions = builder()
        .drain_timeout(3_600 * SECOND)
        .close_timeout(3_600 * SECOND)
        .build()
        .unwrap();
    let log = Log::default();
    let key = |at: usize| PropertyKey::<Tell, _>::named(format!("hook {at}"));
    let hangs = async |_: Tell| std::future::pending::<()>().await;
    let close_all_but_one = |session: &Session| {
        for at in 0..3 {
            let value = log.tell("hung");
            drop(session.properties().insert_with(&key(at), value, hangs));
        }
        session.properties().insert(&ANY, log.tell("held")).unwrap()
    };

    let with_request = sessions.create_in("g".into()).unwrap();
    let _inside = with_request.enter().unwrap();
    drop(with_request.properties().insert(&ANY, log.tell("any")));
    let with_task = sessions.create().unwrap();
    let task = with_task.spawn(|_| std::future::pending::<()>()).unwrap();
    drop(with_task.properties().insert(&ANY, log.tell("any")));
    let with_hooks = sessions.create().unwrap();
    let _held = close_all_but_one(&with_hooks);
    let left = sessions.create_in("old".into()).unwrap();
    let of_left = left.group();
    drop(of_left.properties().insert(&ANY, log.tell("of the group")));
    let _inside_then = left.enter().unwrap();
    left.join("new".into()).unwrap();

    let watch = Watch::start();
    let report = sessions.shutdown(5 * SECOND).await;
    assert!(
        (5_000..=6_000).contains(&watch.millis()),
        "{}",
        watch.millis()
    );
    // By then everything is closed except held values, since nothing may run after a shutdown.
    assert!(report.unfinished().is_empty(), "{:?}", report.unfinished());
    let mut entries = log.entries();
    entries.sort_unstable();
    assert_eq!(
        entries,
        ["any", "any", "hung", "hung", "hung", "of the group"]
    );
    let mut told = troubles(&report);
    told.sort_unstable();
    let expected = [
        "any: still held",
        "hook 0: timed out",
        "hook 1: timed out",
        "hook 2: timed out",
        "request: still held",
        "request: still held",
        "request: still held",
        "task: aborted",
    ];
    assert_eq!(told, expected);
    assert!(task.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn r17_a_shutdown_that_nobody_waits_for_goes_on_with_the_others_timeouts() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let hook = async |value: Tell| {
        tokio::time::sleep(5 * SECOND).await;
        drop(value);
    };
    let value = log.tell("any");
    drop(session.properties().insert_with(&ANY, value, hook));
    assert!(sessions.shutdown(SECOND).now_or_never().is_none());
    assert!(session.is_completed(), "by the first poll");
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(log.entries(), ["any"]);
}

#[tokio::test(start_paused = true)]
async fn r17_in_a_hurry_there_is_time_to_close_what_can_be_closed() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    drop(group.properties().insert(&ANY, log.tell("of the group")));
    // Neither of these disposals ends before the shutdown does.
    let ((slow, brake), (slow_too, brake_too)) = (Slow::new(), Slow::new());
    let of_session = session.take_ownership(slow).unwrap();
    let of_group = group.take_ownership(slow_too).unwrap();
    let threads = [
        std::thread::spawn(move || of_session.dispose()),
        std::thread::spawn(move || of_group.dispose()),
    ];
    brake.begun();
    brake_too.begun();
    let report = sessions.shutdown(SECOND).await;
    assert_eq!(log.entries(), ["any", "of the group"]);
    assert_eq!(
        troubles(&report),
        ["owned value: still held", "owned value: still held"]
    );
    assert!(report.unfinished().is_empty());
    drop((brake, brake_too));
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}

#[test]
fn r17_a_value_that_cannot_be_hurried_is_left_behind_and_named() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let session = sessions.create_in("g".into()).unwrap();
    let (slow, brake) = Slow::new();
    drop(session.take_ownership(slow).unwrap());
    let report = runtime.block_on(sessions.shutdown(Duration::from_millis(1)));
    assert_eq!(report.unfinished(), [Subject::Session(session.serial())]);
    assert!(!report.is_clean());
    drop(brake);
    runtime.block_on(session.cleanup_completed());
}

#[test]
fn r17_shutdown_misses_no_session_that_is_being_created_or_cycled() {
    let runtime = threads();
    for _ in 0..50 {
        let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
        let crowd: Vec<_> = (0..300).map(|_| sessions.create().unwrap()).collect();
        let cycle = || {
            for session in crowd.iter().cycle().take(3_000) {
                if session.cycle_id().is_err() {
                    break;
                }
            }
        };
        let create = || while sessions.create().is_ok() {};
        let shut_down = || {
            let report = runtime.block_on(sessions.shutdown(10 * SECOND));
            assert!(report.is_clean());
        };
        race([&cycle, &create, &shut_down]);
        assert!(crowd.iter().all(LocalSession::is_completed));
        assert!(sessions.sessions().is_empty());
        assert_eq!(
            (sessions.stats().active, sessions.stats().in_cleanup),
            (0, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r17_of_two_shutdowns_at_once_each_names_what_went_wrong() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    drop(session.take_ownership(Bomb).unwrap());
    // A shutdown that is not awaited takes nothing from the others.
    let forgotten = Box::pin(sessions.shutdown(Duration::from_secs(5)));
    let (one, other) = (
        sessions.shutdown(Duration::from_secs(5)),
        sessions.shutdown(Duration::from_secs(5)),
    );
    let (one, other) = tokio::join!(one, other);
    drop(forgotten);
    for report in [one, other] {
        assert_eq!(report.ended(), 1);
        let [(subject, report)] = report.problems() else {
            unreachable!("{report:?}")
        };
        assert_eq!(subject.serial(), session.serial());
        assert_eq!(problems(report), ["owned value: panicked: boom"]);
    }
}

#[test]
fn r17_a_shutdown_whose_runtime_is_gone_returns() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let idle = sessions.create().unwrap();
    let busy = sessions.create_entered(None).unwrap();
    drop(runtime);
    let report = block_on(sessions.shutdown(Duration::from_secs(3600)));
    assert_eq!(report.ended(), 2);
    assert!(idle.is_completed() && busy.session().is_completed());
}
