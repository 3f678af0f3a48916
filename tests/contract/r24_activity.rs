//! Row 24: a touch, and what a session tells of its times.

use std::time::Duration;

use session_core::{CompletionCause, LocalSession};
use tokio::time::{Instant, advance, sleep};

use crate::kit::builder;
use crate::r24_times::{assert_idles, manager};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(20 * 60);

#[tokio::test(start_paused = true)]
async fn r24_a_touch_is_activity_that_ends_now() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    for _ in 0..5 {
        sleep(IDLE / 1_000 * 999).await;
        session.touch();
        assert_eq!(session.activity().idle, Some(Duration::ZERO));
    }
    assert_idles(&session, Instant::now() + IDLE).await;

    // A look-up is none.
    let session = sessions.create().unwrap();
    let since = Instant::now();
    sleep(MINUTE).await;
    assert!(sessions.get(&session.id()).is_some());
    let _ = (session.activity(), session.expires_in());
    assert_idles(&session, since + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_a_touch_ends_no_activity_and_moves_no_absolute_timeout() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let created = Instant::now();
    let request = session.enter().unwrap();
    session.touch();
    sleep(IDLE * 2).await;
    assert!(!session.is_completed());
    drop(request);
    while !session.is_completed() {
        session.touch();
        sleep(MINUTE).await;
    }
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::AbsoluteTimeout)
    );
    assert!(created.elapsed() >= Duration::from_secs(8 * 3600));
}

#[tokio::test(start_paused = true)]
async fn r24_expires_in_is_the_time_until_a_timeout_ends_it() {
    let absolute = IDLE * 2;
    let sessions = builder()
        .idle_timeout(IDLE)
        .absolute_timeout(absolute)
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    assert_eq!(session.expires_in(), IDLE);
    advance(MINUTE).await;
    assert_eq!(session.expires_in(), MINUTE * 19);
    session.set_idle_timeout(MINUTE * 3);
    assert_eq!(session.expires_in(), MINUTE * 2);
    let left = session.expires_in();
    sleep(left / 10 * 9).await;
    assert!(!session.is_completed());

    // Never more than a tick too much or too little.
    let near = |time: Duration| session.expires_in().abs_diff(time) <= Duration::from_millis(16);
    let request = session.enter().unwrap();
    assert!(near(MINUTE * 3), "as if the request ended now");
    advance(SECOND).await;
    assert!(near(MINUTE * 3));
    session.set_idle_timeout(IDLE);
    assert!(near(IDLE));
    advance(MINUTE * 35).await;
    assert!(near(MINUTE * 2 + SECOND * 11), "the absolute timeout");
    drop(request);
    assert!(near(MINUTE * 2 + SECOND * 11));
    session.completion_token().cancelled().await;
    assert_eq!(session.expires_in(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn r24_activity_counts_requests_and_guards_and_tells_the_idle_time() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let look = || {
        let activity = session.activity();
        (activity.requests, activity.keep_alives, activity.idle)
    };
    assert_eq!(look(), (0, 0, Some(Duration::ZERO)));
    advance(MINUTE).await;
    assert_eq!(look(), (0, 0, Some(MINUTE)));
    let requests = [session.enter().unwrap(), session.enter().unwrap()];
    let kept = session.keep_alive().unwrap();
    assert_eq!(look(), (2, 1, None));
    drop(requests);
    advance(MINUTE).await;
    assert_eq!(look(), (0, 1, None));
    drop(kept);
    assert_eq!(look(), (0, 0, Some(Duration::ZERO)));
    advance(MINUTE).await;
    assert_eq!(look(), (0, 0, Some(MINUTE)));
    let request = session.enter().unwrap();
    let kept = session.keep_alive().unwrap();
    session.terminate();
    assert_eq!(look(), (1, 1, None));
    drop((request, kept));
    let _ = session.cleanup_completed().await;
    assert_eq!(look(), (0, 0, None));
}
