//! The fate of visitors when a node fails.

use serde_json::{Value, json};

use crate::program::{Cluster, signal};
use crate::visitor::Visitor;

/// Two visitors with sessions on different nodes, and the numbers of these.
fn two_visitors(cluster: &Cluster) -> ([Visitor; 2], [usize; 2]) {
    let visitor = || {
        let mut visitor = Visitor::new(cluster);
        visitor.rows("CREATE TEMP TABLE mine AS SELECT 7 AS x");
        let node = visitor.node(cluster);
        (visitor, node)
    };
    let (first, its_node) = visitor();
    loop {
        let (second, node) = visitor();
        if node != its_node {
            return ([first, second], [its_node, node]);
        }
    }
}

#[test]
fn a_killed_node_takes_its_own_sessions_and_the_page_says_so() {
    let cluster = Cluster::start();
    let ([mut ann, mut bob], [node, _]) = two_visitors(&cluster);
    let pid = cluster.nodes[node - 1].pid;
    signal(pid, "KILL");
    cluster.wait_for_event(&format!("node {node} (pid {pid}) has ended, signal: 9"));
    let mut answers = Vec::new();
    // Each of her requests waits for the verdict, for as long as a request may.
    loop {
        assert_eq!(
            bob.rows("SELECT x FROM mine"),
            json!([[7]]),
            "Bob notices nothing"
        );
        let answer = ann.send("GET", "/api/state", &Value::Null);
        assert!(
            answer.status != 503 || answer.body["status"] == 503,
            "a problem: {}",
            answer.body
        );
        answers.push(answer.status);
        if answer.status == 200 && answer.body["session"] == false {
            break;
        }
        assert!(answers.len() < 1_000, "she does not become a stranger");
    }
    let (_, waited) = answers.split_last().expect("there was one");
    assert!(waited.iter().all(|status| *status == 503), "{answers:?}");
    cluster.wait_for_event(&format!("the others know that node {node}"));

    ann.rows("SELECT 1");
    let new = ann.node(&cluster);
    assert_ne!(new, node);
    cluster.wait_for_event(&format!(
        "a visitor of node {node} has a new session on node {new}"
    ));
}

#[test]
fn a_node_that_drains_keeps_its_sessions_until_they_end() {
    let cluster = Cluster::start();
    let ([mut ann, mut bob], [node, _]) = two_visitors(&cluster);
    signal(cluster.nodes[node - 1].pid, "TERM");
    cluster.wait_for_event(&format!("node {node} drains"));
    for _ in 0..6 {
        assert_eq!(ann.rows("SELECT x FROM mine"), json!([[7]]));
        let mut new = Visitor::new(&cluster);
        new.rows("SELECT 1");
        assert_ne!(new.node(&cluster), node, "it takes no new visitors");
    }
    assert_eq!(ann.send("POST", "/api/logout", &Value::Null).status, 204);
    cluster.wait_for_event(&format!("node {node} has left the cluster"));
    ann.rows("SELECT 1");
    assert_ne!(ann.node(&cluster), node);
    assert_eq!(bob.rows("SELECT x FROM mine"), json!([[7]]));
}
