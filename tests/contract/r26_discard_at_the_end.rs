//! Row 26: a discard when its session or its runtime ends.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{LocalSession as _, PropertyError, PropertyState, Trouble};

use crate::kit::{Watch, builder, problems, settle, threads};
use crate::r26_bench::{App, Bench, CLOSE_TIMEOUT, Course, ask, state, world};
use crate::thread::block_on;

use Course::{Hangs, Panics, Takes};
use PropertyState::Absent;

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
