//! Requests that are dropped at any point, and request ids that are used again.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use session_core::{LocalSession as _, SessionManager};
use session_rmcp::LiveSessions;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::app::App;
use crate::raw::{Events, Raw, text_of};
use crate::served::{by_header, service};

const MINUTE: Duration = Duration::from_secs(60);

/// Polls a future so many times, and drops it.
async fn poll_times<F: Future>(future: F, times: usize) {
    let mut future = pin!(future);
    for _ in 0..times {
        let poll = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if poll.is_ready() {
            return;
        }
        yield_now().await;
    }
}

async fn assert_all_time_out(sessions: &SessionManager) {
    for session in sessions.sessions() {
        let report = timeout(10 * MINUTE, session.cleanup_completed()).await;
        let report = report.expect("it is idle");
        assert!(report.is_clean(), "{report:?}");
    }
    let stats = sessions.stats();
    assert_eq!((stats.active, stats.in_cleanup), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_at_any_point_leaves_nothing() {
    let app = App::new();
    let sessions = app.manager().idle_timeout(MINUTE).build().unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    for times in 0..12 {
        poll_times(Raw::new(&service).start(), times).await;
        let mut raw = Raw::new(&service);
        raw.start().await;
        poll_times(raw.text("work"), times).await;
        poll_times(raw.listen(), times).await;
        poll_times(raw.resume("1/0"), times).await;
        poll_times(
            raw.notify("notifications/cancelled", &json!({"requestId": 2})),
            times,
        )
        .await;
        let mut other = Raw::new(&service);
        other.start().await;
        poll_times(other.delete(), times).await;
    }
    assert_all_time_out(&sessions).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_id_that_is_used_twice_at_once_leaves_nothing() {
    let app = App::new();
    let sessions = app.manager().idle_timeout(MINUTE).build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let wait = r#"{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "wait_outside", "arguments": {}}}"#;
    let mut first = Events::of(raw.send(Method::POST, wait).await);
    app.call_at_the_gate().await;
    let mut second = Events::of(raw.send(Method::POST, wait).await);
    app.call_at_the_gate().await;
    // A text is not a number.
    let text = wait.replace('7', "\"7\"");
    let mut third = Events::of(raw.send(Method::POST, &text).await);
    app.call_at_the_gate().await;
    assert!(first.message().await.is_none());
    app.gate.add_permits(3);
    assert_eq!(text_of(&second.answer().await), "waited");
    assert_eq!(text_of(&third.answer().await), "waited");
    drop((first, second, third));
    assert_all_time_out(&sessions).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_session_ids_in_a_request_the_first_counts_for_all() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, by_header(LiveSessions::new(sessions.clone())));
    let mut ann = Raw::of_user(&service, "ann");
    ann.start().await;
    let mut bob = Raw::of_user(&service, "bob");
    bob.start().await;
    let of_ann = ann.headers["mcp-session-id"].clone();
    bob.headers.append("mcp-session-id", of_ann.clone());
    assert_eq!(bob.text("count").await, "1");
    let of_bob = bob.headers["mcp-session-id"].clone();
    bob.headers.insert("mcp-session-id", of_ann);
    bob.headers.append("mcp-session-id", of_bob);
    assert_eq!(bob.delete().await, StatusCode::NOT_FOUND);
    assert_eq!(ann.text("count").await, "1");
}

#[tokio::test(start_paused = true)]
async fn an_initialize_of_ones_own_session_is_answered_and_the_session_goes_on() {
    let app = App::new();
    let sessions = app.manager().idle_timeout(MINUTE).build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let answer = raw
        .request(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "raw", "version": "1"},
            }),
        )
        .await;
    assert!(Events::of(answer).answer().await["result"].is_object());
    assert_eq!(raw.text("count").await, "1");
    assert_eq!(sessions.stats().created, 1);
    assert_all_time_out(&sessions).await;
}
