//! What the suite's tests share: an application's surroundings, requests, and what responses say.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderValue, Request};
use session_axum::{Session, SessionLayer};
use session_core::{SessionId, SessionManager};
use tokio::sync::Notify;
use tower::ServiceExt;

pub(crate) fn manager() -> SessionManager {
    SessionManager::builder().build().unwrap()
}

/// A request with these cookies; none for an empty string.
pub(crate) fn request(path: &str, cookies: impl AsRef<[u8]>) -> Request<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    if !cookies.as_ref().is_empty() {
        let cookies = HeaderValue::from_bytes(cookies.as_ref()).unwrap();
        request.headers_mut().insert(COOKIE, cookies);
    }
    request
}

/// The cookie of a session, as its client sends it.
pub(crate) fn cookie(session: &session_core::Session) -> String {
    format!("id={}", session.id().encode())
}

pub(crate) async fn get(app: &Router, path: &str, cookies: impl AsRef<[u8]>) -> Response {
    app.clone().oneshot(request(path, cookies)).await.unwrap()
}

pub(crate) fn set_cookies(response: &Response) -> Vec<&str> {
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    cookies.map(|cookie| cookie.to_str().unwrap()).collect()
}

/// The id that the response sets.
pub(crate) fn told(response: &Response) -> Option<SessionId> {
    let [cookie] = set_cookies(response)[..] else {
        return None;
    };
    let value = cookie.strip_prefix("id=")?.split(';').next()?;
    value.parse().ok()
}

pub(crate) fn removes(response: &Response) -> bool {
    matches!(set_cookies(response)[..], [cookie] if cookie.starts_with("id=;") && cookie.contains("; Max-Age=0;"))
}

pub(crate) fn no_store(response: &Response) -> bool {
    response
        .headers()
        .get(CACHE_CONTROL)
        .is_some_and(|value| value == "no-store")
}

/// Nothing in the head speaks of sessions.
pub(crate) fn is_silent(response: &Response) -> bool {
    set_cookies(response).is_empty() && !no_store(response)
}

pub(crate) async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// Where a handler leaves its session for the test, and waits until the test lets it go on.
#[derive(Clone, Default)]
pub(crate) struct Stage {
    session: Arc<Mutex<Option<Session>>>,
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Stage {
    pub(crate) async fn stop(&self, session: Session) {
        *self.session.lock().unwrap() = Some(session);
        self.arrived.notify_one();
        self.go_on.notified().await;
    }

    /// The session of the handler that has stopped.
    pub(crate) async fn stopped(&self) -> Session {
        self.arrived.notified().await;
        self.session()
    }

    pub(crate) fn session(&self) -> Session {
        self.session.lock().unwrap().take().unwrap()
    }

    pub(crate) fn go_on(&self) {
        self.go_on.notify_one();
    }
}

/// Handlers that do what their path says.
pub(crate) fn app(sessions: &SessionManager) -> Router {
    staged(sessions, Stage::default())
}

pub(crate) fn staged(sessions: &SessionManager, stage: Stage) -> Router {
    bare(stage).layer(SessionLayer::new(sessions.clone()))
}

pub(crate) fn bare(stage: Stage) -> Router {
    use axum::extract::State;
    use axum::routing::get;
    use session_axum::SessionRejection;

    Router::new()
        .route("/untouched", get(|| async { "hello" }))
        .route(
            "/session",
            get(|session: Session| async move { session.id().encode() }),
        )
        .route(
            "/optional",
            get(async |session: Option<Session>| session.map_or("none", |_| "some")),
        )
        .route(
            "/result",
            get(async |session: Result<Session, SessionRejection>| {
                session.map_or("without", |_| "with")
            }),
        )
        .route(
            "/new",
            get(async |session: Session| session.is_new().to_string()),
        )
        .route("/cycle", get(async |session: Session| session.cycle_id()))
        .route(
            "/terminate",
            get(async |session: Session| session.terminate()),
        )
        .route(
            "/panic",
            get(async |State(stage): State<Stage>, session: Session| -> () {
                stage.stop(session).await;
                panic!("as asked for");
            }),
        )
        .route(
            "/stop",
            get(async |State(stage): State<Stage>, session: Session| stage.stop(session).await),
        )
        .route(
            "/stop-then-terminate",
            get(async |State(stage): State<Stage>, session: Session| {
                stage.stop(session.clone()).await;
                session.terminate();
            }),
        )
        .with_state(stage)
}
