//! Checks of answers, and their messages.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use session_test::Browser;

fn broken() -> Body {
    let chunks = stream::iter([Ok("half a "), Err("the disk is full")]);
    Body::from_stream(chunks)
}

fn browser() -> Browser {
    let app = Router::new()
        .route("/", get(async || (StatusCode::CREATED, "made")))
        .route("/bytes", get(async || vec![255_u8]))
        .route("/broken", get(async || broken()))
        .route(
            "/endless",
            get(async || {
                Body::from_stream(stream::iter([Ok::<_, String>("one")]).chain(stream::pending()))
            }),
        );
    Browser::new(app)
}

#[tokio::test]
async fn a_status_is_a_number_or_a_constant() {
    let answer = browser().get("/").await;
    assert_eq!(answer.status(), 201);
    let answer = answer.assert_status(201).assert_status(StatusCode::CREATED);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(answer.text(), "made");
}

#[tokio::test]
#[should_panic(expected = "expected status 200, came 201 Created: made")]
async fn another_status_shows_the_body() {
    browser().get("/").await.assert_status(200);
}

#[tokio::test]
#[should_panic(
    expected = "expected JSON of a `bool`: expected value at line 1 column 1: 201 Created: made"
)]
async fn what_is_no_json_is_shown() {
    browser().get("/").await.json::<bool>();
}

#[tokio::test]
#[should_panic(expected = "expected text: invalid utf-8 sequence")]
async fn what_is_no_text_is_shown() {
    browser().get("/bytes").await.text();
}

#[tokio::test]
#[should_panic(expected = "the answer's body ended with an error: the disk is full")]
async fn a_body_that_breaks_off_fails_the_test() {
    browser().get("/broken").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected the end of the answer, but nothing came for 604800s")]
async fn a_body_that_does_not_end_fails_the_test() {
    browser().get("/endless").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_can_be_opened() {
    let response = browser().get("/endless").open().await;
    let mut chunks = response.into_body().into_data_stream();
    assert_eq!(chunks.next().await.unwrap().unwrap(), "one");
    let more = tokio::time::timeout(Duration::from_secs(3600), chunks.next());
    assert!(more.await.is_err());
}
