//! The requests that are let in, and the most that one may cost.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use session_core::CompletionCause;
use session_test::assert_ended;
use tokio::io::AsyncReadExt as _;
use tower::ServiceExt as _;

use crate::inside::Workbench;
use crate::kit::in_time;
use crate::kit::problem::problem;
use crate::kit::visitor::{ENDLESS, Visitor as _};
use crate::server::Server;

/// Sends a request with these headers alone, as no browser of today does. Returns the answer's status, and whether it
/// sets a cookie.
async fn send(
    workbench: &Workbench,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, bool) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header(HOST, "127.0.0.1:3000");
    let sql = json!({ "sql": "SELECT 1" }).to_string();
    let request = request.body(Body::from(sql)).expect("it is a request");
    let Ok(response) = workbench.app.clone().oneshot(request).await;
    let sets_cookie = response.headers().contains_key(SET_COOKIE);
    (response.status(), sets_cookie)
}

#[tokio::test]
async fn requests_from_pages_of_others_are_refused_and_make_no_session() {
    let workbench = Workbench::new();
    let json = ("content-type", "application/json");
    for headers in [
        [json, ("sec-fetch-site", "cross-site")],
        [json, ("sec-fetch-site", "same-site")],
        [
            ("content-type", "text/plain"),
            ("sec-fetch-site", "cross-site"),
        ],
        [json, ("origin", "http://evil.example")],
        [json, ("origin", "http://127.0.0.1:3001")],
    ] {
        for path in ["/api/query", "/api/logout"] {
            let answer = send(&workbench, Method::POST, path, &headers).await;
            assert_eq!(answer, (StatusCode::FORBIDDEN, false), "{headers:?}");
        }
    }
    assert_eq!(workbench.sessions.sessions(), []);
    let own = [
        json,
        ("sec-fetch-site", "same-origin"),
        ("origin", "http://127.0.0.1:3000"),
    ];
    let answer = send(&workbench, Method::POST, "/api/query", &own).await;
    assert_eq!(answer, (StatusCode::OK, true));
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    let answer = send(&workbench, Method::GET, "/", &link).await;
    assert_eq!(answer, (StatusCode::OK, false));
    workbench.close().await;
}

/// A visitor's session is not evicted by requests that are refused or never end, however many.
#[tokio::test]
async fn refused_and_unfinished_requests_make_no_session() {
    let server = Server::start(&[]).await;
    let ann = server.visitor();
    ann.rows("BEGIN; DELETE FROM airports").await;
    for _ in 0..70 {
        for (kind, body) in [
            (Some("text/plain"), "{}"),
            (Some("application/json"), "{}"),
            (Some("application/json"), "no json"),
            (None, ""),
        ] {
            let mut request = server.visitor().post("/api/query").body(body);
            if let Some(kind) = kind {
                request = request.header(CONTENT_TYPE, kind);
            }
            let answer = request.await;
            assert!(answer.status().is_client_error(), "{answer}");
            assert!(!answer.headers().contains_key(SET_COOKIE));
        }
    }
    let mut unfinished = Vec::new();
    for _ in 0..70 {
        let head = "POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
        let begun = format!("{head}\r\ncontent-length: 100\r\n\r\n{{");
        unfinished.push(server.send(&begun).await);
    }
    // Other requests are let in meanwhile, and the visitor's transaction is still open.
    for _ in 0..3 {
        server.visitor().rows("SELECT 1").await;
    }
    assert_eq!(ann.state().await["transaction"], true);
    // The unfinished requests are answered, in the end, with a timeout.
    for mut stream in unfinished {
        let mut answer = [0; 12];
        let read = in_time(stream.read_exact(&mut answer)).await;
        read.expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    assert_eq!(ann.state().await["transaction"], true);
    server.stop().await;
}

#[tokio::test]
async fn two_servers_on_one_host_leave_each_others_visitors_alone() {
    let (one, other) = (Server::start(&[]).await, Server::start(&[]).await);
    let ann = one.visitor();
    ann.rows("CREATE TEMP TABLE mine (x)").await;
    // A browser sends the cookies of the host to both.
    let there = other.visitor();
    let query = there.post("/api/query").header("cookie", one.cookie(&ann));
    let answer = query.json(&json!({ "sql": "SELECT 1" })).await;
    answer.assert_status(200);
    assert_ne!(
        other.cookie(&there),
        one.cookie(&ann),
        "under a name of its own"
    );
    let count = ann.rows("SELECT count(*) FROM mine").await;
    assert_eq!(count, json!([[0]]));
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn the_progress_of_a_query_is_told_until_it_stops() {
    let (workbench, ann) = Workbench::visited();
    let runner = ann.background(ENDLESS).await;
    let path = format!("{runner}/events");
    let mut events = ann.events(&path).await;
    for _ in 0..2 {
        let told = events.next().await.expect("there are more").data;
        assert!(told.contains(r#""state":"running""#), "{told}");
    }
    ann.post(&format!("{runner}/cancel"))
        .await
        .assert_status(200);
    let mut last = String::new();
    while let Some(event) = events.next().await {
        last = event.data;
    }
    assert!(last.contains(r#""state":"cancelled""#), "{last}");
    // A stopped query has one event. A missing one is an error.
    let mut events = ann.events(&path).await;
    let told = events.next().await.map(|event| event.data);
    assert_eq!(told, Some(last));
    assert_eq!(events.next().await, None);
    problem(&ann.get("/api/runners/99/events").await, 404);
    workbench.close().await;
}

#[tokio::test]
async fn a_stream_that_its_client_does_not_read_ends_with_the_session() {
    let (workbench, ann) = Workbench::visited();
    let sql = format!("BEGIN; DELETE FROM airports; {ENDLESS}");
    let runner = ann.background(&sql).await;
    let _unread = ann.events(&format!("{runner}/events")).await;
    let (session, _) = workbench.session(&ann);
    ann.log_out().await;
    assert_ended!(session, CompletionCause::Terminated);
    workbench.assert_nothing_open();
    workbench.close().await;
}
