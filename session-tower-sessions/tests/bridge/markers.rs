//! The marker that keeps a live session whose client has no record.

use axum::http::StatusCode;
use axum::{Router, routing::get};
use session_axum::Session as Live;
use session_core::LocalSession as _;
use session_test::SessionsExt as _;
use tower_sessions::Session as Theirs;

use crate::kit::{World, ok, set_cookies, status};

fn world() -> World {
    let routes = Router::new()
        .route("/live/terminate", get(async |live: Live| live.terminate()))
        .route(
            "/live/error",
            get(async |_: Live| StatusCode::INTERNAL_SERVER_ERROR),
        )
        .route(
            "/marker",
            get(async |theirs: Theirs| {
                let marker: Option<bool> = theirs.get("live").await.unwrap();
                format!("{marker:?}")
            }),
        );
    World::with_live(routes, |live| live.with_marker("live"))
}

#[tokio::test]
async fn a_strangers_live_session_stays_by_the_marker() {
    let world = world();
    let ann = world.stranger();
    let serial = ok(&ann, "/live").await;
    assert_eq!(ok(&ann, "/live").await, serial);
    assert_eq!(ok(&ann, "/marker").await, "Some(true)");
    assert_eq!((world.created(), world.active()), (1, 1));
    assert_eq!(world.store.ids().len(), 1);
}

#[tokio::test]
async fn a_request_without_a_live_session_leaves_no_record() {
    let world = world();
    for path in ["/nothing", "/optional", "/read", "/live/terminate"] {
        let crawler = world.stranger();
        let answer = crawler.get(path).await.assert_status(200);
        assert!(set_cookies(&answer).is_empty(), "{path}");
    }
    assert_eq!(status(&world.stranger(), "/live/error").await, 500);
    assert!(world.store.ids().is_empty());
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_record_that_is_there_gets_no_marker() {
    let world = world();
    let (ann, _session) = world.live().await;
    let bob = world.stranger();
    ok(&bob, "/live/insert").await;
    for visitor in [&ann, &bob] {
        ok(visitor, "/live").await;
        assert_eq!(ok(visitor, "/marker").await, "None");
    }
}

#[tokio::test]
async fn a_log_out_is_not_undone_by_the_marker() {
    let world = world();
    let (ann, session) = world.live().await;
    ok(&ann, "/log-out").await;
    assert!(session.is_completed());
    assert_eq!(ann.cookie("id"), None);
    assert!(world.store.ids().is_empty());
}
