//! No id at the response: the live session ends. A slow writer revives their record, not ours.

use std::time::Duration;

use axum::{Router, routing::get};
use session_core::{CompletionCause, LocalSession as _};
use session_test::{SessionsExt as _, assert_ended};
use tokio::time::advance;
use tower_sessions::Session as Theirs;

use crate::kit::{World, ok, race, send, set_cookies, status, thief};
use crate::store::{Call, Moment};

#[tokio::test]
async fn a_flush_ends_the_live_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    ok(&ann, "/log-out").await;
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(ann.cookie("id"), None);
    assert_eq!(ok(&ann, "/optional").await, "none");
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_session_that_is_flushed_and_begun_again_has_no_old_objects() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let before = ann.cookie("id");
    ok(&ann, "/restart").await;
    assert_eq!(ann.cookie("id"), before, "their store keeps the id");
    assert_ended!(session, CompletionCause::Terminated);
    let next = world.session(&ann).await;
    assert_ne!(next, session);
}

#[tokio::test]
async fn a_poll_in_flight_does_not_undo_a_log_out() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    ok(&ann, "/log-out").await;
    thief.get("/live").await.assert_status(409);
    let answer = thief.get("/read").await.assert_status(200);
    assert!(set_cookies(&answer).is_empty(), "it would remove a new one");
    assert!(session.is_completed());
    assert_eq!((world.created(), world.active()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_writer_revives_their_record_and_not_the_live_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    // The writer has loaded its record, and saves it after the log-out.
    let writer = thief.send("/insert/stop");
    world.stage.stopped().await;
    ok(&ann, "/log-out").await;
    assert!(world.store.ids().is_empty());
    world.stage.go_on();
    writer.await.unwrap().assert_status(200);
    assert_eq!(world.store.ids().len(), 1, "this is upstream's");
    assert!(session.is_completed());
    // The client that has the id is not a stranger, and gets no session for a while.
    thief.get("/live").await.assert_status(409);
    assert_eq!(thief.get("/optional").await.text(), "none");
    assert_eq!(world.active(), 0);
    advance(Duration::from_secs(31)).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    // Then it gets a new one, since their store knows the id: none of the old objects.
    let answer = thief.get("/live").await.assert_status(200);
    assert_ne!(answer.text(), session.serial().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_outs_against_slow_writers_are_undone_by_none() {
    let world = World::new();
    for _ in 0..100 {
        let (ann, session) = world.live().await;
        let requests = race(&ann, |ann, request| async move {
            let path = if request == 3 { "/log-out" } else { "/insert" };
            status(&ann, path).await;
            // Their record may be back.
            ok(&ann, "/optional").await;
        });
        requests.await;
        assert!(session.is_completed());
        assert_eq!(world.active(), 0);
    }
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_log_out_while_the_store_is_slow_ends_the_session_when_the_handler_returns() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let delete = world.store.stop(Call::Delete, Moment::After);
    let log_out = send(&ann, "/log-out");
    delete.stopped().await;
    assert!(!session.is_completed());
    delete.go_on();
    log_out.await.unwrap().assert_status(200);
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn the_live_side_can_end_alone() {
    let world = World::with(Router::new().route(
        "/leave",
        get(async |live: session_axum::Session| live.terminate()),
    ));
    let (ann, session) = world.live().await;
    let answer = ann.get("/leave").await.assert_status(200);
    assert!(set_cookies(&answer).is_empty());
    assert_ended!(session, CompletionCause::Terminated);
    // Their session goes on, and the next use creates another.
    assert_ne!(ok(&ann, "/read").await, "0");
    assert_ne!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_log_out_behind_the_response_ends_the_session_at_the_next_request() {
    let world = World::with(Router::new().route(
        "/log-out-later",
        get(async |theirs: Theirs| drop(tokio::spawn(async move { theirs.flush().await }))),
    ));
    let (ann, session) = world.live().await;
    ok(&ann, "/log-out-later").await;
    while !world.store.ids().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!session.is_completed());
    assert_eq!(ok(&ann, "/optional").await, "none");
    assert_ended!(session, CompletionCause::Terminated);
}
