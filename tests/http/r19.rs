//! Row 19: a client costs nothing until a handler asks for a session.

use axum::Router;
use axum::routing::get;
use session_axum::{Props, Session, SessionGroup, SessionLayer};
use session_core::{LocalSession, Property, SessionProperties};
use session_test::Browser;
use std::time::Duration;

use crate::kit::{self, app, cookie, is_silent, manager, told};

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    notes: Property<String>,
}

const MADE_UP: &str = "id=AAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn r19_a_client_without_a_session_costs_nothing_and_gets_no_cookie() {
    let sessions = manager();
    let response = kit::get(&app(&sessions), "/untouched", "").await;
    assert!(is_silent(&response));
    assert_eq!(response.text(), "hello");
    assert_eq!(sessions.sessions(), []);
}

#[tokio::test]
async fn r19_a_client_with_a_made_up_id_costs_nothing_and_gets_no_cookie() {
    let sessions = manager();
    let response = kit::get(&app(&sessions), "/untouched", MADE_UP).await;
    assert!(is_silent(&response));
    assert_eq!(sessions.sessions(), []);
}

#[tokio::test]
async fn r19_a_made_up_id_never_becomes_a_sessions_id() {
    let sessions = manager();
    let response = kit::get(&app(&sessions), "/session", MADE_UP).await;
    let id = told(&response).unwrap();
    assert_ne!(format!("id={}", id.encode()), MADE_UP);
    assert_eq!(response.text(), id.encode());
    assert_eq!(sessions.sessions().len(), 1);
}

#[tokio::test]
async fn r19_the_id_of_an_ended_session_is_a_strangers() {
    let sessions = manager();
    let app = app(&sessions);
    let ended = sessions.create().unwrap();
    let presented = cookie(&ended);
    ended.terminate();

    assert!(is_silent(&kit::get(&app, "/untouched", &presented).await));
    let response = kit::get(&app, "/optional", &presented).await;
    assert!(is_silent(&response));
    assert_eq!(response.text(), "none");
    assert_eq!(sessions.sessions(), []);

    let id = told(&kit::get(&app, "/session", &presented).await).unwrap();
    assert_ne!(id, ended.id());
}

#[tokio::test]
async fn r19_session_creates() {
    let sessions = manager();
    let response = kit::get(&app(&sessions), "/session", "").await;
    let id = told(&response).unwrap();
    assert!(sessions.get(&id).is_some());
    assert_eq!(response.text(), id.encode());
}

#[tokio::test]
async fn r19_option_does_not_create() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |_: Option<Session>, _: Option<SessionGroup>, _: Option<Props<Desk>>| ()),
        )
        .layer(SessionLayer::new(sessions.clone()));
    assert!(is_silent(&kit::get(&app, "/", "").await));
    assert_eq!(sessions.sessions(), []);
}

#[tokio::test]
async fn r19_option_extracts_the_existing_session() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let app = Router::new()
        .route(
            "/",
            get(
                async |session: Option<Session>,
                       group: Option<SessionGroup>,
                       desk: Option<Props<Desk>>| {
                    assert_eq!(desk.unwrap().notes().unwrap().len(), 0);
                    assert!(!session.clone().unwrap().is_new());
                    assert_eq!(group.unwrap().into_inner(), session.unwrap().group());
                },
            ),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let response = kit::get(&app, "/", cookie(&session)).await;
    assert_eq!(response.status(), 200);
    assert!(is_silent(&response));
    assert_eq!(sessions.sessions(), [session]);
}

#[tokio::test]
async fn r19_group_and_props_create() {
    for path in ["/group", "/props"] {
        let sessions = manager();
        let app = Router::new()
            .route("/group", get(async |_: SessionGroup| ()))
            .route("/props", get(async |_: Props<Desk>| ()))
            .layer(SessionLayer::new(sessions.clone()));
        let id = told(&kit::get(&app, path, "").await).unwrap();
        assert!(sessions.get(&id).is_some());
    }
}

#[tokio::test]
async fn r19_result_creates_and_carries_on_without() {
    let sessions = manager();
    let app = app(&sessions);
    let response = kit::get(&app, "/result", "").await;
    assert!(told(&response).is_some());
    assert_eq!(response.text(), "with");

    sessions.shutdown(Duration::from_secs(1)).await;
    let response = kit::get(&app, "/result", "").await;
    assert_eq!(response.status(), 200);
    assert!(is_silent(&response));
    assert_eq!(response.text(), "without");
}

#[tokio::test]
async fn r19_a_session_is_found_again_by_its_cookie() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions));
    assert_eq!(ann.get("/new").await.text(), "true");
    let second = ann.get("/new").await;
    assert!(is_silent(&second));
    assert_eq!(second.text(), "false");
    assert_eq!(sessions.sessions().len(), 1);
}
