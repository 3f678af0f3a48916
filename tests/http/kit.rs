//! Helpers that the suite's tests share: an application's surroundings, requests, and checks of responses.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use session_axum::{LazySession, Session, SessionGroup, SessionLayer, SessionRejection};
use session_core::{GroupId, SessionId, SessionManager};
use session_test::{Answer, Browser, RequestBuilder};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

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

/// A request with these cookies in place of a browser's own.
#[track_caller]
pub(crate) fn get(app: &Router, path: &str, cookies: impl AsRef<[u8]>) -> RequestBuilder {
    let request = Browser::new(app.clone()).get(path);
    match cookies.as_ref() {
        b"" => request,
        cookies => request.header(COOKIE, cookies),
    }
}

/// Its response, as soon as the head is there.
#[track_caller]
pub(crate) fn open(
    app: &Router,
    path: &str,
    cookies: impl AsRef<[u8]>,
) -> impl Future<Output = Response> {
    get(app, path, cookies).open()
}

/// Its answer, on a task of its own.
#[track_caller]
pub(crate) fn spawn(app: &Router, path: &str, cookies: impl AsRef<[u8]>) -> JoinHandle<Answer> {
    tokio::spawn(get(app, path, cookies).into_future())
}

/// A response with its body, or before it.
pub(crate) trait Head {
    fn head(&self) -> (StatusCode, &HeaderMap);
}

impl Head for Answer {
    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }
}

impl<B> Head for Response<B> {
    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }
}

/// The request was refused because it presented an earlier id. Its client is told nothing else.
pub(crate) fn is_superseded(response: &impl Head) -> bool {
    let (status, head) = response.head();
    status == 409
        && head.get("retry-after").is_some_and(|after| after == "1")
        && head.get("refresh").is_some_and(|after| after == "1")
        && no_store(response)
        && set_cookies(response).is_empty()
}

pub(crate) fn set_cookies(response: &impl Head) -> Vec<&str> {
    let cookies = response.head().1.get_all(SET_COOKIE).iter();
    cookies.map(|cookie| cookie.to_str().unwrap()).collect()
}

/// The id that the response sets.
pub(crate) fn told(response: &impl Head) -> Option<SessionId> {
    let [cookie] = set_cookies(response)[..] else {
        return None;
    };
    let value = cookie.strip_prefix("id=")?.split(';').next()?;
    value.parse().ok()
}

pub(crate) fn removes(response: &impl Head) -> bool {
    matches!(set_cookies(response)[..], [cookie] if cookie.starts_with("id=;") && cookie.contains("; Max-Age=0;"))
}

pub(crate) fn no_store(response: &impl Head) -> bool {
    let cached = response.head().1.get(CACHE_CONTROL);
    cached.is_some_and(|value| value == "no-store")
}

/// Nothing in the head is about sessions.
pub(crate) fn is_silent(response: &impl Head) -> bool {
    set_cookies(response).is_empty() && !no_store(response)
}

/// Lets time pass, and lets the tasks that wait for it go on.
pub(crate) async fn pass(time: std::time::Duration) {
    for time in [std::time::Duration::ZERO, time] {
        tokio::time::advance(time).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn text(response: Response) -> String {
    text_of(response.into_body()).await
}

pub(crate) async fn text_of<B: axum::body::HttpBody<Error: std::fmt::Debug>>(body: B) -> String {
    let body = body.collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The place where a handler leaves its session for the test, and waits until the test lets it go on.
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

    /// Reports that it has arrived, and goes on.
    pub(crate) fn arrive(&self) {
        self.arrived.notify_one();
    }

    /// Waits without a session to show.
    pub(crate) async fn wait(&self) {
        self.arrived.notify_one();
        self.go_on.notified().await;
    }

    /// Waits until a handler waits.
    pub(crate) async fn waiting(&self) {
        self.arrived.notified().await;
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

/// Handlers that do the action in their path.
pub(crate) fn app(sessions: &SessionManager) -> Router {
    staged(sessions, Stage::default())
}

pub(crate) fn staged(sessions: &SessionManager, stage: Stage) -> Router {
    bare(stage).layer(SessionLayer::new(sessions.clone()))
}

pub(crate) fn bare(stage: Stage) -> Router {
    use axum::routing::get;

    fn name_of(group: &session_core::SessionGroup) -> &'static str {
        match group.id().map(GroupId::as_str) {
            Some("user") => "user",
            Some(_) => "another",
            None => "anonymous",
        }
    }

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
        .route("/group", get(async |group: SessionGroup| name_of(&group)))
        .route(
            "/optional-group",
            get(async |group: Option<SessionGroup>| group.map_or("none", |group| name_of(&group))),
        )
        .route(
            "/log-in",
            get(async |visitor: LazySession| {
                let session = visitor.log_in("user".into())?;
                Ok::<_, SessionRejection>(session.id().encode())
            }),
        )
        .route(
            "/cycle-then-panic",
            get(async |session: Session| -> () {
                session.cycle_id().unwrap();
                panic!("as asked for");
            }),
        )
        .route(
            "/terminate",
            get(async |session: Session| session.terminate()),
        )
        .merge(staying(stage))
}

/// Handlers that stop halfway.
fn staying(stage: Stage) -> Router {
    use axum::extract::State;
    use axum::routing::get;

    Router::new()
        .route(
            "/log-in-then-stop",
            get(async |State(stage): State<Stage>, visitor: LazySession| {
                let session = visitor.log_in("user".into())?;
                stage.wait().await;
                Ok::<_, SessionRejection>(session.id().encode())
            }),
        )
        .route(
            "/cycle-then-stop",
            get(async |State(stage): State<Stage>, session: Session| {
                session.cycle_id()?;
                stage.stop(session).await;
                Ok::<_, SessionRejection>(())
            }),
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
            "/stop-then-replace",
            get(
                async |State(stage): State<Stage>, session: Session, visitor: LazySession| {
                    stage.stop(session).await;
                    let own = visitor.get_or_create()?;
                    stage.stop(own).await;
                    Ok::<_, SessionRejection>(())
                },
            ),
        )
        .route(
            "/stop-then-cycle",
            get(async |State(stage): State<Stage>, session: Session| {
                stage.stop(session.clone()).await;
                session.cycle_id()
            }),
        )
        .route(
            "/stop-then-log-in",
            get(async |State(stage): State<Stage>, visitor: LazySession| {
                stage.wait().await;
                let session = visitor.log_in("user".into())?;
                Ok::<_, SessionRejection>(session.id().encode())
            }),
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
