//! Row 26: a value that has gone bad is discarded, and the line of callers goes on with a new one.

use std::pin::pin;
use std::time::Duration;

use allocation_counter::measure;
use futures_util::FutureExt as _;
use session_core::{
    ExclusiveGuard, LocalSession as _, PropertyError, PropertyState, Refused, Trouble,
};
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::kit::{Watch, settle};
use crate::r26_bench::{Course, LEND_TIMEOUT, Lent, ask, state, world};

use Course::{Fails, FailsAfter, Hangs, Panics, Takes};
use PropertyState::{Absent, BeingClosed, BeingCreated, Present};

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
