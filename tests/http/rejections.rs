//! The answers to requests that can't get their session.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use session_axum::{Props, Session, SessionGroup, SessionLayer, SessionRejection};
use session_core::{
    CreateError, CycleError, JoinError, Property, PropertyError, Refused, SessionEnded,
    SessionProperties, WhenFull,
};

use crate::kit::{self, Stage, app, bare, manager, text};

#[derive(SessionProperties)]
#[session(state = String)]
struct Needy {
    #[property(init = |cx| cx.state().len())]
    length: Property<usize>,
}

/// The text of the problem with this status. Panics if the response is not one.
async fn problem(response: Response, status: u16) -> (String, String) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503);
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["status"], status);
    let of = |member: &str| {
        problem[member]
            .as_str()
            .filter(|text| !text.is_empty())
            .unwrap()
            .to_owned()
    };
    assert!(!of("title").is_empty());
    (of("type"), of("detail"))
}

#[tokio::test]
async fn errors_of_core_have_their_status() {
    let failed = || {
        PropertyError::Failed(Arc::from(Box::<dyn Error + Send + Sync>::from(
            "password: hunter2",
        )))
    };
    let cases: [(SessionRejection, u16, &str); _] = [
        (SessionEnded.into(), 409, "session-ended"),
        (CycleError::SessionEnded.into(), 409, "session-ended"),
        (CycleError::Full.into(), 503, "no-session"),
        (JoinError::SessionEnded.into(), 409, "session-ended"),
        (JoinError::Full.into(), 503, "no-session"),
        (CreateError::Draining.into(), 503, "no-session"),
        (CreateError::Full.into(), 503, "no-session"),
        (CreateError::ShuttingDown.into(), 503, "no-session"),
        (PropertyError::SessionEnded.into(), 409, "session-ended"),
        (PropertyError::Busy.into(), 503, "property-busy"),
        (PropertyError::BeingCreated.into(), 503, "property-busy"),
        (failed().into(), 500, "property-failed"),
        (
            PropertyError::Panicked("hunter2".into()).into(),
            500,
            "property-failed",
        ),
        (PropertyError::Cycle.into(), 500, "property-failed"),
        (Refused::SessionEnded(1).into(), 409, "session-ended"),
        (Refused::AlreadyPresent(1).into(), 409, "property-present"),
        (Refused::BeingCreated(1).into(), 503, "property-busy"),
    ];
    for (rejection, status, kind) in cases {
        assert_eq!(rejection.status(), StatusCode::from_u16(status).unwrap());
        let sentence = rejection.to_string();
        let (of_kind, detail) = problem(rejection.into_response(), status).await;
        assert_eq!(of_kind, format!("urn:problem-type:{kind}"));
        assert_eq!(detail, sentence);
        assert!(!detail.contains("hunter2"));
    }

    // The cause is for the application. It is in the chain of sources, not in the text.
    let rejection = SessionRejection::from(failed());
    let cause = rejection.source().and_then(Error::source).unwrap();
    assert_eq!(cause.to_string(), "password: hunter2");
}

#[tokio::test]
async fn r21_a_superseded_request_is_asked_to_come_again() {
    for error in [CycleError::Parted.into(), CreateError::KeySuperseded.into()] {
        let response = SessionRejection::into_response(error);
        assert!(kit::is_superseded(&response));
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["type"], "urn:problem-type:session-superseded");
        assert_eq!(problem["status"], 409);
    }
}

#[tokio::test]
async fn without_the_layer_extractors_say_that_it_is_missing() {
    let app = Router::new()
        .route("/session", get(async |_: Session| ()))
        .route("/optional", get(async |_: Option<Session>| ()))
        .route("/group", get(async |_: SessionGroup| ()))
        .route("/props", get(async |_: Option<Props<Needy>>| ()));
    for path in ["/session", "/optional", "/group", "/props"] {
        let (kind, detail) = problem(kit::open(&app, path, "").await, 500).await;
        assert_eq!(kind, "urn:problem-type:missing-session-layer");
        assert!(detail.contains("add a `SessionLayer`"), "{detail}");
    }
    let response = kit::open(&bare(Stage::default()), "/result", "").await;
    assert_eq!(text(response).await, "without");
}

#[tokio::test]
async fn a_full_manager_and_one_that_shuts_down_are_unavailable() {
    use session_core::SessionManager;
    let sessions = SessionManager::builder()
        .max_sessions(1, WhenFull::Reject)
        .build()
        .unwrap();
    let app = app(&sessions);
    assert_eq!(kit::open(&app, "/session", "").await.status(), 200);
    let response = kit::open(&app, "/session", "").await;
    assert!(kit::is_silent(&response));
    problem(response, 503).await;
    assert_eq!(text(kit::open(&app, "/result", "").await).await, "without");

    let sessions = manager();
    sessions.shutdown(Duration::from_secs(1)).await;
    problem(kit::open(&kit::app(&sessions), "/session", "").await, 503).await;
}

#[tokio::test]
async fn a_set_without_its_state_is_the_servers_fault() {
    let app = Router::new()
        .route(
            "/",
            get(async |needy: Props<Needy>| needy.length().map(ToString::to_string).unwrap()),
        )
        .layer(SessionLayer::new(manager()));
    let (kind, detail) = problem(kit::open(&app, "/", "").await, 500).await;
    assert_eq!(kind, "urn:problem-type:missing-state");
    assert!(!detail.contains("String"), "{detail}");
}
