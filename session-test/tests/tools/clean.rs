//! The check that nothing is left.

use std::time::Duration;

use session_core::{LocalSession as _, PropertyKey, SessionManager};
use session_test::SessionsExt as _;

const LOG: PropertyKey<Vec<u8>> = PropertyKey::new("log");

fn manager() -> SessionManager {
    SessionManager::builder().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_clean() {
    let sessions = manager();
    sessions.assert_clean().await;
    let record = sessions.record_cleanups();
    for _ in 0..300 {
        let session = sessions.create_in("user".into()).unwrap();
        session.properties().insert(&LOG, vec![]).unwrap();
        session.terminate();
    }
    // It waits for their cleanups.
    assert_eq!(sessions.stats().in_cleanup, 300);
    record.assert_clean().await;
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "is active: requests inside: 1, keep-alives: 0\n  `log` (alloc::vec::Vec<u8>)\n"
)]
async fn a_session_that_is_left_fails_the_test() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.properties().insert(&LOG, vec![]).unwrap();
    let _request = session.enter().unwrap();
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "group user (")]
async fn a_group_that_lingers_fails_the_test() {
    let sessions = SessionManager::builder()
        .group_linger(Duration::from_secs(60))
        .build()
        .unwrap();
    sessions.create_in("user".into()).unwrap().terminate();
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`log` (alloc::vec::Vec<u8>): still held")]
async fn a_cleanup_under_way_that_has_problems_fails_the_test() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let _held = session.properties().insert(&LOG, vec![1]).unwrap();
    session.terminate();
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`log` (alloc::vec::Vec<u8>): panicked: out of ink")]
async fn a_recorded_cleanup_that_had_problems_fails_the_test() {
    let sessions = manager();
    let record = sessions.record_cleanups();
    let session = sessions.create().unwrap();
    let group = session.group();
    let close = |_: Vec<u8>| -> () { panic!("out of ink") };
    group.properties().insert_with(&LOG, vec![], close).unwrap();
    session.terminate();
    group.cleanup_completed().await;
    record.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "lifecycle events were missed: the record has no room for so many")]
async fn a_record_that_has_missed_something_fails_the_test() {
    let sessions = manager();
    let record = sessions.record_cleanups();
    for _ in 0..1000 {
        sessions.create().unwrap().terminate();
    }
    record.assert_clean().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "cleanups have not ended after 604800s\n1 sessions are in cleanup")]
async fn a_cleanup_that_does_not_end_fails_the_test() {
    let sessions = SessionManager::builder()
        .drain_timeout(Duration::MAX)
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let _request = session.enter().unwrap();
    session.terminate();
    sessions.assert_clean().await;
}
