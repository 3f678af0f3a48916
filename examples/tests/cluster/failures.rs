//! The fate of visitors when a node fails.

use rustix::process::Signal;
use serde_json::{Value, json};
use session_test::Browser;

use crate::kit::problem::problem;
use crate::kit::program::send_signal;
use crate::kit::visitor::Visitor as _;
use crate::program::Cluster;

/// Two visitors with sessions on different nodes, and the number of the first one's.
async fn two_visitors(cluster: &Cluster) -> (Browser, Browser, usize) {
    let visitor = async || {
        let visitor = cluster.visitor();
        visitor
            .rows("CREATE TEMP TABLE mine AS SELECT 7 AS x")
            .await;
        let node = cluster.node(&visitor).await;
        (visitor, node)
    };
    let (first, its_node) = visitor().await;
    loop {
        let (second, node) = visitor().await;
        if node != its_node {
            return (first, second, its_node);
        }
        // A node that drains waits for it.
        second.log_out().await;
    }
}

#[tokio::test]
async fn a_killed_node_takes_its_own_sessions_and_the_page_says_so() {
    let cluster = Cluster::start().await;
    let (ann, bob, node) = two_visitors(&cluster).await;
    let pid = cluster.nodes[node - 1].pid;
    send_signal(pid, Signal::KILL);
    let ended = format!("node {node} (pid {pid}) has ended, signal: 9");
    cluster.wait_for_event(&ended).await;
    let mut waited = 0;
    // Each of her requests waits for the verdict, for as long as a request may.
    loop {
        let rows = bob.rows("SELECT x FROM mine").await;
        assert_eq!(rows, json!([[7]]), "Bob notices nothing");
        let answer = ann.get("/api/state").await;
        if answer.status() == 200 {
            assert_eq!(answer.json::<Value>()["session"], false);
            break;
        }
        problem(&answer, 503);
        waited += 1;
        assert!(waited < 1_000, "she does not become a stranger");
    }
    let known = format!("the others know that node {node}");
    cluster.wait_for_event(&known).await;

    ann.rows("SELECT 1").await;
    let new = cluster.node(&ann).await;
    assert_ne!(new, node);
    let moved = format!("a visitor of node {node} has a new session on node {new}");
    cluster.wait_for_event(&moved).await;
}

#[tokio::test]
async fn a_node_that_drains_keeps_its_sessions_until_they_end() {
    let cluster = Cluster::start().await;
    let (ann, bob, node) = two_visitors(&cluster).await;
    send_signal(cluster.nodes[node - 1].pid, Signal::TERM);
    cluster.wait_for_event(&format!("node {node} drains")).await;
    for _ in 0..6 {
        let rows = ann.rows("SELECT x FROM mine").await;
        assert_eq!(rows, json!([[7]]));
        let new = cluster.visitor();
        new.rows("SELECT 1").await;
        let other = cluster.node(&new).await;
        assert_ne!(other, node, "it takes no new visitors");
    }
    ann.log_out().await;
    let left = format!("node {node} has left the cluster");
    cluster.wait_for_event(&left).await;
    ann.rows("SELECT 1").await;
    assert_ne!(cluster.node(&ann).await, node);
    let rows = bob.rows("SELECT x FROM mine").await;
    assert_eq!(rows, json!([[7]]));
}
