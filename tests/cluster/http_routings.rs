//! The routings that leave the journey to the proxy in front.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode};
use session_cluster::{InProcessDirectory, Replay, Routing};

use crate::http_client::{get, header, ok, send, with_body};
use crate::http_kit::Node;

#[tokio::test]
async fn a_replay_names_the_owner_in_headers() {
    let directory = InProcessDirectory::new();
    let replay = Replay::header("x-accel-redirect", |_| "@owner".into())
        .and_header("x-owner", |owner| {
            format!("{} {}", owner.address(), owner.tag())
        })
        .and_header("x-wrong", |_| "no\nheader".into());
    let a = Node::routing(&directory, "A", replay).await;
    let b = Node::start(&directory, "B").await;
    a.learn().await;
    let (_session, cookie) = b.visitor();
    let response = get(a.address, "/", &cookie).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(header(&response, "x-accel-redirect"), Some("@owner"));
    let owner = format!("{} {}", b.address, b.cluster.tag().unwrap());
    assert_eq!(header(&response, "x-owner"), Some(&*owner));
    assert_eq!(header(&response, "x-wrong"), None);
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(ok(b.address, "/", &cookie).await, "session at B");
    assert_eq!(ok(a.address, "/", "").await, "stranger at A");
}

#[tokio::test]
async fn a_rejection_names_nobody() {
    let directory = InProcessDirectory::new();
    let a = Node::routing(&directory, "A", Routing::Reject).await;
    let b = Node::start(&directory, "B").await;
    a.learn().await;
    let ((_here, here), (_there, there)) = (a.visitor(), b.visitor());
    let response = get(a.address, "/", &there).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert!(
        response
            .headers()
            .keys()
            .all(|name| !name.as_str().contains("session"))
    );
    assert_eq!(ok(a.address, "/", &here).await, "session at A");
}

#[tokio::test]
async fn a_replay_reads_the_body_to_its_end_before_it_answers() {
    let directory = InProcessDirectory::new();
    let replay = Replay::header("x-accel-redirect", |_| "@owner".into());
    let a = Node::routing(&directory, "A", replay).await;
    let b = Node::start(&directory, "B").await;
    a.learn().await;
    let (_session, cookie) = b.visitor();
    // More than sockets hold.
    let (parts, sent) = (256, Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&sent);
    let body = stream::iter(0..parts).map(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from(vec![7; 64 << 10]))
    });
    let body = Body::from_stream(body);
    let response = send(a.address, with_body(Method::POST, "/echo", &cookie, body)).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(sent.load(Ordering::Relaxed), parts);
}
