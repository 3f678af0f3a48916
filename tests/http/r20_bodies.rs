//! Row 20: a client that hangs up in the middle of its request's body reads no response.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::middleware::map_request;
use axum::routing::post;
use futures_util::stream;
use http::Request;
use http_body_util::Limited;
use session_axum::{LazySession, Session, SessionLayer, SessionRejection};
use session_core::{LocalSession as _, NotLive, SessionManager};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::kit::{cookie, is_silent, manager, told};

/// Answers whether or not the body arrives.
async fn upload(session: Session, body: Body) -> String {
    let read = axum::body::to_bytes(body, usize::MAX).await;
    format!("{} {}", session.is_new(), read.is_ok())
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route("/", post(upload))
        .route(
            "/cycle",
            post(async |session: Session, body: Body| {
                session.cycle_id()?;
                let _cut = axum::body::to_bytes(body, usize::MAX).await;
                Ok::<_, SessionRejection>(())
            }),
        )
        .route("/refuse", post(async |_: Session, _: Bytes| ()))
        .route(
            "/lazy",
            post(async |visitor: LazySession, _: Bytes| visitor.session().map(drop)),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

fn send(path: &str, cookies: &str, body: Body) -> Request<Body> {
    Request::post(path)
        .header("cookie", cookies)
        .body(body)
        .unwrap()
}

async fn serve(sessions: &SessionManager) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app(sessions)).into_future());
    address
}

/// Sends half a body and hangs up. If a session is to be created, the server has created it by then.
async fn hang_up(address: SocketAddr, sessions: &SessionManager, path: &str, cookies: &str) {
    let before = sessions.stats().created;
    let mut client = TcpStream::connect(address).await.unwrap();
    let half = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookies}\r\ncontent-length: 100\r\n\r\nhalf"
    );
    client.write_all(half.as_bytes()).await.unwrap();
    while cookies.is_empty() && sessions.stats().created == before {
        tokio::task::yield_now().await;
    }
}

async fn until(done: impl Fn() -> bool) {
    let done = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done)
        .await
        .unwrap();
}

#[tokio::test]
async fn r20_a_body_first_makes_no_session_for_half_of_it() {
    let sessions = manager();
    let broken = Body::from_stream(stream::iter([
        Ok(Bytes::from("half")),
        Err(std::io::Error::other("as asked for")),
    ]));
    let response = app(&sessions)
        .oneshot(send("/lazy", "", broken))
        .await
        .unwrap();
    assert!(is_silent(&response));
    assert_eq!(sessions.stats().created, 0);
}

#[tokio::test]
async fn r20_one_that_was_there_lives_on_unless_its_id_was_cycled() {
    let sessions = manager();
    let address = serve(&sessions).await;
    let known = sessions.create().unwrap();
    for _ in 0..20 {
        hang_up(address, &sessions, "/", &cookie(&known)).await;
    }
    assert!(!known.is_completed());

    let old = known.id();
    hang_up(address, &sessions, "/cycle", &cookie(&known)).await;
    // No client got the new id, and the old one is unknown.
    until(|| known.is_completed()).await;
    until(|| sessions.enter(&old).err() == Some(NotLive::Unknown)).await;
}

#[tokio::test]
async fn r20_a_body_that_is_refused_or_that_no_handler_reads_is_answered_as_ever() {
    let sessions = manager();
    let whole = Body::from_stream(stream::iter([Ok::<_, std::io::Error>("all")]));
    let response = app(&sessions).oneshot(send("/", "", whole)).await.unwrap();
    assert!(told(&response).is_some());

    let unread = Router::new()
        .route("/", post(async |_: Session| ()))
        .layer(SessionLayer::new(sessions.clone()));
    let response = unread
        .oneshot(send("/", "", "unread".into()))
        .await
        .unwrap();
    assert!(told(&response).is_some());

    // Limited outside the layer, so that the body fails inside. The client is still there, and reads the answer.
    let limited = app(&sessions).layer(map_request(async |request: axum::extract::Request| {
        request.map(|body| Body::new(Limited::new(body, 10)))
    }));
    let known = sessions.create().unwrap();
    for path in ["/", "/cycle", "/refuse"] {
        let cookies = cookie(&known);
        let request = send(path, &cookies, "x".repeat(100).into());
        let response = limited.clone().oneshot(request).await.unwrap();
        assert_eq!(told(&response).is_some(), path == "/cycle");
        assert!(!known.is_completed());
        let response = limited
            .clone()
            .oneshot(send(path, "", "x".repeat(100).into()))
            .await
            .unwrap();
        assert!(told(&response).is_some());
    }
}

#[tokio::test]
async fn r20_clients_that_hang_up_inside_their_bodies_leave_no_session() {
    let sessions = manager();
    let address = serve(&sessions).await;
    for round in 0..100 {
        let path = if round % 2 == 0 { "/" } else { "/refuse" };
        hang_up(address, &sessions, path, "").await;
    }
    until(|| sessions.stats().active == 0).await;
}
