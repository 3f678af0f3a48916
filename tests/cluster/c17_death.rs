//! Rules 17 and 18: a request whose owner dies is cut at the verdict, goes on as a stranger's if that is safe, and is
//! never sent twice.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::Method;
use http_body_util::BodyExt as _;

use crate::http_client::{get, is_unavailable, ok, request, send, text, with_body};
use crate::http_hostile::bytes_of;
use crate::http_kit::{bury, pair};

#[tokio::test]
async fn c18_a_dead_owners_visitor_is_a_stranger() {
    let (directory, a, mut b) = pair().await;
    let (_session, cookie) = b.visitor();
    b.kill().await;
    assert!(is_unavailable(&get(a.address, "/", &cookie).await));
    bury(&directory, b.address).await;
    // The first request that fails asks the store.
    assert_eq!(ok(a.address, "/", &cookie).await, "stranger at A");
    let calls = directory.calls();
    assert_eq!(ok(a.address, "/", &cookie).await, "stranger at A");
    assert_eq!(directory.calls(), calls);
}

#[tokio::test]
async fn c17_a_request_that_has_not_reached_its_owner_goes_on_with_its_body() {
    let (directory, a, mut b) = pair().await;
    let (_session, cookie) = b.visitor();
    b.kill().await;
    bury(&directory, b.address).await;
    let request = with_body(Method::POST, "/echo", &cookie, bytes_of("abc"));
    assert_eq!(text(send(a.address, request).await).await, "abc");
    assert_eq!(a.stage.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn c17_a_waiting_request_without_a_body_goes_on_at_the_verdict() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let waiting = tokio::spawn(send(a.address, request("/wait", &cookie)));
    b.stage.arrived.notified().await;
    bury(&directory, b.address).await;
    a.learn().await;
    a.stage.arrived.notified().await;
    b.stage.dropped.notified().await;
    a.stage.go_on.notify_one();
    assert_eq!(text(waiting.await.unwrap()).await, "A");
}

#[tokio::test]
async fn c17_a_waiting_request_with_a_body_is_refused_at_the_verdict() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let request = with_body(Method::POST, "/wait", &cookie, bytes_of("abc"));
    let waiting = tokio::spawn(send(a.address, request));
    b.stage.arrived.notified().await;
    bury(&directory, b.address).await;
    a.learn().await;
    assert!(is_unavailable(&waiting.await.unwrap()));
    b.stage.dropped.notified().await;
    assert_eq!(a.stage.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn c17_a_stream_fails_at_the_verdict() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut response = get(a.address, "/events", &cookie).await;
    let _ = response.frame().await.unwrap().unwrap();
    bury(&directory, b.address).await;
    a.learn().await;
    assert!(response.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn c17_an_upload_stops_at_the_verdict() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let body = Body::from_stream(futures_util::stream::pending::<
        Result<axum::body::Bytes, std::io::Error>,
    >());
    let request = with_body(Method::POST, "/echo", &cookie, body);
    let response = send(a.address, request).await;
    bury(&directory, b.address).await;
    a.learn().await;
    assert!(response.into_body().frame().await.unwrap().is_err());
}
