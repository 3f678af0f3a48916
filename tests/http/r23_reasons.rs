//! Row 23: a log-out that says why.

use axum::Router;
use axum::routing::get;
use session_axum::{Session, SessionLayer};
use session_core::LocalSession;

use crate::kit::{self, cookie, is_silent, is_superseded, manager, removes};

#[tokio::test]
async fn r23_it_removes_the_cookie_and_says_why() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| session.terminate_because("the account is closed")),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let [own, planted] = std::array::from_fn(|_| sessions.create().unwrap());
    let both = format!("{}; {}", cookie(&own), cookie(&planted));
    let response = kit::get(&app, "/", &both).await;
    assert!(removes(&response));
    for session in [&own, &planted] {
        let reason = session.completion_reason();
        assert_eq!(reason.as_deref(), Some("the account is closed"));
    }
    assert!(is_superseded(&kit::get(&app, "/", &both).await));
}

#[tokio::test]
async fn r23_core_s_own_says_why_and_leaves_the_cookie() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| session.into_inner().terminate_because("ended")),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let session = sessions.create().unwrap();
    let response = kit::get(&app, "/", cookie(&session)).await;
    assert!(is_silent(&response));
    assert_eq!(session.completion_reason().as_deref(), Some("ended"));
}
