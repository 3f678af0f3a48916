//! The server's routes.

use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use session_axum::{
    CookieTransport, Idle, LazySession, Props, Session, SessionLayer, SessionRejection,
    SessionUpgrade,
};
use session_core::SessionManager;

use super::screen::Size;
use super::shell::{Desk, StartError};
use super::tab::{self, MOST_KEYS};
use crate::local::{MOST_BYTES, answer, as_problem, only_local, only_own_pages, whole};

/// The time between pings. A tab that reads nothing for three of them is cut off.
const PING: std::time::Duration = std::time::Duration::from_secs(20);

/// The page may have its own style and script, and talk to its own server. No other page may show it in a frame, where its visitor
/// would type into it unawares.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// All routes, below the key.
pub(super) fn router(sessions: SessionManager, key: &str, port: u16) -> Router {
    // Cookies are not separated by port, so two servers on one host need two names. Not `Secure`, since not every client
    // sends such a cookie back over plain http on loopback.
    let transport = CookieTransport::new(format!("terminal-{port}")).with_secure(false);
    let below = |path: &str| format!("/{key}/{path}");
    Router::new()
        .route(&below(""), get(page))
        .route(&below("page.css"), get(style))
        .route(&below("page.js"), get(script))
        .route(&below("shell"), post(open))
        .route(&below("socket"), any(socket))
        .route(&below("logout"), post(log_out))
        .fallback(async || {
            let detail = "open the address that the program has printed, with the key in it";
            answer(StatusCode::NOT_FOUND, "Nothing is here", detail)
        })
        .layer(SessionLayer::new(sessions).with_transport(transport))
        // Outside the sessions: a request that is refused, or whose body never arrives, enters none.
        .layer(from_fn(whole))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(only_own_pages))
        .layer(from_fn(only_local))
        .layer(map_response(as_problem))
}

async fn page() -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        // The page's address is a secret.
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(include_str!("page.html")))
}

async fn style() -> impl IntoResponse {
    part("text/css", include_str!("page.css"))
}

async fn script() -> impl IntoResponse {
    part("text/javascript", include_str!("page.js"))
}

/// A part of the page, whose address is a secret too.
fn part(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")];
    (headers, text)
}

#[derive(Deserialize)]
struct Wanted {
    size: Size,
}

/// Starts the session's shell (201), unless it runs (204). One that has ended is discarded first.
async fn open(
    visitor: LazySession,
    Json(Wanted { size }): Json<Wanted>,
) -> Result<StatusCode, Problem> {
    // A stranger gets a session.
    let _session = visitor.session()?;
    let desk = visitor.props::<Desk>()?;
    let mut shell = desk.shell().await?;
    if shell.has_ended() {
        // The hook only looks after a task that is over.
        let _ = shell.discard().await;
        shell = desk.shell().await?;
    }
    shell.line().resize(size);
    let was_known = std::mem::replace(&mut shell.is_known, true);
    Ok(if was_known {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::CREATED
    })
}

/// Attaches a tab to the session's shell.
async fn socket(
    upgrade: Option<SessionUpgrade>,
    desk: Option<Props<Desk>>,
) -> Result<Response, Problem> {
    let (Some(upgrade), Some(desk)) = (upgrade, desk) else {
        return Err(Problem::NoSession);
    };
    let line = desk.shell().await?.line();
    Ok(upgrade
        .map(|handshake| handshake.max_message_size(2 * MOST_KEYS))
        .ping(PING)
        // A key press is activity, and an open tab is not.
        .idle(Idle::PerMessage)
        .run(async move |socket| tab::attach(socket, line).await))
}

/// Ends the session, and so the shell.
async fn log_out(session: Option<Session>) -> StatusCode {
    if let Some(session) = session {
        session.terminate();
    }
    StatusCode::NO_CONTENT
}

/// The reason why a request is refused.
enum Problem {
    NoSession,
    Session(SessionRejection),
}

impl<E> From<E> for Problem
where
    SessionRejection: From<E>,
{
    fn from(error: E) -> Self {
        Self::Session(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NoSession => answer(
                StatusCode::CONFLICT,
                "There is no shell to attach to",
                "start one first",
            ),
            // Unlike a stranger, the shell's owner may know why.
            Self::Session(SessionRejection::PropertyFailed(ref failed))
                if let Some(error) = failed.0.downcast_ref::<StartError>() =>
            {
                let detail = error.to_string();
                answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "There is no shell",
                    &detail,
                )
            }
            Self::Session(rejection) => rejection.into_response(),
        }
    }
}
