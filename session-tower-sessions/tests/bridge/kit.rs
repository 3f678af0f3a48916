//! The application of the tests, and its visitors.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::get};
use session_axum::{
    LazySession, LocalSession as _, Session as Live, SessionGroup, SessionRejection,
};
use session_core::{Session, SessionManager};
use session_test::{Answer, Browser};
use session_tower_sessions::LiveSessions;
use tokio::task::{JoinHandle, JoinSet};
use tower_sessions::service::CookieController;
use tower_sessions::{Session as Theirs, SessionManagerLayer};

use crate::stage::Stage;
use crate::store::Store;

pub(crate) type Answered = Result<String, Response>;

/// An application, its sessions, and its store.
pub(crate) struct World {
    pub(crate) sessions: SessionManager,
    pub(crate) store: Store,
    /// Where `/stop/..` stops.
    pub(crate) stage: Stage,
    app: Router,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Router::new())
    }

    /// With these routes besides.
    pub(crate) fn with(more: Router) -> Self {
        Self::with_layer(more, |theirs| theirs)
    }

    /// With their layer set up otherwise.
    pub(crate) fn with_layer<C: CookieController + Sync>(
        more: Router,
        set_up: impl FnOnce(SessionManagerLayer<Store>) -> SessionManagerLayer<Store, C>,
    ) -> Self {
        Self::set_up(more, |sessions, theirs| {
            LiveSessions::around(sessions, set_up(theirs))
        })
    }

    /// With our layer set up otherwise.
    pub(crate) fn with_live(
        more: Router,
        change: impl FnOnce(LiveSessions<Store>) -> LiveSessions<Store>,
    ) -> Self {
        Self::set_up(more, |sessions, theirs| {
            change(LiveSessions::around(sessions, theirs))
        })
    }

    fn set_up<C: CookieController + Sync>(
        more: Router,
        layer: impl FnOnce(SessionManager, SessionManagerLayer<Store>) -> LiveSessions<Store, C>,
    ) -> Self {
        let sessions = SessionManager::builder().build().unwrap();
        let (store, stage) = (Store::default(), Stage::default());
        let theirs = SessionManagerLayer::new(store.clone());
        let routes = routes(&stage).merge(more);
        Self {
            app: routes.layer(layer(sessions.clone(), theirs)),
            sessions,
            store,
            stage,
        }
    }

    /// A client without a cookie.
    pub(crate) fn stranger(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// A client whose id the store knows; there is no live session yet.
    pub(crate) async fn visitor(&self) -> Browser {
        let visitor = self.stranger();
        ok(&visitor, "/insert").await;
        self.store.loads();
        visitor
    }

    /// A client with a live session.
    pub(crate) async fn live(&self) -> (Browser, Session) {
        let visitor = self.visitor().await;
        let session = self.session(&visitor).await;
        self.store.loads();
        (visitor, session)
    }

    /// The client's live session, which is created if there is none.
    pub(crate) async fn session(&self, visitor: &Browser) -> Session {
        let serial = ok(visitor, "/live").await;
        self.sessions.find(serial.parse().unwrap()).unwrap()
    }

    pub(crate) fn active(&self) -> usize {
        self.sessions.stats().active
    }

    pub(crate) fn created(&self) -> u64 {
        self.sessions.stats().created
    }
}

/// The text of a response with status 200.
pub(crate) async fn ok(visitor: &Browser, path: &str) -> String {
    let answer = visitor.get(path).await.assert_status(200);
    answer.text().to_owned()
}

/// The status of the response.
pub(crate) async fn status(visitor: &Browser, path: &str) -> u16 {
    visitor.get(path).await.status().as_u16()
}

/// Sends a request that goes on by itself.
pub(crate) fn send(visitor: &Browser, path: &'static str) -> JoinHandle<Answer> {
    let tab = visitor.tab();
    tokio::spawn(async move { tab.get(path).await })
}

/// Runs eight requests of the client at once, each by its number.
pub(crate) async fn race<T, F>(visitor: &Browser, request: impl Fn(Browser, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let requests: JoinSet<_> = (0..8)
        .map(|number| request(visitor.tab(), number))
        .collect();
    requests.join_all().await
}

/// Another client with the cookie that this one has now.
pub(crate) fn thief(world: &World, visitor: &Browser) -> Raw {
    Raw {
        browser: world.stranger(),
        cookie: format!("id={}", visitor.cookie("id").unwrap()),
    }
}

/// A client that always presents one cookie, and keeps none that it is told.
pub(crate) struct Raw {
    pub(crate) browser: Browser,
    pub(crate) cookie: String,
}

impl Raw {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.browser.tab().get(path);
        request.header("cookie", self.cookie.as_str()).await
    }

    pub(crate) fn send(&self, path: &'static str) -> JoinHandle<Answer> {
        let (tab, cookie) = (self.browser.tab(), self.cookie.clone());
        tokio::spawn(async move { tab.get(path).header("cookie", cookie.as_str()).await })
    }
}

pub(crate) fn set_cookies(answer: &Answer) -> Vec<&str> {
    let cookies = answer.headers().get_all(SET_COOKIE).iter();
    cookies.map(|cookie| cookie.to_str().unwrap()).collect()
}

/// Changes their session.
pub(crate) async fn insert(theirs: &Theirs) -> Result<(), Response> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    theirs.insert("number", number).await.map_err(failed)
}

pub(crate) fn failed(_: tower_sessions::session::Error) -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn serial(session: &Live) -> String {
    session.serial().to_string()
}

fn routes(stage: &Stage) -> Router {
    Router::new()
        .route("/nothing", get(async || "nothing"))
        .route("/live", get(async |live: Live| serial(&live)))
        .route("/new", get(async |live: Live| live.is_new().to_string()))
        .route(
            "/optional",
            get(async |live: Option<Live>| live.map_or("none".to_owned(), |live| serial(&live))),
        )
        .route(
            "/read",
            get(async |theirs: Theirs| -> Answered {
                let number: Option<u64> = theirs.get("number").await.map_err(failed)?;
                Ok(number.unwrap_or_default().to_string())
            }),
        )
        .route("/insert", get(async |theirs: Theirs| insert(&theirs).await))
        .route(
            "/live/insert",
            get(async |live: Live, theirs: Theirs| -> Answered {
                insert(&theirs).await?;
                Ok(serial(&live))
            }),
        )
        .route(
            "/cycle",
            get(async |theirs: Theirs| theirs.cycle_id().await.map_err(failed)),
        )
        .route(
            "/live/cycle",
            get(async |live: Live, theirs: Theirs| -> Answered {
                theirs.cycle_id().await.map_err(failed)?;
                Ok(serial(&live))
            }),
        )
        .route("/log-in", get(log_in))
        .route(
            "/group",
            get(async |group: Option<SessionGroup>| {
                let group = group.map(SessionGroup::into_inner);
                let name = group.as_ref().and_then(|group| group.id());
                name.map_or("none".to_owned(), |name| name.as_str().to_owned())
            }),
        )
        .route(
            "/log-out",
            get(async |theirs: Theirs| theirs.flush().await.map_err(failed)),
        )
        .route(
            "/restart",
            get(async |theirs: Theirs| {
                theirs.flush().await.map_err(failed)?;
                insert(&theirs).await
            }),
        )
        .merge(stopping(stage))
}

async fn log_in(theirs: Theirs, visitor: LazySession) -> Answered {
    theirs.cycle_id().await.map_err(failed)?;
    insert(&theirs).await?;
    let live = visitor.log_in("user".into());
    let live = live.map_err(SessionRejection::into_response)?;
    Ok(serial(&live))
}

/// Handlers that stop on the stage.
fn stopping(stage: &Stage) -> Router {
    use axum::extract::State;

    Router::new()
        .route(
            "/stop",
            get(async |State(stage): State<Stage>| stage.stop().await),
        )
        .route(
            "/stop/live",
            get(async |State(stage): State<Stage>, visitor: LazySession| {
                stage.stop().await;
                visitor.session().map(|live| serial(&live))
            }),
        )
        .route(
            "/live/stop",
            get(async |State(stage): State<Stage>, live: Live| {
                stage.stop().await;
                serial(&live)
            }),
        )
        .route(
            "/live/stop/again",
            get(
                async |State(stage): State<Stage>, _: Live, visitor: LazySession| {
                    stage.stop().await;
                    visitor.session().map(|live| serial(&live))
                },
            ),
        )
        .route(
            "/stop/cycle",
            get(async |State(stage): State<Stage>, theirs: Theirs| {
                stage.stop().await;
                theirs.cycle_id().await.map_err(failed)
            }),
        )
        .route(
            "/insert/stop",
            get(async |State(stage): State<Stage>, theirs: Theirs| {
                insert(&theirs).await?;
                stage.stop().await;
                Ok::<_, Response>(())
            }),
        )
        .route(
            "/cycle/stop",
            get(async |State(stage): State<Stage>, theirs: Theirs| {
                theirs.cycle_id().await.map_err(failed)?;
                stage.stop().await;
                Ok::<_, Response>(())
            }),
        )
        .with_state(stage.clone())
}
