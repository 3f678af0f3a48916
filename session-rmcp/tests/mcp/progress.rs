//! Messages that a tool sends while it runs.

use session_core::LocalSession as _;
use session_rmcp::LiveSessions;
use tokio::task::yield_now;

use crate::app::App;
use crate::raw::{Events, Raw, text_of};
use crate::served::service;

/// Reads the rest of a stream of `report`, from this step on.
async fn assert_reported(stream: &mut Events, from: u32) {
    for step in from..=100 {
        let message = stream.message().await.unwrap();
        assert_eq!(message["method"], "notifications/progress");
        assert_eq!(message["params"]["progress"], f64::from(step));
    }
    assert_eq!(text_of(&stream.answer().await), "reported");
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_loses_nothing_and_holds_up_no_other_call() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let mut slow = raw.call("report").await;
    for turn in 1..=20 {
        assert_eq!(raw.text("count").await, turn.to_string());
    }
    // The tool waits for room: what is not read does not pile up.
    let session = sessions.sessions().pop().unwrap();
    assert_eq!(session.activity().requests, 1);
    assert_reported(&mut slow, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_gets_the_newest_messages_and_the_answer() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let mut stream = raw.call("report").await;
    let id = stream.next().await.unwrap().id.unwrap();
    drop(stream);
    // Without a reader the call runs to its end.
    let session = sessions.sessions().pop().unwrap();
    while session.activity().requests > 0 {
        yield_now().await;
    }
    assert_reported(&mut raw.resume(&id).await, 86).await;
    assert!(!session.is_completed());
}

/// Its tool waits for room, and is told that there will be none.
#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_holds_up_no_end() {
    let app = App::new();
    let sessions = app
        .manager()
        .close_timeout(std::time::Duration::from_secs(20))
        .build()
        .unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    assert_eq!(raw.text("work").await, "working");
    let _unread = raw.call("report").await;
    assert_eq!(raw.text("count").await, "1");
    let session = sessions.sessions().pop().unwrap();
    session.terminate();
    session.cleanup_completed().await;
    assert_eq!(app.log(), ["job stopped", "connection rolled back"]);
    assert_eq!(sessions.stats().in_cleanup, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_its_client_cancels_does_not_wait_for_room_any_more() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions)));
    raw.start().await;
    let _unread = raw.call("report").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(app.log().is_empty());
    let cancelled = serde_json::json!({"requestId": 2});
    assert_eq!(
        raw.notify("notifications/cancelled", &cancelled).await,
        http::StatusCode::ACCEPTED
    );
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(app.log(), ["reported"]);
}
