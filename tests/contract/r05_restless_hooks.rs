//! Cleanup resolves whatever a hook does between its awaits.

use session_core::{LocalSession, PropertyKey, Trouble};

use crate::kit::manager;

const KEY: PropertyKey<String> = PropertyKey::new("key");

/// Never rests: it uses up its task's budget at every poll, and so the budget of everything after it.
async fn restless(_value: String) {
    loop {
        tokio::task::consume_budget().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_a_restless_hook_is_aborted_at_the_close_timeout() {
    let sessions = crate::kit::builder()
        .close_timeout(std::time::Duration::from_millis(50))
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let value = String::new();
    session
        .properties()
        .insert_with(&KEY, value, restless)
        .unwrap();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(*report.problems()[0].trouble(), Trouble::TimedOut);
}

#[tokio::test]
async fn r05_the_report_can_be_awaited_outside_a_runtime() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.properties().insert(&KEY, String::new()).unwrap();
    session.terminate();
    let cleanup = session.cleanup_completed();
    assert_eq!(session.cleanup_completed().await.closed(), 1);
    let elsewhere = std::thread::spawn(|| futures_util::FutureExt::now_or_never(cleanup));
    assert_eq!(elsewhere.join().unwrap().unwrap().closed(), 1);
}
