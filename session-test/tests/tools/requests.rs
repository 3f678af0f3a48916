//! Requests are those of a page of the application's own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, Version};
use axum::routing::{any, get, post};
use axum::{Form, Json, Router};
use session_core::SessionManager;
use session_test::Browser;
use tower::service_fn;

/// Returns what came.
async fn mirror(
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    body: String,
) -> String {
    let mut lines = vec![format!("{method} {uri} {version:?}")];
    let headers = headers.iter();
    lines.extend(headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
    lines[1..].sort();
    lines.push(body);
    lines.join("\n")
}

fn browser() -> Browser {
    Browser::new(Router::new().fallback(any(mirror)))
}

#[tokio::test]
async fn a_page_asks_and_posts() {
    let ann = browser();
    assert_eq!(
        ann.get("/a/b?c=d%20e").await.text(),
        "GET /a/b?c=d%20e HTTP/1.1\nhost: localhost\nsec-fetch-site: same-origin\n"
    );
    let post = "host: localhost\norigin: https://localhost\nsec-fetch-site: same-origin\n";
    for (request, method) in [
        (ann.post("/"), "POST"),
        (ann.put("/"), "PUT"),
        (ann.delete("/"), "DELETE"),
        (ann.request(Method::PATCH, "/"), "PATCH"),
    ] {
        let answer = request.body("hello").await;
        assert_eq!(answer.text(), format!("{method} / HTTP/1.1\n{post}hello"));
    }
}

#[tokio::test]
async fn a_page_of_another_site_says_so() {
    let ann = browser();
    let answer = ann.post("/").header("origin", "https://example.com").await;
    assert_eq!(
        answer.text(),
        "POST / HTTP/1.1\nhost: localhost\norigin: https://example.com\nsec-fetch-site: cross-site\n"
    );
    let answer = ann
        .post("/")
        .header("origin", "null")
        .header("host", "a")
        .header("sec-fetch-site", "none")
        .await;
    assert_eq!(
        answer.text(),
        "POST / HTTP/1.1\nhost: a\norigin: null\nsec-fetch-site: none\n"
    );
}

#[tokio::test]
async fn forms_json_and_bodies_are_sent() {
    let app = Router::new()
        .route(
            "/form",
            post(async |Form(form): Form<BTreeMap<String, String>>| Json(form)),
        )
        .route("/json", post(async |Json(json): Json<Vec<u8>>| Json(json)))
        .route("/bytes", post(async |bytes: Bytes| bytes));
    let ann = Browser::new(app);
    let form: BTreeMap<String, String> = ann
        .post("/form")
        .form(&[("name", "Ann & Bob"), ("empty", "")])
        .await
        .assert_status(200)
        .json();
    assert_eq!(form["name"], "Ann & Bob");
    assert_eq!(form["empty"], "");
    let numbers = ann.post("/json").json(&[1, 2]).await.assert_status(200);
    assert_eq!(numbers.json::<Vec<u8>>(), [1, 2]);
    let bytes = ann.post("/bytes").body(vec![255]).await;
    assert_eq!(bytes.bytes(), &[255][..]);
}

#[tokio::test]
#[should_panic(expected = "`notes` is not a path that a request can have")]
async fn a_path_begins_with_a_slash() {
    let _ = browser().get("notes");
}

#[tokio::test]
#[should_panic(expected = "`https://example.com/` is not a path that a request can have")]
async fn a_url_is_no_path() {
    let _ = browser().get("https://example.com/");
}

#[tokio::test]
#[should_panic(expected = "not a value of `x-name`")]
async fn a_header_has_a_value_that_headers_can_have() {
    let _ = browser().get("/").header("x-name", "a\nb");
}

#[tokio::test]
#[should_panic(expected = "out of ink")]
async fn a_handler_that_panics_fails_the_test() {
    let app = Router::new().route("/", get(async || -> () { panic!("out of ink") }));
    let _ = Browser::new(app).get("/").await;
}

#[tokio::test]
#[should_panic(expected = "GET / (at session-test/tests/tools/requests.rs:")]
async fn a_message_names_the_request_and_the_line() {
    let failing =
        service_fn(async |_: Request| Err::<axum::response::Response, _>(std::fmt::Error));
    let _ = Browser::new(failing).get("/").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected an answer, but nothing came for 604800s")]
async fn a_handler_that_waits_for_ever_fails_the_test() {
    let app = Router::new().route("/", get(std::future::pending::<()>));
    let _ = Browser::new(app).get("/").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_a_client_that_has_gone() {
    let sessions = SessionManager::builder().build().unwrap();
    let stays = async |_: session_axum::Session| std::future::pending::<()>().await;
    let app = Router::new()
        .route("/", get(stays))
        .layer(session_axum::SessionLayer::new(sessions.clone()));
    let ann = Browser::new(app);
    let answer = tokio::time::timeout(Duration::from_secs(1), ann.get("/"));
    assert!(answer.await.is_err());
    // Its id reached no one, so the session has ended.
    assert_eq!(sessions.sessions(), []);
    assert_eq!(sessions.stats().created, 1);
}

#[tokio::test]
async fn other_services_and_bodies_will_do() {
    let echo = service_fn(async |request: Request| {
        Ok::<_, Infallible>(axum::http::Response::new(request.into_body()))
    });
    let ann = Browser::new(echo);
    assert_eq!(
        ann.post("/").body(Body::from("hello")).await.text(),
        "hello"
    );
}
