//! Values that end with their session, polled or not, as event streams use them.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt as _, Stream, StreamExt as _, poll, stream};
use session_core::{
    CompletionCause, LocalSession, RequestGuard, Session, SessionEnded, UntilCompleted,
};

use crate::kit::{Bomb, Log, Tell, Watch, manager, problems, settle, spin_until};

/// A stream that holds something, and has an item at each poll.
struct Endless(Tell);

impl Stream for Endless {
    type Item = &'static str;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<&'static str>> {
        Poll::Ready(Some(self.0.name))
    }
}

fn endless(session: &Session, log: &Log) -> UntilCompleted<Endless> {
    let request = session.enter().unwrap();
    request.until_completed(Endless(log.tell("stream")))
}

#[tokio::test(start_paused = true)]
async fn r29_value_and_guard_are_dropped_at_completion_though_nobody_polls() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let mut stream = endless(&session, &log);
    assert_eq!(stream.next().await, Some("stream"));
    let watch = Watch::start();
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!((log.count(), watch.millis()), (1, 0));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn r29_a_poller_that_waits_is_woken() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    let task = tokio::spawn(request.until_completed(pending::<()>()));
    settle().await;
    assert!(!task.is_finished());
    session.terminate();
    assert_eq!(task.await.unwrap(), Err(SessionEnded));
}

#[test]
fn r29_a_poller_that_has_it_in_hand_drops_it_itself_and_hands_out_nothing() {
    let runtime = crate::kit::threads();
    let (begins, begun) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let log = Log::default();
    let told = log.tell("value");
    let sessions = runtime.block_on(async { manager() });
    let session = sessions.create().unwrap();
    let elder = Log::default();
    let _elder = endless(&session, &elder);
    let request = session.enter().unwrap();
    let future = request.until_completed(async move {
        begins.send(()).unwrap();
        waits.recv().unwrap();
        drop(told);
    });
    let poller = std::thread::spawn(move || future.now_or_never());
    begun.recv().unwrap();
    session.terminate();
    let cleanup = session.cleanup_completed();
    // It ends before the older one does.
    spin_until(|| elder.count() == 1);
    assert_eq!(log.count(), 0);
    go_on.send(()).unwrap();
    assert_eq!(poller.join().unwrap(), Some(Err(SessionEnded)));
    assert_eq!(log.count(), 1);
    assert!(runtime.block_on(cleanup).is_clean());
}

#[tokio::test(start_paused = true)]
async fn r29_on_an_ended_session_the_value_is_dropped_at_once() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.terminate();
    let log = Log::default();
    let mut stream = request.until_completed(Endless(log.tell("late")));
    assert_eq!(log.count(), 1);
    assert_eq!(stream.next().await, None);
    assert!(session.cleanup_completed().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r18_those_of_other_requests_end_when_the_id_is_cycled() {
    let sessions = manager();
    let ends: [fn(&mut RequestGuard); 3] = [
        |request| drop(request.cycle_id().unwrap()),
        |request| drop(request.log_in("user".into()).unwrap()),
        |request| drop(request.session().cycle_id().unwrap()),
    ];
    for end in ends {
        let session = sessions.create().unwrap();
        let log = Log::default();
        let mut own = session.enter().unwrap();
        let mut planted = endless(&session, &log);
        let mut unread = endless(&session, &log);
        let late = session.enter().unwrap();
        assert_eq!(planted.next().await, Some("stream"));
        end(&mut own);
        // At once, without even an event that is ready.
        assert_eq!(planted.next().await, None);
        assert!(poll!(late.until_completed(pending::<()>())).is_ready());
        settle().await;
        assert_eq!(log.count(), 2);
        assert_eq!(unread.next().await, None);
        // A later one goes on.
        let mut new = endless(&session, &log);
        assert_eq!(new.next().await, Some("stream"));
        drop(own);
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
        assert_eq!(log.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn r29_one_that_ends_by_itself_is_forgotten() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let enter = || session.enter().unwrap();
    let log = Log::default();
    for _ in 0..1_000 {
        assert_eq!(enter().until_completed(ready(7)).await, Ok(7));
        let items = enter().until_completed(stream::iter([1, 2]));
        assert_eq!(items.collect::<Vec<_>>().await, [1, 2]);
        drop(endless(&session, &log));
    }
    assert_eq!(log.count(), 1_000);
    // No request is inside any more.
    session.terminate();
    assert!(session.cleanup_completed().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn r29_a_value_that_panics_as_it_is_dropped_is_reported_and_stops_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let mut first = endless(&session, &log);
    let mut bomb = session.enter().unwrap().until_completed(Bomb);
    let mut last = endless(&session, &log);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["request: panicked: boom"]);
    assert_eq!(log.count(), 2);
    assert_eq!((first.next().await, last.next().await), (None, None));
    let polled = std::future::poll_fn(|cx| bomb.poll_with(cx, |_, _| Poll::Ready(())));
    assert_eq!(polled.await, Err(SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn r29_a_poll_that_panics_ends_it() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    let future = request.until_completed(async { panic!("as asked for") });
    let panicked = tokio::spawn(future).await.unwrap_err();
    assert!(panicked.is_panic());
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r29_it_keeps_the_session_from_being_idle() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let stream = endless(&session, &log);
    tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
    assert!(!session.is_completed());
    drop(stream);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r30_an_idle_one_ends_with_the_session_that_it_does_not_keep() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let enter = || session.enter().unwrap();
    let mut idle = enter().idle_until_completed(Endless(log.tell("idle")));
    let waiting = tokio::spawn(enter().idle_until_completed(pending::<()>()));
    assert_eq!(idle.next().await, Some("idle"));
    session.completion_token().cancelled().await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    // It is no request, so nothing waits for it.
    let watch = Watch::start();
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!((log.count(), watch.millis()), (1, 0));
    assert_eq!(waiting.await.unwrap(), Err(SessionEnded));
    assert_eq!(idle.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn r30_an_idle_one_ends_at_a_log_in_and_may_be_too_late() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let mut own = session.enter().unwrap();
    let (planted, late) = (session.enter().unwrap(), session.enter().unwrap());
    let planted = planted.idle_until_completed(Endless(log.tell("planted")));
    drop(own.log_in("user".into()).unwrap());
    settle().await;
    assert_eq!(log.count(), 1);
    drop(planted);
    drop(late.idle_until_completed(Endless(log.tell("late"))));
    assert_eq!(log.count(), 2);
    let by_itself = session.enter().unwrap().idle_until_completed(ready(7));
    assert_eq!(by_itself.await, Ok(7));
}
