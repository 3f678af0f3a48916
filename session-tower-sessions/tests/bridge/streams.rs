//! Responses that outlive their heads.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::any, routing::get};
use futures_util::{Stream, StreamExt as _, stream};
use session_axum::{
    LazySession, LocalSession as _, Session as Live, SessionEvents, SessionUpgrade, Socket,
};
use session_core::CompletionCause;
use session_test::{Message, SessionsExt as _, assert_ended};
use tower_sessions::Session as Theirs;

use crate::kit::{World, insert, ok};

fn endless(first: String) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let first = stream::iter([Ok(Event::default().data(first))]);
    first.chain(stream::pending())
}

fn routes() -> Router {
    Router::new()
        .route(
            "/events",
            get(async |live: Live| Sse::new(endless(live.serial().to_string()))),
        )
        .route(
            "/insert/events",
            get(async |live: Live, theirs: Theirs| {
                insert(&theirs).await?;
                Ok::<_, Response>(Sse::new(endless(live.serial().to_string())))
            }),
        )
        .route(
            "/session-events",
            get(async |events: SessionEvents| {
                let events = events.last_event(Event::default().data("over"));
                events.run(endless("open".to_owned()))
            }),
        )
        .route(
            "/socket",
            any(async |upgrade: SessionUpgrade| upgrade.run(echo)),
        )
        .route(
            "/insert/socket",
            any(async |theirs: Theirs, upgrade: SessionUpgrade| {
                insert(&theirs).await?;
                Ok::<_, Response>(upgrade.run(echo))
            }),
        )
        .route("/log-in/keep", get(log_in_and_keep))
        .route(
            "/flush/error",
            get(async |theirs: Theirs| {
                theirs.flush().await.unwrap();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
}

async fn echo(mut socket: Socket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// The body asks for the session's group after the head is out.
async fn log_in_and_keep(visitor: LazySession, theirs: Theirs) -> Response {
    theirs.cycle_id().await.unwrap();
    let live = visitor.log_in("user".into()).unwrap();
    let body = stream::once(async move {
        let group = live.group();
        Ok::<_, Infallible>(
            group
                .id()
                .map_or("none".to_owned(), |id| id.as_str().to_owned()),
        )
    });
    Body::from_stream(body).into_response()
}

#[tokio::test]
async fn a_streaming_response_is_inside_the_session_that_is_keyed_meanwhile() {
    let world = World::with(routes());
    let ann = world.stranger();
    let mut events = ann.events("/insert/events").await;
    let serial = events.next().await.unwrap().data;
    let session = world.session(&ann).await;
    assert_eq!(session.serial().to_string(), serial);
    assert_eq!(session.activity().requests, 1, "the stream");
    // Its end is the stream's.
    ok(&ann, "/log-out").await;
    assert!(events.next().await.is_none());
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn a_streams_session_ends_with_the_stream_if_nothing_was_saved() {
    let world = World::with(routes());
    let ann = world.stranger();
    let mut events = ann.events("/events").await;
    let serial = events.next().await.unwrap().data;
    let session = world.sessions.find(serial.parse().unwrap()).unwrap();
    assert!(!session.is_completed());
    drop(events);
    assert_ended!(session, CompletionCause::IdleTimeout);
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_log_in_ends_the_event_streams_of_others() {
    let world = World::with(routes());
    let (ann, session) = world.live().await;
    let mut events = ann.events("/session-events").await;
    assert_eq!(events.next().await.unwrap().data, "open");
    ok(&ann, "/cycle").await;
    assert!(events.next().await.is_none(), "parted");
    assert!(!session.is_completed());
    let mut events = ann.events("/session-events").await;
    assert_eq!(events.next().await.unwrap().data, "open");
    drop(events);
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_handle_that_the_response_keeps_stays_the_requests_own_after_a_log_in() {
    let world = World::with(routes());
    let (ann, _session) = world.live().await;
    assert_eq!(ok(&ann, "/log-in/keep").await, "user");
}

#[tokio::test]
async fn a_socket_is_inside_the_session_that_is_keyed_meanwhile() {
    let world = World::with(routes());
    let ann = world.stranger();
    let mut socket = ann.websocket("/insert/socket").await;
    socket.send_text("hello").await;
    assert!(socket.next().await.is_some());
    let session = world.session(&ann).await;
    assert_eq!(session.activity().requests, 1);
    ok(&ann, "/log-out").await;
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn a_sockets_session_ends_with_the_socket_if_nothing_was_saved() {
    let world = World::with(routes());
    let ann = world.stranger();
    let mut socket = ann.websocket("/socket").await;
    socket.send_text("hello").await;
    assert!(socket.next().await.is_some());
    let session = world.sessions.sessions().pop().unwrap();
    drop(socket);
    assert_ended!(session, CompletionCause::IdleTimeout);
}

#[tokio::test]
async fn a_flush_tells_sockets_and_event_streams_that_the_session_has_ended() {
    for log_out in ["/log-out", "/flush/error"] {
        let world = World::with(routes());
        let (ann, session) = world.live().await;
        let mut socket = ann.websocket("/socket").await;
        let mut events = ann.events("/session-events").await;
        assert_eq!(events.next().await.unwrap().data, "open");
        ann.get(log_out).await;
        let close = Message::close(1008, "terminated");
        assert_eq!(socket.next().await, Some(close), "{log_out}");
        let last = events.next().await.expect("the last event");
        assert_eq!(last.data, "over", "{log_out}");
        assert_eq!(events.next().await, None);
        assert_ended!(session, CompletionCause::Terminated);
        world.sessions.assert_clean().await;
    }
}

#[tokio::test]
async fn a_new_beginning_after_a_flush_sends_sockets_to_the_new_id() {
    let world = World::with(routes());
    for change in ["/restart", "/cycle"] {
        let (ann, _session) = world.live().await;
        let mut socket = ann.websocket("/socket").await;
        ok(&ann, change).await;
        let close = Message::close(1001, "the session has a new id");
        assert_eq!(socket.next().await, Some(close), "{change}");
    }
}
