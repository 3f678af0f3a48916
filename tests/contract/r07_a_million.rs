//! A million sessions of mixed activity end when they should, without scans and without tasks.

use std::time::Duration;

use session_core::{KeepAlive, LocalSession, RequestGuard, Session, SessionManager, WhenFull};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

const SESSIONS: usize = 1_000_000;
const IDLE: u64 = 60;

/// A bucket of the timer, and a little more. A session ends within this span after its time.
const BUCKET: Duration = Duration::from_millis(1_000);

/// Lets the sweeper run until this many sessions are left. It ends a batch at each turn.
async fn settle(sessions: &SessionManager, left: usize) {
    for _ in 0..SESSIONS {
        if sessions.stats().active <= left {
            break;
        }
        yield_now().await;
    }
    assert_eq!(sessions.stats().active, left);
}

#[tokio::test(start_paused = true)]
async fn r07_a_million_sessions_end_when_they_should() {
    let sessions = SessionManager::builder()
        .idle_timeout(Duration::from_secs(IDLE))
        .max_sessions(SESSIONS, WhenFull::Reject)
        .build()
        .unwrap();
    let start = Instant::now();
    let at = |seconds: u64| sleep_until(start + Duration::from_secs(seconds));
    let late = |seconds: u64| sleep_until(start + Duration::from_secs(seconds) + BUCKET);
    let all: Vec<Session> = (0..SESSIONS).map(|_| sessions.create().unwrap()).collect();
    let quarter = SESSIONS / 4;
    let (idle, touched, inside, kept) = (
        &all[..quarter],
        &all[quarter..2 * quarter],
        &all[2 * quarter..3 * quarter],
        &all[3 * quarter..],
    );

    at(30).await;
    for session in touched {
        drop(session.enter().unwrap());
    }
    let inside: Vec<RequestGuard> = inside
        .iter()
        .map(|session| session.enter().unwrap())
        .collect();
    let kept: Vec<KeepAlive> = kept
        .iter()
        .map(|session| session.keep_alive().unwrap())
        .collect();

    // Never before its time.
    at(IDLE - 1).await;
    settle(&sessions, SESSIONS).await;
    late(IDLE).await;
    settle(&sessions, 3 * quarter).await;
    assert!(idle.iter().all(Session::is_completed));
    assert!(
        Handle::current().metrics().num_alive_tasks() < 10,
        "no task per session"
    );

    at(30 + IDLE - 1).await;
    settle(&sessions, 3 * quarter).await;
    late(30 + IDLE).await;
    settle(&sessions, 2 * quarter).await;
    assert!(touched.iter().all(Session::is_completed));

    // Not during an activity, however long; then from its end.
    at(200).await;
    settle(&sessions, 2 * quarter).await;
    drop(inside);
    at(220).await;
    drop(kept);
    at(200 + IDLE - 1).await;
    settle(&sessions, 2 * quarter).await;
    late(200 + IDLE).await;
    settle(&sessions, quarter).await;
    late(220 + IDLE).await;
    settle(&sessions, 0).await;
    assert_eq!(sessions.stats().in_cleanup, 0);
}
