//! A request is inside its session from its arrival to the end of its response's body.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::routing::get;
use futures_util::poll;
use http_body_util::BodyExt;
use session_axum::{Session, SessionLayer};
use session_core::{CompletionCause, LocalSession, SessionManager};
use session_test::assert_ended;
use tokio::sync::mpsc;

use crate::kit::{self, Stage, cookie, manager, staged};

type Chunk = Result<Bytes, std::io::Error>;

/// An application whose only response streams the sender's messages.
fn streaming(sessions: &SessionManager) -> (mpsc::Sender<Chunk>, Router) {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(Some(receiver)));
    let app = Router::new()
        .route(
            "/",
            get(async move |_: Session| {
                let receiver: mpsc::Receiver<Chunk> = receiver.lock().unwrap().take().unwrap();
                Body::from_stream(futures_util::stream::unfold(
                    receiver,
                    async |mut receiver| receiver.recv().await.map(|chunk| (chunk, receiver)),
                ))
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    (sender, app)
}

/// Cleanup waits for the requests inside: it ends with this step, and not before.
async fn leaves_only_by(session: &session_core::Session, step: impl Future<Output = ()>) {
    session.terminate();
    let mut cleanup = pin!(session.cleanup_completed());
    for _ in 0..50 {
        tokio::task::yield_now().await;
        assert!(
            poll!(&mut cleanup).is_pending(),
            "the request has left its session too early"
        );
    }
    step.await;
    assert!(
        cleanup.await.is_clean(),
        "the request has not left its session"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_stays_until_its_body_has_ended() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (sender, app) = streaming(&sessions);
    let mut body = kit::open(&app, "/", cookie(&session)).await.into_body();
    sender.send(Ok("x".into())).await.unwrap();
    assert!(body.frame().await.unwrap().is_ok());
    leaves_only_by(&session, async {
        drop(sender);
        assert!(body.frame().await.is_none());
    })
    .await;
    drop(body);
}

#[tokio::test(start_paused = true)]
async fn a_request_stays_until_its_body_has_failed() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (sender, app) = streaming(&sessions);
    let mut body = kit::open(&app, "/", cookie(&session)).await.into_body();
    leaves_only_by(&session, async {
        sender
            .send(Err(std::io::Error::other("as asked for")))
            .await
            .unwrap();
        assert!(body.frame().await.unwrap().is_err());
    })
    .await;
    drop(body);
}

#[tokio::test(start_paused = true)]
async fn a_request_stays_until_its_body_is_dropped() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (_sender, app) = streaming(&sessions);
    let body = kit::open(&app, "/", cookie(&session)).await.into_body();
    leaves_only_by(&session, async { drop(body) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_is_inside_the_session_that_it_created() {
    let sessions = manager();
    let (_sender, app) = streaming(&sessions);
    let body = kit::open(&app, "/", "").await.into_body();
    let session = sessions.sessions().pop().unwrap();
    leaves_only_by(&session, async { drop(body) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_is_inside_before_its_handler_asks_and_leaves_with_its_future() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let app = Router::new()
        .route("/", get(std::future::pending::<()>))
        .layer(SessionLayer::new(sessions.clone()));
    let mut response = kit::get(&app, "/", cookie(&session)).into_future();
    assert!(poll!(&mut response).is_pending());
    leaves_only_by(&session, async { drop(response) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_leaves_even_if_its_session_is_kept_in_hand() {
    let sessions = manager();
    let known = sessions.create().unwrap();
    let stage = Stage::default();
    let response = kit::spawn(&staged(&sessions, stage.clone()), "/stop", cookie(&known));
    let kept = stage.stopped().await;
    leaves_only_by(&known, async {
        stage.go_on();
        drop(response.await.unwrap());
    })
    .await;
    assert!(kept.is_completed());
}

#[tokio::test(start_paused = true)]
async fn an_open_stream_keeps_its_session_from_being_idle() {
    let idle = Duration::from_secs(60);
    let sessions = SessionManager::builder()
        .idle_timeout(idle)
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let (_sender, app) = streaming(&sessions);
    let body = kit::open(&app, "/", cookie(&session)).await.into_body();
    for _ in 0..10 {
        tokio::time::advance(idle).await;
        assert!(!session.is_completed());
    }
    drop(body);
    assert_ended!(session, CompletionCause::IdleTimeout);
}

#[tokio::test]
async fn a_body_reports_the_same_as_the_one_within() {
    let sessions = manager();
    let app = Router::new()
        .route("/full", get(async || "four"))
        .route("/empty", get(async || ()))
        .route(
            "/stream",
            get(async || {
                Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>())
            }),
        )
        .layer(SessionLayer::new(sessions));
    let full = kit::open(&app, "/full", "").await.into_body();
    assert_eq!(HttpBody::size_hint(&full).exact(), Some(4));
    let empty = kit::open(&app, "/empty", "").await.into_body();
    assert!(HttpBody::is_end_stream(&empty));
    let stream = kit::open(&app, "/stream", "").await.into_body();
    assert_eq!(HttpBody::size_hint(&stream).upper(), None);
}
