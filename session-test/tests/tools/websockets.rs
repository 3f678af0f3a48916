//! WebSockets, over a real upgrade.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{self, CloseFrame, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use session_axum::{Session, SessionLayer, SessionUpgrade, Socket};
use session_core::{CompletionCause, LocalSession as _, SessionManager};
use session_test::{Browser, Message, SessionExt as _, SessionsExt as _, assert_ended};
use tokio::sync::oneshot;

/// Echoes messages, and obeys some.
async fn obey(mut socket: ws::WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            ws::Message::Text(text) => match text.as_str() {
                "close" => ws::Message::Close(Some(CloseFrame {
                    code: 4000,
                    reason: "bye".into(),
                })),
                "close without a code" => ws::Message::Close(None),
                "drop" => return,
                "ping" => ws::Message::Ping("hello".into()),
                "sleep" => {
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                    "slept".into()
                }
                _ => ws::Message::Text(text),
            },
            ws::Message::Pong(pong) => ws::Message::Binary(pong),
            ws::Message::Binary(bytes) => ws::Message::Binary(bytes),
            _ => continue,
        };
        let _ = socket.send(answer).await;
    }
}

async fn live(upgrade: SessionUpgrade) -> Response {
    upgrade
        .ping(Duration::from_secs(20))
        .run(async |mut socket: Socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if let ws::Message::Text(text) = message {
                    assert_ne!(text.as_str(), "panic", "as asked for");
                    let _ = socket.send(ws::Message::Text(text)).await;
                }
            }
        })
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route(
            "/obey",
            any(async |upgrade: WebSocketUpgrade| upgrade.protocols(["v2", "v1"]).on_upgrade(obey)),
        )
        .route("/live", any(live))
        .route("/visit", any(async |_: Session| ()))
        .route("/panic", any(async || -> () { panic!("out of ink") }))
        .route(
            "/other",
            any(async || {
                let head = [
                    ("upgrade", "websocket"),
                    ("connection", "upgrade"),
                    ("sec-websocket-accept", "x"),
                ];
                (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

fn manager() -> SessionManager {
    SessionManager::builder().build().unwrap()
}

fn browser() -> Browser {
    Browser::new(app(&manager()))
}

#[tokio::test(start_paused = true)]
async fn messages_come_and_go() {
    let mut socket = browser().websocket("/obey").await;
    socket.send_text("hello").await;
    assert_eq!(socket.next().await, Some(Message::text("hello")));
    socket.send_binary(vec![1, 2]).await;
    assert_eq!(
        socket.next().await,
        Some(Message::Binary(vec![1, 2].into()))
    );
    let long = "x".repeat(1 << 20);
    let (sent, came) = {
        let mut other = browser().websocket("/obey").await;
        other.send_text("sleep").await;
        let slept = other.next().await;
        socket.send_text(&*long).await;
        (slept, socket.next().await)
    };
    assert_eq!(sent, Some(Message::text("slept")));
    assert_eq!(came, Some(Message::text(long)));
    socket.close().await;
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_and_not_seen() {
    let mut socket = browser().websocket("/obey").await;
    socket.send_text("ping").await;
    assert_eq!(socket.next().await, Some(Message::Binary("hello".into())));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_is_the_end() {
    for (asked, end) in [
        ("close", Message::close(4000, "bye")),
        ("close without a code", Message::close(1005, "")),
        ("drop", Message::close(1006, "")),
    ] {
        let mut socket = browser().websocket("/obey").await;
        socket.send_text(asked).await;
        assert_eq!(socket.next().await, Some(end), "{asked}");
        assert_eq!(socket.next().await, None);
        // As with a page's socket.
        socket.send_text("too late").await;
        assert_eq!(socket.next().await, None);
        socket.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_protocol_is_agreed_on() {
    let ann = browser();
    for (offered, agreed) in [("v1, v3", Some("v1")), ("v3", None)] {
        let socket = ann
            .websocket("/obey")
            .header("sec-websocket-protocol", offered)
            .await;
        assert_eq!(socket.protocol(), agreed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_with_its_socket_and_tells_it_the_end() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions));
    let mut socket = ann.websocket("/live").await;
    socket.send_text("hello").await;
    assert_eq!(socket.next().await, Some(Message::text("hello")));
    let session = ann.session(&sessions).unwrap();
    session.terminate();
    assert_eq!(
        socket.next().await,
        Some(Message::close(1008, "terminated"))
    );
    assert_ended!(session, CompletionCause::Terminated);

    // A client that closes, and one that has gone.
    let socket = ann.websocket("/live").await;
    let session = ann.session(&sessions).unwrap();
    socket.close().await;
    assert!(session.expire().await.is_clean());
    let socket = ann.websocket("/live").await;
    let session = ann.session(&sessions).unwrap();
    drop(socket);
    assert!(session.expire().await.is_clean());

    // A client that does not read is soon dead.
    let mut socket = ann.websocket("/live").await;
    let session = ann.session(&sessions).unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(socket.next().await, Some(Message::close(1006, "")));
    assert_ended!(session, CompletionCause::IdleTimeout);
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_is_told_by_its_code() {
    let sessions = manager();
    let mut socket = Browser::new(app(&sessions)).websocket("/live").await;
    socket.send_text("panic").await;
    assert_eq!(socket.next().await, Some(Message::close(1011, "")));
}

#[tokio::test(start_paused = true)]
async fn the_cookies_of_a_handshake_are_kept_and_sent() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions));
    ann.get("/visit").await;
    let session = ann.session(&sessions);
    let socket = ann.websocket("/live").await;
    assert_eq!(ann.session(&sessions), session);
    assert_eq!(sessions.stats().created, 1);
    drop(socket);
    let bob = Browser::new(app(&sessions));
    let _socket = bob.websocket("/live").await;
    assert!(
        bob.session(&sessions)
            .is_some_and(|other| Some(other) != session)
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_can_be_looked_at() {
    let ann = browser();
    let elsewhere = ann
        .websocket("/live")
        .header("origin", "https://example.com");
    let problem: serde_json::Value = elsewhere.refused().await.assert_status(403).json();
    assert_eq!(problem["type"], "urn:problem-type:cross-origin");
    let answer = ann.websocket("/visit").refused().await.assert_status(200);
    assert_eq!(answer.text(), "");
    // Its cookie came with the refusal.
    assert!(ann.cookie("id").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_that_of_the_applications_own_page() {
    let head = async |headers: HeaderMap| {
        let value = |name: &str| headers[name].to_str().unwrap().to_owned();
        let names = ["host", "origin", "sec-fetch-site", "upgrade"];
        let body = names.map(value).join(" ");
        // The server's end of the connection is closed behind this.
        (StatusCode::IM_A_TEAPOT, [("connection", "close")], body)
    };
    let ann = Browser::new(Router::new().route("/", any(head)));
    let answer = ann.websocket("/").refused().await.assert_status(418);
    assert_eq!(
        answer.text(),
        "localhost https://localhost same-origin websocket"
    );
    let elsewhere = ann.websocket("/").header("origin", "null");
    let answer = elsewhere.refused().await;
    assert_eq!(answer.text(), "localhost null cross-site websocket");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_is_answered() {
    let (tell, told) = oneshot::channel();
    let tell = Arc::new(Mutex::new(Some(tell)));
    let close = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| {
            let _ = socket.send(ws::Message::Close(None)).await;
            let answer = socket.recv().await;
            let _ = tell.lock().unwrap().take().unwrap().send(answer);
        })
    };
    let ann = Browser::new(Router::new().route("/", any(close)));
    let mut socket = ann.websocket("/").await;
    assert_eq!(socket.next().await, Some(Message::close(1005, "")));
    let told = tokio::time::timeout(Duration::from_secs(60), told).await;
    let answer = told.expect("no answer").unwrap();
    assert!(
        matches!(answer, Some(Ok(ws::Message::Close(None)))),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected a WebSocket, came 404 Not Found")]
async fn a_refusal_fails_the_test() {
    let _ = browser().websocket("/nowhere").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected a refusal, came a WebSocket")]
async fn a_socket_that_should_be_refused_fails_the_test() {
    browser().websocket("/obey").refused().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "out of ink")]
async fn a_handler_that_panics_before_the_upgrade_fails_the_test() {
    let _ = browser().websocket("/panic").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the server has accepted another handshake")]
async fn an_answer_to_another_handshake_fails_the_test() {
    let _ = browser().websocket("/other").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "GET /obey (at session-test/tests/tools/websockets.rs:")]
async fn a_message_that_does_not_come_fails_the_test() {
    let mut socket = browser().websocket("/obey").await;
    socket.next().await;
}
