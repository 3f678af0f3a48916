//! Three nodes are one service.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::program::{Cluster, read_all};
use crate::visitor::{Visitor, ask};

#[test]
fn a_session_is_reached_through_every_door() {
    let cluster = Cluster::start();
    let mut ann = Visitor::new(&cluster);
    ann.rows("CREATE TEMP TABLE mine AS SELECT 7 AS x");
    let doors = cluster.nodes.iter().map(|node| node.address);
    for door in doors.chain([cluster.front; 6]) {
        ann.door = door;
        assert_eq!(ann.rows("SELECT x FROM mine"), json!([[7]]));
    }
    let number = ann.node(&cluster);
    // All see the rows that are committed; only Ann sees the temporary ones.
    ann.rows("CREATE TABLE ours AS SELECT 8 AS x");
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = Visitor::new(&cluster);
        assert_eq!(other.rows("SELECT x FROM ours"), json!([[8]]));
        let mine = json!({ "sql": "SELECT x FROM mine" });
        assert_eq!(other.send("POST", "/api/query", &mine).status, 400);
        others.push(other.node(&cluster));
    }
    assert!(others.iter().any(|other| *other != number), "{others:?}");
}

#[test]
fn the_page_shows_the_nodes_under_names_of_this_machine_only() {
    let cluster = Cluster::start();
    let page = ask(cluster.status, "GET", "/", None, "");
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .as_str()
            .is_some_and(|page| page.contains("/api/status"))
    );
    let status = cluster.status(None);
    let nodes = status["nodes"].as_array().expect("it is a list");
    let pids: Vec<_> = nodes.iter().map(|node| &node["pid"]).collect();
    let expected: Vec<_> = cluster
        .nodes
        .iter()
        .map(|node| Value::from(node.pid))
        .collect();
    assert!(pids.iter().copied().eq(&expected), "{status:#}");
    assert_eq!(status["you"], "You have no session: run a query.");

    // A site's own name for this machine.
    let mut foreign = TcpStream::connect(cluster.status).expect("it listens");
    write!(
        foreign,
        "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n"
    )
    .expect("it reads");
    assert!(read_all(foreign).starts_with("HTTP/1.1 421"));
}
