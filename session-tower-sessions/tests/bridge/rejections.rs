//! The response to a request that one of the two sessions could not serve.

use std::error::Error as _;

use axum::response::IntoResponse as _;
use session_core::{CreateError, SessionEnded};
use session_tower_sessions::Rejection;
use tower_sessions::{session, session_store};

#[test]
fn each_error_has_the_status_of_its_kind() {
    let away = session_store::Error::Backend("the store is at 10.0.0.7".to_owned());
    let broken = session_store::Error::Decode("no session".to_owned());
    let cases: [(Rejection, u16, bool); 4] = [
        (session::Error::from(away).into(), 503, true),
        (session::Error::from(broken).into(), 500, false),
        (SessionEnded.into(), 409, false),
        (CreateError::Full.into(), 503, true),
    ];
    for (rejection, status, retry) in cases {
        assert_eq!(rejection.status(), status, "{rejection}");
        let shown = rejection.to_string();
        assert!(!shown.contains("10.0.0.7"), "{shown}");
        let response = rejection.into_response();
        assert_eq!(response.status(), status, "{shown}");
        let headers = response.headers();
        assert_eq!(headers.contains_key("retry-after"), retry, "{shown}");
        assert_eq!(headers["content-type"], "application/problem+json");
    }
}

#[test]
fn the_cause_is_its_source() {
    let away = session_store::Error::Backend("away".to_owned());
    let rejection = Rejection::from(session::Error::from(away));
    let source = rejection.source().expect("a source");
    assert!(source.to_string().contains("away"), "{source}");
}
