//! Answers that refuse something.

use axum::http::header::CONTENT_TYPE;
use serde_json::Value;
use session_test::Answer;

/// The detail of a problem in JSON, which the answer must be, with this status.
pub(crate) fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status(), status, "{answer}");
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
    let problem: Value = answer.json();
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().expect("it is text").to_owned()
}
