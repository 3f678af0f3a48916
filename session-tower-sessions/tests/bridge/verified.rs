//! A key counts once their store knows it, which one load tells.

use session_core::{CompletionCause, LocalSession as _};
use session_test::{SessionsExt as _, assert_ended};
use tower_sessions::session::Id;

use crate::kit::{Raw, World, ok, set_cookies};

#[tokio::test]
async fn an_id_that_their_store_knows_has_one_live_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    assert_eq!(world.session(&ann).await, session);
    assert_eq!(world.session(&ann.tab()).await, session);
    assert_eq!(ok(&ann, "/optional").await, session.serial().to_string());
    let bob = world.visitor().await;
    assert_ne!(world.session(&bob).await, session);
    assert_eq!(world.created(), 2);
}

#[tokio::test]
async fn made_up_ids_create_nothing() {
    let world = World::new();
    for round in 0..1_000 {
        let raw = Raw {
            browser: world.stranger(),
            cookie: format!("id={}", Id::default()),
        };
        for path in ["/nothing", "/optional", "/read"] {
            let answer = raw.get(path).await.assert_status(200);
            assert!(path != "/optional" || answer.text() == "none");
        }
        // A live session that such a client asks for ends with the request, as a stranger's does.
        if round == 0 {
            raw.get("/live").await.assert_status(200);
        }
    }
    assert_eq!(world.created(), 1);
    world.sessions.assert_clean().await;
    assert!(world.store.ids().is_empty());
}

#[tokio::test]
async fn one_request_that_brings_a_cookie_is_one_load() {
    let world = World::new();
    let (ann, _session) = world.live().await;
    for path in ["/nothing", "/read", "/optional", "/live", "/live/insert"] {
        ok(&ann, path).await;
        assert_eq!(world.store.loads(), 1, "{path}");
    }
    // Their request keeps it: it has the record's contents.
    let number: u64 = ok(&ann, "/read").await.parse().unwrap();
    assert!(number > 0);
    world.store.loads();
    for path in ["/nothing", "/optional", "/live"] {
        ok(&world.stranger(), path).await;
        assert_eq!(world.store.loads(), 0, "without a cookie, {path}");
    }
    let malformed = Raw {
        browser: world.stranger(),
        cookie: "id=not-an-id".to_owned(),
    };
    malformed.get("/live").await.assert_status(200);
    assert_eq!(world.store.loads(), 0);
}

#[tokio::test]
async fn an_id_that_they_no_longer_know_ends_its_live_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    world.store.forget_all();
    assert!(!session.is_completed());
    assert_eq!(ok(&ann, "/optional").await, "none");
    assert_ended!(session, CompletionCause::Terminated);
    // Its client is a stranger, with a new session.
    assert_eq!(ok(&ann, "/new").await, "true");
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_live_session_writes_no_cookie() {
    let world = World::new();
    assert!(set_cookies(&world.stranger().get("/live").await).is_empty());
    let ann = world.stranger();
    let answer = ann.get("/live/insert").await;
    let cookies = set_cookies(&answer);
    assert!(
        cookies.len() == 1 && cookies[0].starts_with("id="),
        "{cookies:?}"
    );
    // Neither does a live session that ends or changes its id by itself.
    let answer = ann.get("/live").await;
    assert!(set_cookies(&answer).is_empty());
}

#[tokio::test]
async fn no_id_of_ours_is_read_from_a_client() {
    let world = World::new();
    let (_ann, session) = world.live().await;
    let raw = Raw {
        browser: world.stranger(),
        cookie: format!("id={}", session.id().encode()),
    };
    assert_eq!(raw.get("/optional").await.text(), "none");
    assert!(!session.is_completed());
}
