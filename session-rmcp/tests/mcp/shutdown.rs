//! The end of the server, and of sessions with calls under way.

use std::time::Duration;

use serde_json::Value;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::{Raw, text_of};
use crate::served::{Served, call, service};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_call_of_rmcps_client_is_answered_during_a_shutdown() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client(None).await;
    assert_eq!(call(&client, "work").await.unwrap(), "working");
    let shutdown = async {
        app.call_at_the_gate().await;
        let session = sessions.sessions().pop().unwrap();
        let shutdown = sessions.shutdown(10 * SECOND);
        let opening = async {
            session.completion_token().cancelled().await;
            app.gate.add_permits(1);
        };
        tokio::join!(shutdown, opening).0
    };
    let (waited, report) = tokio::join!(call(&client, "wait"), shutdown);
    assert_eq!(waited.unwrap(), "waited");
    assert!(report.is_clean(), "{report:?}");
    // Nothing is closed before the call has ended.
    assert_eq!(
        app.log(),
        ["call ended", "job stopped", "connection rolled back"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_tool_learns_of_the_end_and_can_still_answer() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let mut stream = raw.call("until_the_end").await;
    app.call_at_the_gate().await;
    let report = sessions.shutdown(10 * SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(text_of(&stream.answer().await), "seen");
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_is_answered_with_an_error_and_named() {
    let app = App::new();
    let sessions = app.manager().close_timeout(20 * SECOND).build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let session = sessions.sessions().pop().unwrap();
    let mut stream = raw.call("wait").await;
    app.call_at_the_gate().await;
    session.terminate_because("the plug was pulled");
    let answer = stream.answer().await;
    assert_eq!(
        answer["error"]["message"],
        "the session has ended: the plug was pulled; initialize a new one"
    );
    assert!(stream.next().await.is_none());
    let report = session.cleanup_completed().await;
    // The request, and the connection that it holds.
    assert_eq!(report.problems().len(), 2, "{report:?}");
    assert!(app.log().is_empty());
    app.gate.add_permits(1);
}

/// rmcp waits five seconds for a tool after the end of its transport, and has the handler until then.
#[tokio::test(start_paused = true)]
async fn cleanup_ends_when_rmcp_has_let_go() {
    let app = App::new();
    let sessions = app.manager().drain_timeout(5 * SECOND).build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let session = sessions.sessions().pop().unwrap();
    let _stream = raw.call("wait_outside").await;
    app.call_at_the_gate().await;
    let start = tokio::time::Instant::now();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(report.problems().len(), 1, "{report:?}");
    assert!(start.elapsed() >= 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_belongs_to_no_request_ends_with_a_farewell() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    let mut stream = raw.listen().await;
    let report = sessions.shutdown(10 * SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    let farewell: Value = stream.message().await.unwrap();
    assert_eq!(farewell["method"], "notifications/message");
    assert_eq!(
        farewell["params"]["data"],
        "the session has ended: the server is shutting down; initialize a new one"
    );
    assert!(stream.next().await.is_none());
}

/// Its client has stopped reading, and holds up nothing.
#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_holds_up_no_shutdown() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    assert_eq!(raw.text("work").await, "working");
    let _unread = raw.listen().await;
    let report = sessions.shutdown(SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(app.log(), ["job stopped", "connection rolled back"]);
}
