//! Row 20: a session whose id reached no response.

use axum::Router;
use axum::routing::get;
use session_axum::{Session, SessionLayer, SessionRejection};
use session_core::{CompletionCause, LocalSession};
use session_test::assert_ended;

use crate::kit::{self, Stage, cookie, is_silent, manager, request, staged};

#[tokio::test]
async fn r20_a_session_whose_handler_panicked_is_terminated() {
    let sessions = manager();
    let stage = Stage::default();
    let response = kit::spawn(&staged(&sessions, stage.clone()), "/panic", "");
    let session = stage.stopped().await;
    assert!(!session.is_completed());
    stage.go_on();
    assert!(response.await.unwrap_err().is_panic());
    assert!(session.is_completed());
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn r20_a_session_whose_response_is_dropped_before_its_head_is_terminated() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let mut response = kit::get(&app, "/stop", "").into_future();
    assert!(futures_util::poll!(&mut response).is_pending());
    let session = stage.session();
    assert!(!session.is_completed());
    drop(response);
    assert!(session.is_completed());
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn r20_a_session_that_was_there_survives_a_panic_and_a_hang_up() {
    let sessions = manager();
    let known = sessions.create().unwrap();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());

    let response = kit::spawn(&app, "/panic", cookie(&known));
    stage.stopped().await;
    stage.go_on();
    assert!(response.await.is_err());

    let mut response = kit::get(&app, "/stop", cookie(&known)).into_future();
    assert!(futures_util::poll!(&mut response).is_pending());
    drop(response);

    assert!(!known.is_completed());
}

#[tokio::test]
async fn r20_a_session_that_is_asked_for_after_the_head_is_refused() {
    let sessions = manager();
    let (parts, ()) = request("/", "").map(|_| ()).into_parts();
    let parts = std::sync::Arc::new(std::sync::Mutex::new(parts));
    let app = Router::new()
        .route(
            "/",
            get({
                let parts = parts.clone();
                async move |request: http::Request<axum::body::Body>| {
                    *parts.lock().unwrap() = request.into_parts().0;
                }
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    assert!(is_silent(&kit::get(&app, "/", "").await));

    let mut parts = parts.lock().unwrap().clone();
    let late =
        <Session as axum::extract::FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
    assert!(matches!(late, Err(SessionRejection::ResponseStarted(_))));
    assert_eq!(sessions.sessions(), []);
}
