//! Row 20: a client that hangs up in the middle of its request's body has read no response.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use futures_util::stream;
use http::Request;
use session_axum::{LazySession, Session, SessionLayer, SessionRejection};
use session_core::{LocalSession, SessionManager};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::kit::{cookie, is_silent, manager, told};

/// Answers whatever comes of the body.
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

/// A body that breaks off, as one does whose client has hung up.
fn cut() -> Body {
    Body::from_stream(stream::iter([
        Ok(Bytes::from("half")),
        Err(std::io::Error::other("the client has hung up")),
    ]))
}

fn send(path: &str, cookies: &str, body: Body) -> Request<Body> {
    Request::post(path)
        .header("cookie", cookies)
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn r20_a_session_whose_requests_body_broke_off_is_ended() {
    let sessions = manager();
    for path in ["/", "/refuse", "/cycle", "/lazy"] {
        let response = app(&sessions).oneshot(send(path, "", cut())).await.unwrap();
        assert!(is_silent(&response), "{path}");
        assert_eq!(sessions.sessions(), [], "{path}");
    }
    assert_eq!(sessions.stats().created, 3, "a body first makes none");
}

#[tokio::test]
async fn r20_one_that_was_there_lives_on_unless_its_id_was_cycled() {
    let sessions = manager();
    let known = sessions.create().unwrap();
    let response = app(&sessions)
        .oneshot(send("/", &cookie(&known), cut()))
        .await
        .unwrap();
    assert!(is_silent(&response));
    assert!(!known.is_completed());

    let old = known.id();
    let response = app(&sessions)
        .oneshot(send("/cycle", &cookie(&known), cut()))
        .await
        .unwrap();
    assert!(is_silent(&response));
    // No client was told the new id, and the old one is unknown.
    assert!(known.is_completed());
    assert_eq!(
        sessions.enter(&old).unwrap_err(),
        session_core::NotLive::Unknown
    );
}

#[tokio::test]
async fn r20_a_whole_body_and_one_that_nobody_reads_are_answered_as_ever() {
    let sessions = manager();
    let whole = Body::from_stream(stream::iter([Ok::<_, std::io::Error>("all")]));
    let response = app(&sessions).oneshot(send("/", "", whole)).await.unwrap();
    assert!(told(&response).is_some());
    let unread = Router::new()
        .route("/", post(async |_: Session| ()))
        .layer(SessionLayer::new(sessions.clone()));
    let response = unread.oneshot(send("/", "", cut())).await.unwrap();
    assert!(told(&response).is_some());
}

#[tokio::test]
async fn r20_clients_that_hang_up_inside_their_bodies_leave_no_session() {
    let sessions = manager();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app(&sessions)).into_future());
    for round in 0..100 {
        let path = if round % 2 == 0 { "/" } else { "/refuse" };
        let before = sessions.stats().created;
        let mut client = TcpStream::connect(address).await.unwrap();
        let half = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
        client.write_all(half.as_bytes()).await.unwrap();
        // Its session is there before it goes.
        while sessions.stats().created == before {
            tokio::task::yield_now().await;
        }
    }
    let all_gone = async {
        while sessions.stats().active > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_gone)
        .await
        .unwrap();
}
