//! Bodies that are no message, or not all of one.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::StreamBody;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;
use tower_service::Service as _;

use crate::app::App;
use crate::raw::Raw;
use crate::served::service;

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_message_is_refused_and_its_session_goes_on() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(&app, LiveSessions::new(sessions)));
    raw.start().await;
    let large = format!(
        r#"{{"jsonrpc":"2.0","id":9,"method":"{}"}}"#,
        "x".repeat(100 << 20)
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "",
        "{",
        "null",
        "[]",
        r#"[{"jsonrpc":"2.0","id":9,"method":"ping"}]"#,
        r#"{"jsonrpc":"1.0","id":9,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":99999999999999999999999,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        "\u{0}",
        &deep,
        &large,
    ] {
        let status = raw.send(Method::POST, body).await.status();
        let start: String = body.chars().take(60).collect();
        assert!(status.is_client_error(), "{status} for {start}");
    }
    assert_eq!(raw.text("count").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_holds_up_no_end_for_longer_than_the_drain_timeout() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut service = service(&app, LiveSessions::new(sessions.clone()));
    let mut raw = Raw::new(&service);
    raw.start().await;
    let body = StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, Infallible>,
    >());
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.headers_mut() = raw.headers.clone();
    let stalled = tokio::spawn(service.call(request));
    tokio::task::yield_now().await;
    let session = sessions.sessions().pop().unwrap();
    let report = tokio::time::timeout(Duration::from_secs(6), async {
        session.terminate();
        session.cleanup_completed().await
    });
    report.await.expect("the drain timeout is five seconds");
    stalled.abort();
}
