//! Requests whose session another framework names.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use http::request::Parts;
use session_axum::{
    CookieTransport, KeyedRequest, LazySession, Session, SessionEvents, SessionLayer,
    SessionRejection,
};
use session_core::{
    CompletionCause, GroupId, LocalSession as _, NotLive, SessionKey, SessionManager, WhenFull,
};
use tokio::sync::Barrier;

use crate::kit::{Stage, bare, cookie, get as request, is_silent, manager, set_cookies};

fn key() -> SessionKey {
    SessionKey::new("key").unwrap()
}

/// The application as the request with this name finds it.
fn app(sessions: &SessionManager, name: &KeyedRequest) -> Router {
    layered(SessionLayer::keyed(sessions.clone()), name)
}

fn layered(layer: SessionLayer, name: &KeyedRequest) -> Router {
    bare(Stage::default())
        .route("/events", get(async |_: SessionEvents| "events"))
        .route(
            "/replace",
            get(async |visitor: LazySession| visitor.get_or_create().map(|_| "created")),
        )
        .route(
            "/cycle-then-error",
            get(async |session: Session| {
                session.cycle_id()?;
                std::future::pending::<()>().await;
                Ok::<_, SessionRejection>(())
            }),
        )
        .layer(layer)
        .layer(Extension(name.clone()))
}

async fn get_text(app: &Router, path: &str) -> String {
    let response = request(app, path, "").await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().to_owned()
}

#[tokio::test]
async fn r28_a_named_request_is_in_the_session_of_its_key() {
    let sessions = manager();
    let name = KeyedRequest::named(key());
    let app = app(&sessions, &name);
    assert_eq!(get_text(&app, "/optional").await, "none");
    assert_eq!(sessions.stats().created, 0);
    assert_eq!(get_text(&app, "/new").await, "true");
    assert_eq!(get_text(&app, "/new").await, "false");
    let session = sessions.get_keyed(&key()).unwrap();
    assert_eq!(get_text(&app, "/session").await, session.id().encode());
    assert_eq!(get_text(&app, "/optional").await, "some");
    assert!(name.created().is_none(), "its client knows the key");
    assert_eq!(sessions.stats().created, 1);
}

#[tokio::test]
async fn r28_no_id_is_read_or_written() {
    let sessions = manager();
    let app = app(&sessions, &KeyedRequest::stranger());
    let session = sessions.create().unwrap();
    let response = request(&app, "/optional", cookie(&session)).await;
    assert_eq!(response.text(), "none");
    for path in ["/session", "/cycle", "/log-in", "/terminate"] {
        let response = request(&app, path, cookie(&session)).await;
        assert!(set_cookies(&response).is_empty(), "{path}");
    }
    assert!(!session.is_completed());
    let app = self::app(&sessions, &KeyedRequest::named(key()));
    for _ in 0..2 {
        assert!(is_silent(&request(&app, "/session", "").await));
    }
    // A transport is another place for ids, and requests are not keyed then.
    let layer = SessionLayer::keyed(sessions).with_transport(CookieTransport::new("id"));
    let app = layered(layer, &KeyedRequest::unavailable());
    let response = request(&app, "/session", cookie(&session)).await;
    assert_eq!(response.text(), session.id().encode());
}

#[tokio::test]
async fn r28_a_strangers_session_is_the_naming_layers_to_key() {
    let sessions = manager();
    let name = KeyedRequest::stranger();
    assert!(name.created().is_none());
    let app = app(&sessions, &name);
    let id = get_text(&app, "/session").await;
    let session = name.created().unwrap();
    assert_eq!(session.id().encode(), id);
    session.rekey(Some(&key())).unwrap();
    let app = self::app(&sessions, &KeyedRequest::named(key()));
    assert_eq!(get_text(&app, "/session").await, id);
    assert_eq!(format!("{name:?}"), "KeyedRequest::Stranger");
}

#[tokio::test]
async fn r28_a_request_without_a_name_is_a_strangers() {
    let sessions = manager();
    let app = bare(Stage::default()).layer(SessionLayer::keyed(sessions.clone()));
    assert_eq!(get_text(&app, "/optional").await, "none");
    assert_eq!(get_text(&app, "/new").await, "true");
}

#[tokio::test]
async fn r28_a_superseded_name_creates_nothing_except_for_a_log_in() {
    let sessions = manager();
    drop(sessions.rekey(&key(), None).unwrap());
    for name in [KeyedRequest::superseded(), KeyedRequest::named(key())] {
        let app = app(&sessions, &name);
        assert_eq!(request(&app, "/session", "").await.status(), 409);
        assert_eq!(get_text(&app, "/optional").await, "none");
        assert!(name.created().is_none());
        let id = get_text(&app, "/log-in").await;
        let created = name.created().unwrap();
        assert_eq!(created.id().encode(), id);
        assert_eq!(sessions.get_keyed(&key()), Err(NotLive::Superseded));
    }
    assert_eq!(sessions.stats().created, 2);
}

#[tokio::test]
async fn r28_if_the_framework_can_not_tell_extractors_are_refused() {
    let sessions = manager();
    let app = app(&sessions, &KeyedRequest::unavailable());
    for path in [
        "/session",
        "/optional",
        "/group",
        "/optional-group",
        "/log-in",
        "/replace",
        "/events",
    ] {
        let response = request(&app, path, "").await;
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        let problem = response.text();
        assert!(problem.contains("session-unavailable"), "{path}: {problem}");
    }
    assert_eq!(get_text(&app, "/untouched").await, "hello");
    assert_eq!(get_text(&app, "/result").await, "without");
    assert_eq!(sessions.stats().created, 0);
}

#[tokio::test]
async fn r28_a_name_that_is_taken_meanwhile_lets_nobody_in() {
    let sessions = manager();
    let name = KeyedRequest::named_while(key(), || false);
    let app = app(&sessions, &name);
    // There is no session yet, and then there is.
    for _ in 0..2 {
        assert_eq!(request(&app, "/session", "").await.status(), 409);
        assert_eq!(get_text(&app, "/optional").await, "none");
        sessions.get_or_create_keyed(&key()).unwrap();
    }
    assert_eq!(sessions.stats().created, 1);
    let session = sessions.get_keyed(&key()).unwrap();
    assert_eq!(session.activity().requests, 0);
}

/// The key is taken after the last look before the entry.
#[tokio::test]
async fn r28_the_name_is_looked_at_again_after_the_entry() {
    let sessions = manager();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let name = KeyedRequest::named_while(key(), move || {
        // At arrival nothing is entered, and the extractor asks twice.
        asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 1
    });
    let app = app(&sessions, &name);
    assert_eq!(request(&app, "/session", "").await.status(), 409);
    assert_eq!((sessions.stats().created, sessions.stats().active), (1, 0));
}

fn user(head: &Parts) -> Option<GroupId> {
    head.extensions.get::<KeyedRequest>().map(|_| "user".into())
}

#[tokio::test]
async fn r28_a_session_that_a_named_request_creates_is_in_the_resolvers_group() {
    let sessions = SessionManager::builder()
        .max_sessions_per_group(1, WhenFull::Reject)
        .build()
        .unwrap();
    let layer = || SessionLayer::keyed(sessions.clone()).with_group_resolver(user);
    let app = layered(layer(), &KeyedRequest::named(key()));
    assert_eq!(get_text(&app, "/group").await, "user");
    let session = sessions.get_keyed(&key()).unwrap();
    // A second one finds no room in the group, and nothing of it is left.
    let other = KeyedRequest::named(SessionKey::new("other").unwrap());
    let other = layered(layer(), &other);
    assert_eq!(request(&other, "/session", "").await.status(), 503);
    assert_eq!(sessions.sessions(), [session]);
}

#[tokio::test]
async fn r28_a_session_that_a_keyed_request_creates_is_in_the_requests_group() {
    let sessions = manager();
    let layer = || SessionLayer::keyed(sessions.clone()).with_group_resolver(user);
    let ann = || KeyedRequest::named(key()).in_group("ann".into());
    let app = layered(layer(), &ann());
    assert_eq!(get_text(&app, "/new").await, "true");
    let session = sessions.get_keyed(&key()).unwrap();
    let group = session.group();
    assert_eq!(group.id(), Some(&"ann".into()), "and not the resolver's");
    // A live session stays where it is.
    let app = layered(layer(), &KeyedRequest::named(key()).in_group("bob".into()));
    assert_eq!(get_text(&app, "/new").await, "false");
    assert_eq!(session.group(), group);
    // A stranger's is found by the request that names it.
    let stranger = KeyedRequest::stranger().in_group("carol".into());
    let app = layered(SessionLayer::keyed(sessions.clone()), &stranger);
    assert_eq!(get_text(&app, "/new").await, "true");
    let created = sessions
        .sessions()
        .into_iter()
        .find(|other| *other != session);
    assert_eq!(created.unwrap().group().id(), Some(&"carol".into()));
}

#[tokio::test]
async fn r28_a_session_with_a_key_outlives_requests_that_end_without_a_response() {
    let sessions = manager();
    let app = app(&sessions, &KeyedRequest::named(key()));
    for path in ["/cycle-then-panic", "/cycle-then-error"] {
        let app = app.clone();
        let request = tokio::spawn(async move { request(&app, path, "").await });
        tokio::task::yield_now().await;
        request.abort();
        assert!(request.await.is_err(), "{path}");
    }
    // Its client comes back by the key.
    let session = sessions.get_keyed(&key()).unwrap();
    assert!(!session.is_completed());
    assert_eq!(sessions.stats().created, 1);
}

#[tokio::test]
async fn r28_without_a_response_a_strangers_session_ends() {
    let sessions = manager();
    let name = KeyedRequest::stranger();
    let app = app(&sessions, &name);
    let request = tokio::spawn(async move { request(&app, "/cycle-then-panic", "").await });
    assert!(request.await.is_err());
    assert_eq!(sessions.stats().created, 1);
    assert!(
        name.created().is_none_or(|created| {
            created.completion_cause() == Some(CompletionCause::Terminated)
        })
    );
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r28_of_racing_extractors_one_creates_the_session() {
    async fn race(State(line): State<std::sync::Arc<Barrier>>, visitor: LazySession) -> Response {
        use axum::response::IntoResponse as _;

        let ask = || {
            let (line, visitor) = (line.clone(), visitor.clone());
            tokio::spawn(async move {
                line.wait().await;
                let session = visitor.session().unwrap();
                (session.id(), session.is_new())
            })
        };
        let (one, other) = (ask(), ask());
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        (one.0 == other.0 && (one.1 || other.1))
            .to_string()
            .into_response()
    }

    let sessions = manager();
    for round in 0..200_u64 {
        let key = SessionKey::new(round.to_be_bytes()).unwrap();
        let app = Router::new()
            .route("/", get(race))
            .with_state(std::sync::Arc::new(Barrier::new(2)))
            .layer(SessionLayer::keyed(sessions.clone()))
            .layer(Extension(KeyedRequest::named(key)));
        let response = request(&app, "/", "").await;
        assert_eq!(response.text(), "true");
    }
    assert_eq!(sessions.stats().created, 200);
}
