//! Sessions in each other's way: one yields, and is told.

use serde_json::json;

use crate::client::Client;
use crate::server::Server;

/// How long a transaction may be idle while others wait, in seconds.
const PATIENCE: &[&str] = &["--patience", "1"];

#[test]
fn an_idle_transaction_that_others_wait_for_is_rolled_back_and_its_owner_told() {
    let server = Server::start(PATIENCE);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("BEGIN; DELETE FROM airports");
    assert_eq!(ann.state()["transaction"], true);
    // Bob waits for as long as Ann may be idle.
    bob.rows("CREATE TABLE mine (x)");
    assert_eq!(bob.rows("SELECT count(*) FROM airports"), json!([[3376]]));
    server.log.wait_for("transaction rolled back for others", 1);

    let state = ann.state();
    assert_eq!(
        (&state["transaction"], &state["rolled_back"]),
        (&json!(false), &json!(true))
    );
    // Outside the transaction the change would be permanent.
    let told = ann.post("/api/query", &json!({ "sql": "DELETE FROM mine" }));
    assert_eq!((told.status, &told.body["status"]), (409, &json!(409)));
    let detail = told.body["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("your transaction was rolled back"),
        "{detail}"
    );
    assert_eq!(ann.state()["rolled_back"], json!(null));
    assert_eq!(ann.rows("SELECT count(*) FROM airports"), json!([[3376]]));
    server.stop();
}

#[test]
fn a_transaction_that_is_in_nobodys_way_stays_open() {
    let server = Server::start(PATIENCE);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    // Ann reads the earlier state, without Bob's table.
    ann.rows("BEGIN; SELECT count(*) FROM airports");
    let mut cat = Client::new(&server);
    cat.rows("BEGIN; CREATE TEMP TABLE own AS SELECT 1");
    bob.rows("BEGIN IMMEDIATE; CREATE TABLE mine (x)");
    // The waiting writer waits for Bob alone.
    Client::new(&server).rows("CREATE TABLE another (x)");
    assert_eq!(bob.state()["rolled_back"], true);
    assert_eq!(ann.state()["transaction"], true);
    assert_eq!(cat.state()["transaction"], true);
    ann.rows("COMMIT");
    cat.rows("COMMIT");
    server.stop();
}

#[test]
fn a_reader_that_keeps_the_log_from_shrinking_is_rolled_back() {
    let server = Server::start(PATIENCE);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("BEGIN; SELECT count(*) FROM airports");
    bob.rows(
        "CREATE TABLE large AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500)
         SELECT zeroblob(60000) AS x FROM n",
    );
    server.log.wait_for("transaction rolled back for others", 1);
    assert_eq!(
        ann.post("/api/query", &json!({ "sql": "SELECT 1" })).status,
        409
    );
    server.stop();
}

#[test]
fn a_query_that_waits_to_write_can_be_cancelled() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("BEGIN IMMEDIATE");
    let sql = json!({ "sql": "CREATE TABLE mine (x)", "background": true });
    let started = bob.post("/api/query", &sql);
    assert_eq!(started.status, 202);
    let cancelled = bob.post(
        &format!("/api/runners/{}/cancel", started.body["id"]),
        &json!({}),
    );
    assert_eq!(cancelled.body["state"], "cancelled", "{}", cancelled.body);
    ann.rows("COMMIT");
    server.stop();
}
