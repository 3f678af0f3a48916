//! Ends that tests wait for.

use std::time::Duration;

use session_core::{CompletionCause, LocalSession as _, PropertyKey, SessionManager};
use session_test::{SessionExt as _, assert_ended};

const LOG: PropertyKey<Vec<u8>> = PropertyKey::new("log");

fn manager() -> SessionManager {
    SessionManager::builder().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_end_is_awaited_with_its_cleanup() {
    let session = manager().create();
    // The manager is gone.
    assert_ended!(session.unwrap(), CompletionCause::Shutdown);

    let sessions = manager();
    let session = sessions.create_in("user".into()).unwrap();
    session.properties().insert(&LOG, vec![]).unwrap();
    let group = session.group();
    group.properties().insert(&LOG, vec![]).unwrap();
    tokio::spawn({
        let session = session.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            session.terminate();
        }
    });
    assert_eq!(
        assert_ended!(&session, CompletionCause::Terminated).closed(),
        1
    );
    let report = assert_ended!(group, CompletionCause::LastSessionEnded);
    assert_eq!(report.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_awaited() {
    let sessions = manager();
    let idle = sessions.create().unwrap();
    let busy = sessions.create().unwrap();
    let kept = busy.keep_alive().unwrap();
    assert_ended!(idle, CompletionCause::IdleTimeout);
    assert_ended!(busy, CompletionCause::AbsoluteTimeout);
    drop(kept);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "to end as `terminated`, but it ended as `idle timeout`")]
async fn another_cause_fails_the_test() {
    let sessions = manager();
    assert_ended!(sessions.create().unwrap(), CompletionCause::Terminated);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "to end as `evicted`, but it ended as `terminated` (signed out)")]
async fn another_cause_is_told_with_its_reason() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.terminate_because("signed out");
    assert_ended!(session, CompletionCause::Evicted);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "to end as `terminated`, but it is active after 604800s: \
                           requests inside: 1, keep-alives: 1\n  `log` (alloc::vec::Vec<u8>)")]
async fn a_session_that_does_not_end_fails_the_test() {
    let sessions = SessionManager::builder()
        .absolute_timeout(Duration::MAX)
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    session.properties().insert(&LOG, vec![]).unwrap();
    let _inside = (session.enter().unwrap(), session.keep_alive().unwrap());
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected group user (")]
async fn a_group_that_does_not_end_fails_the_test() {
    let sessions = SessionManager::builder()
        .idle_timeout(Duration::MAX)
        .absolute_timeout(Duration::MAX)
        .build()
        .unwrap();
    let session = sessions.create_in("user".into()).unwrap();
    assert_ended!(session.group(), CompletionCause::Terminated);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "had problems:\n  `log` (alloc::vec::Vec<u8>): failed: \"disk full\"")]
async fn a_cleanup_with_problems_fails_the_test() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let close = |_: Vec<u8>| Err::<(), _>("disk full");
    session
        .properties()
        .insert_with(&LOG, vec![], close)
        .unwrap();
    session.terminate();
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test(start_paused = true)]
async fn a_session_expires_now_in_no_time() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.properties().insert(&LOG, vec![]).unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(session.expire().await.closed(), 1);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    // Once more: it has expired.
    assert!(session.expire().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_session_expires_once_it_is_idle() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let inside = session.enter().unwrap();
    let expired = tokio::spawn({
        let session = session.clone();
        async move { session.expire().await }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!session.is_completed());
    drop(inside);
    assert!(expired.await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "to end as `idle timeout`, but it ended as `absolute timeout`")]
async fn a_session_that_is_kept_does_not_expire() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let _kept = session.keep_alive().unwrap();
    session.expire().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "but it is active after 604800s: requests inside: 1, keep-alives: 0 (at")]
async fn a_session_that_is_never_idle_does_not_expire() {
    let builder = SessionManager::builder().absolute_timeout(Duration::MAX);
    let sessions = builder.build().unwrap();
    let session = sessions.create().unwrap();
    let _inside = session.enter().unwrap();
    session.expire().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "but it ended as `terminated` (at session-test/tests/tools/ended.rs:")]
async fn a_session_that_has_ended_does_not_expire() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.terminate();
    session.expire().await;
}
