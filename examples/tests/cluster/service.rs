//! Three nodes are one service.

use serde_json::{Value, json};

use crate::kit::browser::browser;
use crate::kit::problem::problem;
use crate::kit::visitor::Visitor as _;
use crate::program::Cluster;

#[tokio::test]
async fn a_session_is_reached_through_every_door() {
    let cluster = Cluster::start().await;
    let ann = cluster.visitor();
    ann.rows("CREATE TEMP TABLE mine AS SELECT 7 AS x").await;
    let mine = json!({ "sql": "SELECT x FROM mine" });
    let doors = cluster.nodes.iter().map(|node| node.address);
    for door in doors.chain([cluster.front; 6]) {
        let query = browser(door).post("/api/query").json(&mine);
        let answer = query.header("cookie", cluster.cookie(&ann)).await;
        assert_eq!(answer.json::<Value>()["rows"], json!([[7]]), "{answer}");
    }
    let number = cluster.node(&ann).await;
    // All see the rows that are committed; only Ann sees the temporary ones.
    ann.rows("CREATE TABLE ours AS SELECT 8 AS x").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let other = cluster.visitor();
        let rows = other.rows("SELECT x FROM ours").await;
        assert_eq!(rows, json!([[8]]));
        problem(&other.query("SELECT x FROM mine").await, 400);
        others.push(cluster.node(&other).await);
    }
    assert!(others.iter().any(|other| *other != number), "{others:?}");
}

#[tokio::test]
async fn the_page_shows_the_nodes_under_names_of_this_machine_only() {
    let cluster = Cluster::start().await;
    let page = browser(cluster.status);
    let shown = page.get("/").await.assert_status(200);
    assert!(shown.text().contains("/api/status"));
    let status = cluster.status("").await;
    let nodes = status["nodes"].as_array().expect("it is a list");
    let pids = nodes.iter().map(|node| node["pid"].as_u64());
    let expected = cluster.nodes.iter().map(|node| Some(node.pid.into()));
    assert!(pids.eq(expected), "{status:#}");
    assert_eq!(status["you"], "You have no session: run a query.");
    // A site's own name for this machine.
    let foreign = page.get("/").header("host", "evil.example").await;
    foreign.assert_status(421);
}
