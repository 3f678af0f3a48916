//! Requests that end without a response, or with an error of the server.

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, response::Response};
use session_axum::Session as Live;
use session_core::CompletionCause;
use session_test::{SessionsExt as _, assert_ended};
use tower_sessions::Session as Theirs;

use crate::kit::{World, failed, insert, ok, send, status, thief};
use crate::store::{Call, Moment};

const ERROR: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

fn routes() -> Router {
    Router::new()
        .route("/live/error", get(async |_: Live| ERROR))
        .route(
            "/live/insert/error",
            get(async |_: Live, theirs: Theirs| {
                insert(&theirs).await?;
                Ok::<_, Response>(ERROR)
            }),
        )
        .route(
            "/live/cycle/error",
            get(async |_: Live, theirs: Theirs| {
                theirs.cycle_id().await.map_err(failed)?;
                Ok::<_, Response>(ERROR)
            }),
        )
        .route(
            "/live/cycle/save/error",
            get(async |_: Live, theirs: Theirs| {
                theirs.cycle_id().await.map_err(failed)?;
                theirs.save().await.map_err(failed)?;
                Ok::<_, Response>(ERROR)
            }),
        )
        .route(
            "/live/save",
            get(async |_: Live, theirs: Theirs| theirs.save().await.map_err(failed)),
        )
        .route(
            "/live/save/error",
            get(async |_: Live, theirs: Theirs| {
                insert(&theirs).await?;
                theirs.save().await.map_err(failed)?;
                Ok::<_, Response>(ERROR)
            }),
        )
        .route(
            "/flush/error",
            get(async |theirs: Theirs| {
                theirs.flush().await.map_err(failed)?;
                Ok::<_, Response>(ERROR)
            }),
        )
        .route(
            "/live/panic",
            get(async |_: Live| -> () { panic!("as asked for") }),
        )
        .route(
            "/live/cycle/panic",
            get(async |_: Live, theirs: Theirs| -> () {
                theirs.cycle_id().await.unwrap();
                panic!("as asked for")
            }),
        )
}

/// Sends the request, whose handler panics.
async fn panics(visitor: &session_test::Browser, path: &'static str) {
    assert!(send(visitor, path).await.unwrap_err().is_panic());
}

#[tokio::test]
async fn an_error_of_the_server_ends_no_visitors_session() {
    let world = World::with(routes());
    let (ann, session) = world.live().await;
    for path in ["/live/error", "/live/insert/error"] {
        assert_eq!(status(&ann, path).await, 500);
        assert_eq!(world.session(&ann).await, session, "{path}");
    }
}

#[tokio::test]
async fn a_strangers_session_ends_with_an_error_of_the_server() {
    let world = World::with(routes());
    for path in ["/live/error", "/live/insert/error", "/live/save/error"] {
        let ann = world.stranger();
        assert_eq!(status(&ann, path).await, 500);
        assert_eq!(ann.cookie("id"), None, "nobody is told, {path}");
        assert_eq!(world.active(), 0, "{path}");
    }
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_new_id_that_no_client_is_told_ends_the_session() {
    for path in ["/live/cycle/error", "/live/cycle/save/error"] {
        let world = World::with(routes());
        let (ann, session) = world.live().await;
        assert_eq!(status(&ann, path).await, 500);
        assert_ended!(session, CompletionCause::Terminated);
        // Its client is a stranger, and not told to wait.
        assert_eq!(ok(&ann, "/new").await, "true", "{path}");
        world.sessions.assert_clean().await;
    }
}

#[tokio::test]
async fn a_log_out_with_an_error_of_the_server_is_one() {
    let world = World::with(routes());
    let (ann, session) = world.live().await;
    assert_eq!(status(&ann, "/flush/error").await, 500);
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(ann.cookie("id"), None);
}

#[tokio::test]
async fn a_panic_ends_a_strangers_session_and_no_visitors() {
    let world = World::with(routes());
    let (ann, session) = world.live().await;
    panics(&ann, "/live/panic").await;
    assert_eq!(world.session(&ann).await, session);
    panics(&world.stranger(), "/live/panic").await;
    assert_eq!((world.created(), world.active()), (2, 1));
    // After a change of the id, no client has the new one.
    panics(&ann, "/live/cycle/panic").await;
    assert_ended!(session, CompletionCause::Terminated);
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_a_strangers_session_and_no_visitors() {
    let world = World::new();
    let (ann, session) = world.live().await;
    for visitor in [&ann, &world.stranger()] {
        let request = send(visitor, "/live/stop");
        world.stage.stopped().await;
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
    }
    assert_eq!(world.active(), 1);
    assert_eq!(session.activity().requests, 0);
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_they_save_leaves_nothing() {
    let world = World::new();
    let save = world.store.stop(Call::Create, Moment::Before);
    let request = send(&world.stranger(), "/live/insert");
    save.stopped().await;
    assert_eq!(world.active(), 1);
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(world.active(), 0);
    world.sessions.assert_clean().await;

    // The same after a change of the id.
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    let save = world.store.stop(Call::Create, Moment::After);
    let request = send(&ann, "/live/cycle");
    save.stopped().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(thief.get("/optional").await.text(), "none");
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_during_a_change_can_come_back_with_the_id_it_has() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let delete = world.store.stop(Call::Delete, Moment::Before);
    let request = send(&ann, "/cycle");
    delete.stopped().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    // Their store still knows the id.
    assert_eq!(world.session(&ann).await, session);
}

/// Their layer takes it for unchanged, and sets no cookie.
#[tokio::test]
async fn a_record_that_only_the_handler_has_saved_keeps_no_session() {
    let world = World::with(routes());
    let ann = world.stranger();
    assert_eq!(status(&ann, "/live/save").await, 200);
    assert_eq!(ann.cookie("id"), None);
    assert_eq!((world.created(), world.active()), (1, 0));
}
