//! Row 29: other bodies that end with their session, with an error.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use session_axum::{LazySession, Session, SessionLayer, SessionRejection};
use session_core::{LocalSession as _, SessionManager};
use tokio::time::Instant;

use crate::client::{self, Http};
use crate::kit::{self, cookie, manager};

fn endless() -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from("first"))]);
    Body::from_stream(first.chain(stream::pending()))
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route(
            "/endless",
            get(async |session: Session| session.until_completed(endless())),
        )
        .route(
            "/whole",
            get(async |session: Session| session.until_completed(Body::from("whole"))),
        )
        .route(
            "/another",
            get(async |session: Session| {
                drop(session.until_completed(endless()));
                endless()
            }),
        )
        .route(
            "/after-the-end",
            get(async |session: Session| {
                session.terminate();
                session.until_completed(Body::from("too late"))
            }),
        )
        .route(
            "/log-in",
            get(async |visitor: LazySession| {
                visitor.log_in("user".into())?;
                Ok::<_, SessionRejection>(())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test(start_paused = true)]
async fn r29_a_body_is_dropped_at_completion_though_nobody_polls_and_fails() {
    for known in [true, false] {
        let sessions = manager();
        let known = known.then(|| sessions.create().unwrap());
        let presented = known.as_ref().map(cookie).unwrap_or_default();
        let response = kit::open(&app(&sessions), "/endless", presented).await;
        let session = sessions.sessions().pop().unwrap();
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        // Longer than the idle timeout.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let start = Instant::now();
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
        assert_eq!(start.elapsed(), Duration::ZERO);
        let error = body.frame().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("session"), "{error}");
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn r29_a_body_that_ends_by_itself_is_whole_and_leaves() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let response = kit::get(&app(&sessions), "/whole", cookie(&session)).await;
    assert_eq!(response.text(), "whole");
    session.terminate();
    assert!(session.cleanup_completed().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn r29_if_another_body_is_returned_it_is_waited_for() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let response = kit::open(&app(&sessions), "/another", cookie(&session)).await;
    session.terminate();
    let cleanup = session.cleanup_completed();
    kit::pass(Duration::from_secs(1)).await;
    assert!(cleanup.clone().now_or_never().is_none());
    drop(response);
    assert!(cleanup.await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r29_a_body_for_a_session_that_is_over_fails_at_once() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let response = kit::open(&app(&sessions), "/after-the-end", cookie(&session)).await;
    assert!(kit::removes(&response));
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn r18_a_body_fails_at_anothers_log_in() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let app = app(&sessions);
    let mut planted = kit::open(&app, "/endless", cookie(&session))
        .await
        .into_body();
    assert!(planted.frame().await.unwrap().is_ok());
    assert_eq!(
        kit::get(&app, "/log-in", cookie(&session)).await.status(),
        200
    );
    assert!(planted.frame().await.unwrap().is_err());
    assert!(!session.is_completed());
}

/// The client notices that the response is not whole, and does not hold up the cleanup if it has stopped reading.
#[tokio::test]
async fn r29_over_sockets_the_response_breaks_off() {
    for http in Http::BOTH {
        let sessions = manager();
        let sent = Arc::new(AtomicUsize::new(0));
        let handler = {
            let sent = sent.clone();
            async move |session: Session| {
                let data = Bytes::from(vec![b'x'; 64 << 10]);
                let flood = stream::repeat_with(move || {
                    sent.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(data.clone())
                });
                session.until_completed(Body::from_stream(flood))
            }
        };
        let app = Router::new()
            .route("/", get(handler))
            .layer(SessionLayer::new(sessions.clone()));
        let server = client::Server::start(app, &sessions).await;
        let response = client::send(server.address, http, client::request("/", "")).await;
        let session = sessions.sessions().pop().unwrap();
        client::until_stalled(&sent).await;
        session.terminate();
        let report = session.cleanup_completed().await;
        assert!(report.is_clean(), "{http:?}: {report:?}");
        assert!(response.into_body().collect().await.is_err(), "{http:?}");
        server.stop().await;
    }
}
