//! Row 14: values that come and go leave a session's memory as it was.

use std::collections::VecDeque;
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use session_core::{CancellationToken, LocalSession, PropertyKey, Session};
use tokio::runtime::{Builder, Runtime};

use crate::kit::{builder, manager, settle};

const MILLION: usize = 1_000_000;
const KEY: PropertyKey<String> = PropertyKey::new("key");

fn value() -> String {
    String::from("something on the heap")
}

/// Runs everything on this thread, whose memory is measured.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Calls `come_and_go` this many times on a session that has been used in this way before.
fn measured(times: usize, mut come_and_go: impl FnMut(&Session, usize)) -> AllocationInfo {
    let runtime = runtime();
    let _entered = runtime.enter();
    let sessions = manager();
    let session = sessions.create().unwrap();
    // Values that stay are among those that go.
    let kept = PropertyKey::<String, _>::named("kept");
    session.properties().insert(&kept, value()).unwrap();
    session.take_ownership(value()).unwrap();
    for time in 0..1_000 {
        come_and_go(&session, time);
    }
    measure(|| {
        for time in 1_000..1_000 + times {
            come_and_go(&session, time);
        }
    })
}

fn assert_flat(times: usize, come_and_go: impl FnMut(&Session, usize)) {
    let memory = measured(times, come_and_go);
    assert!(memory.count_total > 0, "this thread is measured");
    assert_eq!((memory.count_current, memory.bytes_current), (0, 0));
    assert!(memory.bytes_max < 64 * 1024, "{} at once", memory.bytes_max);
}

#[test]
fn r14_a_million_values_given_and_disposed_of_leave_nothing() {
    assert_flat(MILLION, |session, _| {
        assert!(session.take_ownership(value()).unwrap().dispose());
    });
}

#[test]
fn r14_values_given_and_reclaimed_leave_nothing() {
    assert_flat(MILLION / 10, |session, _| {
        assert!(session.take_ownership(value()).unwrap().reclaim().is_some());
    });
}

#[test]
fn r14_a_million_properties_inserted_and_removed_leave_nothing() {
    assert_flat(MILLION, |session, _| {
        session.properties().insert(&KEY, value()).unwrap();
        assert!(session.properties().remove(&KEY).unwrap().is_some());
    });
}

#[test]
fn r14_properties_of_ever_new_names_inserted_and_removed_leave_nothing() {
    assert_flat(MILLION / 4, |session, time| {
        let key = PropertyKey::<String, _>::named(format!("property {time}"));
        session
            .properties()
            .insert_with(&key, value(), |_: String| ())
            .unwrap();
        assert!(session.properties().remove(&key).unwrap().is_some());
        let plain = PropertyKey::<usize, _>::named(key.name());
        session.properties().insert(&plain, time).unwrap();
        assert!(session.properties().remove(&plain).unwrap().is_some());
    });
}

#[test]
fn r14_properties_replaced_and_made_leave_nothing() {
    assert_flat(MILLION / 10, |session, _| {
        session.properties().get_or_init(&KEY, value).unwrap();
        session
            .properties()
            .replace_with(&KEY, value(), |_: String| ())
            .unwrap();
        session.properties().replace(&KEY, value()).unwrap();
        session.properties().remove(&KEY).unwrap();
        session
            .properties()
            .get_or_try_init(&KEY, || Err("no"))
            .unwrap_err();
    });
}

#[test]
fn r14_values_that_go_in_the_order_they_came_leave_no_more_than_their_window() {
    let mut window = VecDeque::with_capacity(65);
    let memory = measured(MILLION / 4, |session, time| {
        let key = PropertyKey::<String, _>::named(format!("property {time:09}"));
        session.properties().insert(&key, value()).unwrap();
        window.push_back((key, session.take_ownership(value()).unwrap()));
        if window.len() > 64 {
            let (key, owned) = window.pop_front().unwrap();
            assert!(session.properties().remove(&key).unwrap().is_some());
            assert!(owned.dispose());
        }
    });
    // Trees of the same size differ by some nodes.
    assert!(memory.bytes_current.abs() < 16 * 1024, "{memory:?}");
}

#[test]
fn r14_properties_made_on_tasks_and_closed_on_others_leave_nothing() {
    const COUNT: usize = 2_000;
    let runtime = runtime();
    let sessions = {
        let _entered = runtime.enter();
        manager()
    };
    let session = sessions.create().unwrap();
    let come_and_go = |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let made = session
                    .properties()
                    .get_or_init_async(&KEY, async || value());
                made.await.unwrap();
                session.properties().remove(&KEY).unwrap();
                let close = async |_: String| tokio::task::yield_now().await;
                session
                    .properties()
                    .insert_with(&KEY, value(), close)
                    .unwrap();
                session.properties().remove(&KEY).unwrap();
                let failed = async || Err::<String, _>("no");
                let failed = session.properties().get_or_try_init_async(&KEY, failed);
                failed.await.unwrap_err();
                session
                    .spawn(CancellationToken::cancelled_owned)
                    .unwrap()
                    .abort();
                settle().await;
            }
        });
    };
    come_and_go(100);
    let memory = measure(|| come_and_go(COUNT));
    assert_eq!((memory.count_current, memory.bytes_current), (0, 0));
}

#[test]
fn r14_ended_sessions_and_cycled_ids_leave_nothing_where_timeouts_never_come() {
    let runtime = runtime();
    let sessions = {
        let _entered = runtime.enter();
        let endless = builder()
            .idle_timeout(Duration::MAX)
            .absolute_timeout(Duration::MAX)
            .superseded_for(Duration::ZERO);
        endless.build().unwrap()
    };
    let living: Vec<_> = (0..100).map(|_| sessions.create().unwrap()).collect();
    let come_and_go = |times| {
        runtime.block_on(async {
            for time in 0..times {
                sessions.create().unwrap().terminate();
                let _told = living[time % 100].cycle_id().unwrap();
                if time % 100 == 0 {
                    settle().await;
                }
            }
            settle().await;
        });
    };
    come_and_go(10_000);
    let memory = measure(|| come_and_go(MILLION / 10));
    // A thousand dead entries are too few to trigger a search, and a list has room for twice as many.
    assert!(memory.bytes_current.abs() < 64 * 1024, "{memory:?}");
    assert!(living.iter().all(|session| !session.is_completed()));
}
