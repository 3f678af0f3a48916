//! The group of a user who comes back to a record without a live session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use session_core::{GroupId, LocalSession as _};
use session_test::SessionExt as _;
use session_tower_sessions::key;
use tower_sessions::Session as Theirs;

use crate::kit::{World, ok, send, status};

async fn group(theirs: Theirs) -> Option<GroupId> {
    let user: String = theirs.get("user").await.ok()??;
    Some(GroupId::from(user))
}

fn routes() -> Router {
    Router::new().route(
        "/user",
        get(async |theirs: Theirs| theirs.insert("user", "ann").await.unwrap()),
    )
}

#[tokio::test]
async fn a_user_who_comes_back_is_in_their_group() {
    let world = World::with_live(routes(), |live| live.with_group(group));
    let ann = world.stranger();
    ok(&ann, "/user").await;
    assert_eq!(ok(&ann, "/group").await, "none", "no live session");
    let session = world.session(&ann).await;
    assert_eq!(ok(&ann, "/group").await, "ann");
    session.expire().await;
    let next = world.session(&ann).await;
    assert_ne!(next, session);
    let named = next.group();
    assert_eq!(named.id(), Some(&"ann".into()));
    named.terminate();
    assert!(next.is_completed(), "with the group");
    // A visitor who is not logged in has none.
    let (bob, session) = world.live().await;
    assert_eq!(session.group().id(), None);
    assert_eq!(world.session(&bob).await, session);
}

#[tokio::test]
async fn it_is_asked_only_for_known_ids_without_a_live_session() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let world = World::with_live(routes(), |live| {
        live.with_group(move |theirs| {
            counting.fetch_add(1, Ordering::Relaxed);
            group(theirs)
        })
    });
    let ann = world.stranger();
    ok(&ann, "/user").await;
    assert_eq!(asked.load(Ordering::Relaxed), 0, "a stranger");
    let session = world.session(&ann).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.store.loads(), 1, "the record is loaded once");
    ok(&ann, "/live").await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    session.expire().await;
    world.store.forget_all();
    ok(&ann, "/live").await;
    assert_eq!(asked.load(Ordering::Relaxed), 1, "an unknown id");
}

#[tokio::test]
async fn a_hang_up_while_it_is_asked_leaves_nothing_under_way() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let stop = Arc::clone(&asked);
    let world = World::with_live(routes(), |live| {
        live.with_group(move |theirs: Theirs| {
            let stop = Arc::clone(&stop);
            async move {
                theirs.cycle_id().await.unwrap();
                stop.notify_one();
                std::future::pending().await
            }
        })
    });
    let ann = world.stranger();
    ok(&ann, "/user").await;
    let request = send(&ann, "/nothing");
    asked.notified().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    // Its id would be that of a request under way, which has given it up.
    assert_eq!(status(&ann, "/live").await, 200);
}

#[tokio::test]
async fn the_key_leads_to_the_live_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let id = ann.cookie("id").unwrap().parse().unwrap();
    assert_eq!(world.sessions.get_keyed(&key(id)), Ok(session));
}
