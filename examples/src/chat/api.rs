//! The server's routes.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use session_axum::{CookieTransport, LazySession, Session, SessionLayer};
use session_core::{LocalSession as _, SessionManager};

use super::door::Token;
use super::member::Member;
use super::problem::Problem;
use super::set::{Account, Device, Draft};
use super::text::is_visible;
use super::users::UserName;
use super::{Chat, devices, events, page};
use crate::local::{Reply, as_problem, only_local, only_own_pages, whole};

/// The bytes of a request's body: a message in JSON, each character escaped.
const MOST_BYTES: usize = 32 << 10;
/// The characters of a message.
const MOST_CHARACTERS: usize = 2000;

/// All routes, with their sessions.
pub(crate) fn router(chat: Chat, sessions: SessionManager) -> Router {
    // Not `Secure`, since not every client sends such a cookie back over plain http on loopback.
    let transport = CookieTransport::new(chat.cookie()).with_secure(false);
    Router::new()
        .route("/", get(page::page))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/log-in", post(log_in))
        .route("/log-out", post(log_out))
        .route("/events", get(events::events))
        .route("/messages", post(say))
        .route("/draft", put(keep_draft))
        .route("/people", get(people))
        .route("/me", get(me))
        .route("/me/sessions", get(devices::list))
        .route("/me/sessions/others", delete(devices::log_out_others))
        .route("/me/sessions/{device}", delete(devices::log_out_one))
        .with_state(chat)
        .layer(SessionLayer::new(sessions).with_transport(transport))
        // Outside the sessions: a request that is refused, or whose body never arrives, enters none.
        .layer(from_fn(whole))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(only_own_pages))
        .layer(from_fn(only_local))
        .layer(map_response(as_problem))
        .layer(map_response(page::with_headers))
}

#[derive(Deserialize)]
struct Form {
    name: String,
    password: String,
}

#[derive(Serialize)]
struct Me {
    name: UserName,
    device: u32,
}

/// Logs in. The session is asked for once the password is right: a wrong one leaves nothing.
async fn log_in(
    visitor: LazySession,
    State(chat): State<Chat>,
    head: HeaderMap,
    Json(form): Json<Form>,
) -> Result<Response, Problem> {
    let token = known_browser(&chat, &head);
    let (name, token) = chat.door().check(&form.name, form.password, token).await?;
    let group = name.group();
    if let Some(before) = visitor.get()
        && before.group().id() != Some(&group)
    {
        // The other user's draft does not pass to this one.
        before.terminate_because("logged in as another user");
    }
    visitor.log_in(group)?;
    let device = visitor.props::<Device>()?;
    device.presence()?;
    let me = Me {
        name,
        device: **device.number()?,
    };
    // A year. It is sent with log-ins only.
    let known = format!(
        "{}={}; HttpOnly; SameSite=Lax; Path=/log-in; Max-Age=31536000",
        chat.known_cookie(),
        token.encode()
    );
    let known = HeaderValue::try_from(known).expect("it is in ASCII");
    let mut response = Reply(me).into_response();
    response.headers_mut().append(SET_COOKIE, known);
    Ok(response)
}

/// The token of a browser in which a user has logged in before.
fn known_browser(chat: &Chat, head: &HeaderMap) -> Option<Token> {
    let name = chat.known_cookie();
    head.get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(is, _)| *is == name)
        .and_then(|(_, token)| Token::decode(token))
}

/// Ends the session.
async fn log_out(session: Option<Session>) -> StatusCode {
    if let Some(session) = session {
        session.terminate_because("logged out");
    }
    StatusCode::NO_CONTENT
}

async fn me(member: Member) -> Result<Reply<Me>, Problem> {
    let device = member.session.props::<Device>()?;
    Ok(Reply(Me {
        name: member.name,
        device: **device.number()?,
    }))
}

async fn people(_: Member, State(chat): State<Chat>) -> Reply<Vec<UserName>> {
    Reply(chat.room().present())
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
struct Said {
    id: u64,
}

/// Says something to all, if the user has not said too much just now, on whichever device.
async fn say(
    member: Member,
    State(chat): State<Chat>,
    Json(Message { text }): Json<Message>,
) -> Result<(StatusCode, Reply<Said>), Problem> {
    if !is_visible(&text) || text.chars().count() > MOST_CHARACTERS {
        return Err(Problem::Text);
    }
    let account = member.group.props::<Account>()?;
    account.messages()?.take().map_err(Problem::Messages)?;
    let id = chat.room().say(&member.name, text);
    Ok((StatusCode::CREATED, Reply(Said { id })))
}

/// Keeps the text that is being written, and shows it in the other tabs.
async fn keep_draft(member: Member, Json(draft): Json<Draft>) -> Result<StatusCode, Problem> {
    if draft.text.chars().count() > MOST_CHARACTERS {
        return Err(Problem::Text);
    }
    let device = member.session.props::<Device>()?;
    device.draft()?.send_replace(draft);
    Ok(StatusCode::NO_CONTENT)
}
