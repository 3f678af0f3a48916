//! Row 27: a guard and its clones are one request.

use std::future::pending;
use std::time::Duration;

use allocation_counter::measure;
use futures_util::FutureExt as _;
use session_core::{
    GroupId, LifecycleEvent, LocalSession, PropertyKey, RequestGuard, SessionEnded, SessionManager,
};
use tokio::time::sleep;

use crate::kit::{Log, Watch, builder, come, manager, problems, race, settle};

const TELL: PropertyKey<crate::kit::Tell> = PropertyKey::new("tell");

fn idle_after_ten_seconds() -> SessionManager {
    let sessions = builder().idle_timeout(Duration::from_secs(10));
    sessions.build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn r27_a_request_leaves_with_the_last_guard_in_whatever_order_they_go() {
    let sessions = idle_after_ten_seconds();
    for last in 0..3 {
        let session = sessions.create().unwrap();
        let first = session.enter().unwrap();
        let second = first.clone();
        let mut guards = vec![first, second.clone(), second];
        let kept = guards.remove(last);
        drop(guards);
        sleep(Duration::from_secs(60)).await;
        assert!(!session.is_completed(), "a request is inside");
        drop(kept);
        sleep(Duration::from_secs(30)).await;
        assert!(session.is_completed());
        assert!(session.cleanup_completed().await.is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn r27_a_guard_and_its_clones_are_counted_once() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let guard = session.enter().unwrap();
    let clones: Vec<_> = (0..10).map(|_| guard.clone()).collect();
    let other = session.enter().unwrap();
    let other_clone = other.clone();
    session.terminate();
    // A request that is left over is reported once.
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["request: still held"; 2]);
    drop((guard, clones, other, other_clone));
}

#[tokio::test(start_paused = true)]
async fn r27_cleanup_waits_for_the_last_guard() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let guard = session.enter().unwrap();
    let early = guard.clone();
    session.terminate();
    let watch = Watch::start();
    drop(guard);
    let cleanup = session.cleanup_completed();
    settle().await;
    assert!(cleanup.clone().now_or_never().is_none());
    // A clone made after completion is the same request.
    let late = early.clone();
    drop(early);
    sleep(Duration::from_secs(3)).await;
    drop(late);
    assert!(cleanup.await.is_clean());
    assert_eq!(watch.millis(), 3_000);
    assert!(session.enter().is_err());
}

#[tokio::test(start_paused = true)]
async fn r27_the_group_that_is_left_waits_for_the_clones_and_for_the_other_requests() {
    let sessions = manager();
    // Cloned before the session moves, and after it.
    for clones_first in [true, false] {
        let session = sessions.create_in(GroupId::from("old")).unwrap();
        let log = Log::default();
        let old = session.group();
        old.properties().insert(&TELL, log.tell("closed")).unwrap();
        let cloned = session.enter().unwrap();
        let other = session.enter().unwrap();
        let early = clones_first.then(|| cloned.clone());
        session.join(GroupId::from("new")).unwrap();
        let clone = early.unwrap_or_else(|| cloned.clone());
        drop(cloned);
        settle().await;
        assert_eq!(log.count(), 0);
        drop(clone);
        settle().await;
        assert_eq!(log.count(), 0, "the other request is inside");
        drop(other);
        assert!(old.cleanup_completed().await.is_clean());
        assert_eq!(log.count(), 1);
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn r27_a_guard_that_outlives_cleanup_leaves_the_old_group_all_the_same() {
    let sessions = builder().drain_timeout(Duration::from_secs(1));
    let sessions = sessions.build().unwrap();
    let mut events = sessions.subscribe();
    let session = sessions.create_in(GroupId::from("old")).unwrap();
    let old = session.group();
    let guard = session.enter().unwrap();
    let clone = guard.clone();
    session.join(GroupId::from("new")).unwrap();
    session.terminate();
    drop(guard);
    session.cleanup_completed().await;
    old.cleanup_completed().await;
    drop(clone);
    let ended = |event: &LifecycleEvent| matches!(event, LifecycleEvent::CleanedUp(..));
    assert_eq!(
        come(&mut events)
            .iter()
            .filter(|event| ended(event))
            .count(),
        3
    );
}

#[tokio::test]
async fn r27_a_change_of_the_id_by_one_guard_does_not_part_the_others() {
    let sessions = manager();
    let changes: [fn(&mut RequestGuard); 2] = [
        |guard| drop(guard.cycle_id().unwrap()),
        |guard| drop(guard.log_in("user".into()).unwrap()),
    ];
    for change in changes {
        let session = sessions.create().unwrap();
        let mut guard = session.enter().unwrap();
        let clone = guard.clone();
        let stranger = session.enter().unwrap();
        let strangers_clone = stranger.clone();
        change(&mut guard);
        let mut late = clone.clone();
        assert!(!guard.is_parted() && !clone.is_parted() && !late.is_parted());
        assert!(stranger.is_parted() && strangers_clone.is_parted());
        assert!(!session.is_parted_from(clone.pass()));
        assert!(session.is_parted_from(strangers_clone.pass()));
        // Any of them has the right to go on.
        change(&mut late);
        assert!(!guard.is_parted() && !clone.is_parted());
        drop((guard, late, stranger, strangers_clone));
        assert!(!clone.is_parted());
    }
}

#[tokio::test(start_paused = true)]
async fn r27_a_value_of_the_request_that_changes_the_id_goes_on() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let mut guard = session.enter().unwrap();
    let mut own = Box::pin(guard.clone().until_completed(pending::<()>()));
    let mut others = Box::pin(session.enter().unwrap().until_completed(pending::<()>()));
    let stranger = session.enter().unwrap();
    let mut strangers = Box::pin(stranger.clone().until_completed(pending::<()>()));
    drop(guard.log_in("user".into()).unwrap());
    assert_eq!((&mut others).now_or_never(), Some(Err(SessionEnded)));
    assert_eq!((&mut strangers).now_or_never(), Some(Err(SessionEnded)));
    assert!((&mut own).now_or_never().is_none());
    let mut late = Box::pin(guard.clone().until_completed(pending::<()>()));
    assert!((&mut late).now_or_never().is_none());
    // The session itself parts all.
    drop(session.cycle_id().unwrap());
    assert_eq!((&mut own).now_or_never(), Some(Err(SessionEnded)));
    assert_eq!((&mut late).now_or_never(), Some(Err(SessionEnded)));
}

#[tokio::test(start_paused = true)]
async fn r27_a_value_ends_with_the_session_and_its_request_with_the_other_guards() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let guard = session.enter().unwrap();
    let log = Log::default();
    let _unread = guard.clone().until_completed(log.tell("dropped"));
    let ended = guard.clone().until_completed(std::future::ready(7));
    assert_eq!(ended.await, Ok(7));
    session.terminate();
    let cleanup = session.cleanup_completed();
    settle().await;
    assert_eq!(log.count(), 1, "at once, though nobody polls");
    assert!(cleanup.clone().now_or_never().is_none());
    drop(guard);
    assert!(cleanup.await.is_clean());
}

#[test]
fn r27_clones_on_several_threads_leave_once() {
    let runtime = crate::kit::threads();
    let sessions = runtime.block_on(async { manager() });
    for _ in 0..200 {
        let session = sessions.create().unwrap();
        let guard = session.enter().unwrap();
        let clone = || drop((guard.clone(), guard.clone().clone()));
        race([&clone, &clone, &|| session.terminate()]);
        let cleanup = session.cleanup_completed();
        drop(guard);
        assert!(runtime.block_on(cleanup).is_clean());
    }
}

#[tokio::test]
async fn r27_a_guard_that_is_never_cloned_allocates_nothing_and_clones_leave_nothing() {
    assert_eq!(size_of::<RequestGuard>(), 2 * size_of::<usize>());
    let sessions = manager();
    let session = sessions.create().unwrap();
    let enter = measure(|| drop(session.enter().unwrap()));
    assert_eq!(enter.count_total, 0);
    let cloned = || {
        let guard = session.enter().unwrap();
        let clones: Vec<_> = (0..10).map(|_| guard.clone()).collect();
        let other = session.enter().unwrap();
        drop((guard, other.clone(), clones));
    };
    cloned();
    let memory = measure(|| (0..10_000).for_each(|_| cloned()));
    assert_eq!((memory.count_current, memory.bytes_current), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn r27_a_value_that_outlives_its_guards_belongs_to_no_later_request() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let planted = session.id();
    let stranger = sessions.enter(&planted).unwrap();
    let tail = stranger.clone().idle_until_completed(pending::<()>());
    drop(stranger);
    let mut victim = sessions.enter(&planted).unwrap();
    let _clone = victim.clone();
    let _new = victim.log_in("user".into()).unwrap();
    assert_eq!(tail.await, Err(SessionEnded));
    assert!(!session.is_completed());
}
