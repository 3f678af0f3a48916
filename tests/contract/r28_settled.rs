//! Row 28: the cleanups that are under way can be waited for.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{LocalSession, PropertyKey, SessionManager};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::kit::{Log, Tell, builder, manager};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

fn is_settled(sessions: &SessionManager) -> bool {
    sessions.settled().now_or_never().is_some()
}

/// Puts a value into it that is closed when the sender is used or dropped.
fn held_up(local: &impl LocalSession, value: Tell) -> oneshot::Sender<()> {
    let (go_on, held) = oneshot::channel::<()>();
    let held = std::sync::Mutex::new(Some(held));
    let close = move |value: Tell| {
        let held = held.lock().unwrap().take();
        async move {
            let _ = held.expect("it is closed once").await;
            drop(value);
        }
    };
    local.properties().insert_with(&ANY, value, close).unwrap();
    go_on
}

#[tokio::test(start_paused = true)]
async fn r28_settled_waits_for_sessions_and_for_the_groups_that_end_with_them() {
    let (sessions, log) = (manager(), Log::default());
    let [first, last] = [(), ()].map(|()| sessions.create_in("user".into()).unwrap());
    let group = first.group();
    let closing = [
        held_up(&first, log.tell("first")),
        held_up(&last, log.tell("last")),
    ];
    let group_closing = held_up(&group, log.tell("group"));
    assert!(is_settled(&sessions), "nothing is in cleanup");
    first.terminate();
    last.terminate();
    let settled = tokio::spawn({
        let sessions = sessions.clone();
        async move { sessions.settled().await }
    });
    for go_on in closing.into_iter().chain([group_closing]) {
        tokio::task::yield_now().await;
        assert!(!settled.is_finished());
        go_on.send(()).unwrap();
    }
    settled.await.unwrap();
    assert_eq!(log.entries(), ["first", "last", "group"]);
    assert!(is_settled(&sessions));
}

#[tokio::test(start_paused = true)]
async fn r28_settled_does_not_wait_for_what_ends_later_or_lives() {
    let (sessions, log) = (manager(), Log::default());
    let [now, later, alive] = [(), (), ()].map(|()| sessions.create().unwrap());
    let closing = held_up(&now, log.tell("now"));
    let held = [
        held_up(&later, log.tell("later")),
        held_up(&alive, log.tell("alive")),
    ];
    now.terminate();
    let mut settled = Box::pin(sessions.settled());
    assert!((&mut settled).now_or_never().is_none());
    later.terminate();
    closing.send(()).unwrap();
    settled.await;
    assert_eq!(log.entries(), ["now"]);
    assert!(!is_settled(&sessions), "the later one");
    drop(held);
    sessions.settled().await;
    assert_eq!(log.entries(), ["now", "later"]);
    assert!(!alive.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r28_settled_comes_by_the_timeouts_of_the_cleanups() {
    let sessions = builder()
        .drain_timeout(Duration::from_secs(20))
        .close_timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let log = Log::default();
    let session = sessions.create().unwrap();
    let _request = session.enter().unwrap();
    let _never = held_up(&session, log.tell("held up"));
    session.terminate();
    let start = Instant::now();
    sessions.settled().await;
    assert!(
        start.elapsed() < Duration::from_secs(35),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(session.cleanup_completed().await.problems().len(), 2);
}

#[tokio::test]
async fn r28_settled_holds_for_sessions_that_hold_nothing() {
    let sessions = manager();
    for _ in 0..10 {
        sessions.create().unwrap().terminate();
    }
    assert!(is_settled(&sessions));
    assert_eq!(sessions.stats().in_cleanup, 0);
}
