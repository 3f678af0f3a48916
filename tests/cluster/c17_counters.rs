//! The counters of the layer: what was sent on, what has come from other nodes, what was refused, and what was cut.

use http_body_util::BodyExt as _;

use crate::http_client::{get, is_unavailable, ok, request, send};
use crate::http_kit::{bury, pair};

#[tokio::test]
async fn c17_both_nodes_count_a_request_that_is_sent_on() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    ok(a.address, "/", &cookie).await;
    ok(b.address, "/", &cookie).await;
    let counts = [&a, &b].map(|node| {
        let metrics = node.cluster.metrics();
        (metrics.forwarded, metrics.received)
    });
    assert_eq!(counts, [(1, 0), (0, 1)]);
}

#[tokio::test]
async fn c17_a_node_counts_the_requests_that_it_can_not_answer() {
    let (_directory, a, mut b) = pair().await;
    let (_session, cookie) = b.visitor();
    b.kill().await;
    assert!(is_unavailable(&get(a.address, "/", &cookie).await));
    let metrics = a.cluster.metrics();
    assert_eq!((metrics.unsure, metrics.forwarded), (1, 0));
}

#[tokio::test]
async fn c17_a_node_counts_what_a_verdict_cuts() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut stream = get(a.address, "/events", &cookie).await;
    let _ = stream.frame().await.unwrap().unwrap();
    let waiting = tokio::spawn(send(a.address, request("/wait", &cookie)));
    b.stage.arrived.notified().await;
    bury(&directory, b.address).await;
    a.learn().await;
    assert!(stream.frame().await.unwrap().is_err());
    a.stage.arrived.notified().await;
    a.stage.go_on.notify_one();
    waiting.await.unwrap();
    assert_eq!(a.cluster.metrics().cut, 2);
}
