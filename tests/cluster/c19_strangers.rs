//! Rule 19: a node that drains keeps its sessions and sends strangers elsewhere; one that has left only forwards.

use std::time::Duration;

use session_core::LocalSession as _;

use crate::http_client::{get, is_unavailable, ok};
use crate::http_kit::{Node, pair};

#[tokio::test]
async fn c19_a_draining_nodes_own_sessions_go_on_and_strangers_go_elsewhere() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = a.visitor();
    a.cluster.drain();
    assert_eq!(ok(a.address, "/", &cookie).await, "session at A");
    assert_eq!(ok(b.address, "/", &cookie).await, "session at A");
    assert_eq!(ok(a.address, "/", "").await, "stranger at B");
    assert_eq!(ok(a.address, "/new", "").await, "B");
}

#[tokio::test]
async fn c19_a_visitor_whose_session_is_over_is_a_stranger_where_it_came_in() {
    let (_directory, a, b) = pair().await;
    let (session, cookie) = a.visitor();
    a.cluster.drain();
    session.terminate();
    assert_eq!(ok(b.address, "/", &cookie).await, "stranger at B");
    assert_eq!(ok(a.address, "/", &cookie).await, "stranger at B");
}

#[tokio::test]
async fn c19_the_last_node_serves_strangers_itself_while_it_drains() {
    let directory = session_cluster::InProcessDirectory::new();
    let a = Node::start(&directory, "A").await;
    a.cluster.drain();
    assert_eq!(ok(a.address, "/", "").await, "stranger at A");
}

#[tokio::test]
async fn c19_of_nodes_that_drain_none_sends_strangers_in_a_circle() {
    let (_directory, a, b) = pair().await;
    // Each thinks that the other takes strangers.
    a.cluster.drain();
    b.cluster.drain();
    let served = ok(a.address, "/", "").await;
    assert_eq!(served, "stranger at A");
}

#[tokio::test]
async fn c19_a_node_that_has_left_only_forwards() {
    let (_directory, a, b) = pair().await;
    let ((_gone, gone), (_there, there)) = (a.visitor(), b.visitor());
    let left = a
        .cluster
        .leave(Duration::ZERO, Duration::from_secs(5))
        .await;
    assert!(left.farewell.is_ok());
    assert_eq!(ok(a.address, "/", &there).await, "session at B");
    for cookie in [&*gone, ""] {
        assert_eq!(ok(a.address, "/", cookie).await, "stranger at B");
    }
    b.learn().await;
    assert_eq!(ok(b.address, "/", &gone).await, "stranger at B");
}

#[tokio::test]
async fn c19_the_last_node_that_has_left_refuses() {
    let directory = session_cluster::InProcessDirectory::new();
    let a = Node::start(&directory, "A").await;
    let (_session, cookie) = a.visitor();
    let _ = a
        .cluster
        .leave(Duration::ZERO, Duration::from_secs(5))
        .await;
    for cookie in [&*cookie, ""] {
        assert!(is_unavailable(&get(a.address, "/", cookie).await));
    }
}
