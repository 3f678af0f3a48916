//! Sessions in each other's way: one yields, and is told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::inside::Workbench;
use crate::kit::problem::problem;
use crate::kit::visitor::Visitor as _;
use crate::server::Server;

/// How long a transaction may be idle while others wait.
const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_idle_transaction_that_others_wait_for_is_rolled_back_and_its_owner_told() {
    let server = Server::start(&["--patience", "1"]).await;
    let (ann, bob) = (server.visitor(), server.visitor());
    let count = "SELECT count(*) FROM airports";
    ann.rows("BEGIN; DELETE FROM airports").await;
    assert_eq!(ann.state().await["transaction"], true);
    // Bob waits for as long as Ann may be idle.
    bob.rows("CREATE TABLE mine (x)").await;
    assert_eq!(bob.rows(count).await, json!([[3376]]));
    let log = &server.program.log;
    log.wait_for("transaction rolled back for others", 1).await;

    let state = ann.state().await;
    assert_eq!(
        (&state["transaction"], &state["rolled_back"]),
        (&json!(false), &json!(true))
    );
    // Outside the transaction the change would be permanent.
    let told = problem(&ann.query("DELETE FROM mine").await, 409);
    assert!(told.contains("your transaction was rolled back"), "{told}");
    assert_eq!(ann.state().await["rolled_back"], json!(null));
    assert_eq!(ann.rows(count).await, json!([[3376]]));
    server.stop().await;
}

#[tokio::test]
async fn a_transaction_that_is_in_nobodys_way_stays_open() {
    let workbench = Workbench::patient(PATIENCE);
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    // Ann reads the earlier state, without Bob's table.
    ann.rows("BEGIN; SELECT count(*) FROM airports").await;
    let cat = workbench.visitor();
    cat.rows("BEGIN; CREATE TEMP TABLE own AS SELECT 1").await;
    bob.rows("BEGIN IMMEDIATE; CREATE TABLE mine (x)").await;
    // The waiting writer waits for Bob alone.
    let dan = workbench.visitor();
    dan.rows("CREATE TABLE another (x)").await;
    assert_eq!(bob.state().await["rolled_back"], true);
    assert_eq!(ann.state().await["transaction"], true);
    assert_eq!(cat.state().await["transaction"], true);
    ann.rows("COMMIT").await;
    cat.rows("COMMIT").await;
    workbench.close().await;
}

#[tokio::test]
async fn a_reader_that_keeps_the_log_from_shrinking_is_rolled_back() {
    let workbench = Workbench::patient(PATIENCE);
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("BEGIN; SELECT count(*) FROM airports").await;
    bob.rows(
        "CREATE TABLE large AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500)
         SELECT zeroblob(60000) AS x FROM n",
    ).await;
    let (_, log) = workbench.session(&ann);
    log.wait_for("transaction rolled back for others", 1).await;
    problem(&ann.query("SELECT 1").await, 409);
    workbench.close().await;
}

#[tokio::test]
async fn a_query_that_waits_to_write_can_be_cancelled() {
    let workbench = Workbench::new();
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("BEGIN IMMEDIATE").await;
    let sql = json!({ "sql": "CREATE TABLE mine (x)", "background": true });
    let started = bob.post("/api/query").json(&sql).await;
    let started: Value = started.assert_status(202).json();
    let cancel = format!("/api/runners/{}/cancel", started["id"]);
    let cancelled: Value = bob.post(&cancel).await.json();
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    ann.rows("COMMIT").await;
    workbench.close().await;
}
