//! A handler that panics before its response leaves no session.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use session_axum::{Session, SessionLayer};
use session_core::SessionManager;
use tower::ServiceExt;

#[tokio::test]
async fn a_session_whose_id_reached_nobody_ends() {
    async fn fail(_: Session) {
        panic!("on purpose");
    }
    let sessions = SessionManager::builder()
        .build()
        .expect("there is a runtime");
    let app = Router::new()
        .route("/", get(fail))
        .layer(SessionLayer::new(sessions.clone()));
    let request = Request::new(Body::empty());
    assert!(
        tokio::spawn(app.oneshot(request))
            .await
            .is_err_and(|error| error.is_panic())
    );
    assert!(sessions.sessions().is_empty());
}
