//! `unconfirmed_timeout`: sessions that a client was given, and whose id nobody has presented.

use std::time::Duration;

use session_core::{BuildError, CompletionCause, LocalSession, NotLive, Session, SessionManager};
use tokio::time::{Instant, sleep};

use crate::kit::builder;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(20 * 60);

fn manager() -> SessionManager {
    let builder = builder().idle_timeout(IDLE).unconfirmed_timeout(MINUTE);
    builder.build().unwrap()
}

/// A session as an extractor creates one; its request is over.
fn given(sessions: &SessionManager) -> Session {
    let request = sessions.create_entered(None).unwrap();
    request.session().clone()
}

/// Presents the session's id.
fn present(sessions: &SessionManager, session: &Session) {
    drop(sessions.enter(&session.id()).unwrap());
}

async fn assert_idles(session: &Session, due: Instant) {
    session.completion_token().cancelled().await;
    let late = Instant::now().checked_duration_since(due);
    let late = late.expect("not before its time");
    assert!(late < SECOND, "{late:?} late");
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
}

#[tokio::test(start_paused = true)]
async fn r24_a_session_whose_id_nobody_presents_ends_sooner() {
    let sessions = manager();
    let session = given(&sessions);
    assert_eq!(session.expires_in(), MINUTE);
    assert_idles(&session, Instant::now() + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_one_whose_id_was_presented_has_its_own_timeout() {
    let sessions = manager();
    let session = given(&sessions);
    sleep(MINUTE / 10 * 9).await;
    present(&sessions, &session);
    let since = Instant::now();
    assert_idles(&session, since + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_it_is_off_by_default() {
    let sessions = builder().idle_timeout(IDLE).build().unwrap();
    let session = given(&sessions);
    assert_idles(&session, Instant::now() + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_it_is_not_for_the_application_s_own_sessions() {
    let sessions = manager();
    let own = [
        sessions.create().unwrap(),
        sessions.create_in("g".into()).unwrap(),
    ];
    let since = Instant::now();
    for session in &own {
        assert_idles(session, since + IDLE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r24_the_shorter_of_the_two_counts() {
    let sessions = manager();
    let [short, long] = std::array::from_fn(|_| given(&sessions));
    let since = Instant::now();
    short.set_idle_timeout(MINUTE / 2);
    long.set_idle_timeout(IDLE * 2);
    assert_idles(&short, since + MINUTE / 2).await;
    assert_idles(&long, since + MINUTE).await;

    let [short, long] = std::array::from_fn(|_| given(&sessions));
    for session in [&short, &long] {
        present(&sessions, session);
    }
    let since = Instant::now();
    short.set_idle_timeout(MINUTE / 2);
    long.set_idle_timeout(IDLE * 2);
    assert_idles(&short, since + MINUTE / 2).await;
    assert_idles(&long, since + IDLE * 2).await;

    let long = builder().idle_timeout(MINUTE).unconfirmed_timeout(IDLE);
    let sessions = long.build().unwrap();
    assert_idles(&given(&sessions), Instant::now() + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_activity_counts() {
    let sessions = manager();
    let request = sessions.create_entered(None).unwrap();
    let session = request.session().clone();
    sleep(IDLE * 2).await;
    assert!(!session.is_completed(), "an open stream is no crawler");
    drop(request);
    sleep(MINUTE / 2).await;
    session.touch();
    sleep(MINUTE / 2).await;
    // Entering a session by a handle presents no id, nor does a look-up.
    drop(session.enter().unwrap());
    assert!(sessions.get(&session.id()).is_some());
    assert_idles(&session, Instant::now() + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_only_an_id_that_lives_is_presented() {
    let sessions = manager();
    let session = given(&sessions);
    let old = session.id();
    drop(session.cycle_id().unwrap());
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    assert_eq!(session.expires_in(), MINUTE);
    present(&sessions, &session);
    assert_eq!(session.expires_in(), IDLE);
    // Once is enough.
    drop(session.cycle_id().unwrap());
    assert_idles(&session, Instant::now() + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_zero_is_an_error() {
    let zero = builder().unconfirmed_timeout(Duration::ZERO).build();
    assert!(matches!(zero, Err(BuildError::Zero("unconfirmed_timeout"))));
    let long = builder().unconfirmed_timeout(Duration::MAX).build();
    let sessions = long.unwrap();
    assert_idles(&given(&sessions), Instant::now() + IDLE).await;
}
