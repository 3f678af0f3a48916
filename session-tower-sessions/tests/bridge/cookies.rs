//! Their cookies, as they set them up.

use axum::Router;
use tower_sessions::cookie::Key;
use tower_sessions::service::CookieController;
use tower_sessions::{MemoryStore, SessionManagerLayer};

use crate::kit::{World, ok, set_cookies, thief};
use crate::store::Store;

async fn follows<C: CookieController + Sync>(
    set_up: impl FnOnce(SessionManagerLayer<Store>) -> SessionManagerLayer<Store, C>,
) {
    let world = World::with_layer(Router::new(), set_up);
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    ok(&ann, "/cycle").await;
    assert_eq!(world.session(&ann).await, session);
    thief.get("/live").await.assert_status(409);
    ok(&ann, "/log-out").await;
    assert_eq!(ok(&ann, "/optional").await, "none");
    assert_eq!(world.active(), 0);
}

#[tokio::test]
async fn signed_and_private_cookies_are_theirs_to_read() {
    let key = Key::from(&[7; 64]);
    follows(|theirs| theirs.with_signed(key.clone())).await;
    follows(|theirs| theirs.with_private(key)).await;
}

#[tokio::test]
async fn a_forged_cookie_is_no_id() {
    let key = Key::from(&[7; 64]);
    let world = World::with_layer(Router::new(), |theirs| theirs.with_signed(key));
    let (ann, session) = world.live().await;
    let mut thief = thief(&world, &ann);
    // Without the signature.
    thief.cookie = format!("id={}", world.store.ids()[0]);
    assert_eq!(thief.get("/optional").await.text(), "none");
    assert!(!session_core::LocalSession::is_completed(&session));
}

#[tokio::test]
async fn always_save_changes_nothing_about_the_live_session() {
    let world = World::with_layer(Router::new(), |theirs| theirs.with_always_save(true));
    let (ann, session) = world.live().await;
    for path in ["/nothing", "/read", "/cycle", "/live"] {
        ok(&ann, path).await;
        assert_eq!(world.session(&ann).await, session, "{path}");
    }
    let thief = thief(&world, &ann);
    let old = world.store.ids();
    ok(&ann, "/cycle").await;
    // A request that changes nothing does not revive the old record.
    thief.get("/read").await.assert_status(200);
    assert!(!world.store.ids().contains(&old[0]));
}

#[tokio::test]
async fn another_store_of_theirs_does() {
    let sessions = session_core::SessionManager::builder().build().unwrap();
    let theirs = SessionManagerLayer::new(MemoryStore::default()).with_name("theirs");
    let live = session_tower_sessions::LiveSessions::around(sessions.clone(), theirs);
    let insert = async |live: session_axum::Session, theirs: tower_sessions::Session| {
        theirs.insert("marker", true).await.unwrap();
        live.is_new().to_string()
    };
    let app = Router::new()
        .route("/", axum::routing::get(insert))
        .layer(live);
    let ann = session_test::Browser::new(app);
    let first = ann.get("/").await;
    assert!(set_cookies(&first)[0].starts_with("theirs="));
    assert_eq!((first.text(), ann.get("/").await.text()), ("true", "false"));
    assert_eq!(sessions.stats().created, 1);
}
