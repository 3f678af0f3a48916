//! A server with an ordinary log-in.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _, stream};
use session_axum::{LazySession, Session, SessionGroup, SessionLayer, SessionRejection, serve};
use session_core::{SessionManager, ShutdownReport};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const PAGE: &str = r#"<!doctype html><title>A page</title>
<form method="post" action="/log-in-by-form"><button id="log-in" name="password" value="password">Log in</button></form>
<form method="post" action="/log-out-by-form"><button id="log-out">Log out</button></form>"#;

pub(crate) struct Server {
    port: u16,
    sessions: SessionManager,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ShutdownReport>,
}

/// The name of the user that the session belongs to.
async fn name(group: Option<SessionGroup>) -> String {
    group
        .and_then(|group| group.id().map(|id| id.as_str().to_owned()))
        .unwrap_or_else(|| "nobody".to_owned())
}

async fn events(_: Session) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = stream::iter([Ok(Event::default().data("first"))]);
    Sse::new(first.chain(stream::pending()))
}

async fn log_out(session: Option<Session>) {
    if let Some(session) = session {
        session.terminate();
    }
}

fn app(sessions: &SessionManager, thinks: Duration) -> Router {
    let log_in = async move |visitor: LazySession, _: String| {
        sleep(thinks).await;
        visitor.log_in("ali".into()).map(drop)
    };
    let by_form = async move |visitor: LazySession, body: String| {
        log_in(visitor, body).await?;
        Ok::<_, SessionRejection>(Redirect::to("/name"))
    };
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/page", get(async |_: Session| "a page"))
        .route("/poll", get(async |_: Session| "polled"))
        .route(
            "/slow-poll",
            get(async |_: Session| {
                sleep(Duration::from_millis(20)).await;
                "polled"
            }),
        )
        .route("/events", get(events))
        .route("/name", get(name))
        .route("/log-in", post(log_in))
        .route("/log-in-by-form", post(by_form))
        .route("/log-out", get(log_out))
        .route(
            "/log-out-by-form",
            post(async |session: Option<Session>| {
                log_out(session).await;
                Redirect::to("/name")
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

impl Server {
    /// A log-in takes as long as the server `thinks`.
    pub(crate) async fn start(thinks: Duration) -> Self {
        let sessions = SessionManager::builder().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let server = serve(listener, app(&sessions, thinks), sessions.clone())
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .grace(Duration::from_millis(100))
            .timeout(Duration::from_secs(10));
        Self {
            port,
            sessions,
            stop,
            task: tokio::spawn(server.into_future()),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// Logs all sessions in from elsewhere, so that their clients hold earlier ids.
    pub(crate) fn log_in_everybody(&self) {
        for session in self.sessions.sessions() {
            drop(session.enter().unwrap().log_in("ali".into()).unwrap());
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        let report = self.task.await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}
