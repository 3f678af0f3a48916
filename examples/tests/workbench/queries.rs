//! Queries: their pages, their errors, their end.

use std::fs;

use serde_json::{Value, json};

use crate::client::{Client, ENDLESS};
use crate::server::Server;

#[test]
fn pages_are_there_while_the_query_goes_on_and_memory_is_bounded() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let runner = client.background(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i, hex(zeroblob(50)) FROM n",
    );
    let first = |page: &Value| page["rows"][0][0].as_u64();
    // A page ahead of the query, which is waited for. Then back again.
    for page in [50, 0, 2000, 7] {
        let answer = client.get(&format!("{runner}?page={page}"));
        assert_eq!(first(&answer.body), Some(page * 100 + 1));
    }
    let last = client.get(&format!("{runner}?page=9999")).body;
    assert_eq!(first(&last), Some(999_901));
    // Only at the query's end is it known that this page does not exist.
    let past = client.get(&format!("{runner}?page=10000"));
    assert_eq!(
        (past.status, &past.body["detail"]),
        (404, &json!("query 1 has no page 10000"))
    );
    let done = client.get(&runner).body;
    assert_eq!(
        (&done["state"], &done["total"], &done["pages"]),
        (&json!("done"), &json!(1_000_000), &json!(10_000))
    );
    assert!(
        server.peak_memory() < 64 << 10,
        "{} KiB",
        server.peak_memory()
    );
    server.stop();
}

#[test]
fn a_running_query_is_cancelled_and_the_connection_is_good_for_the_next() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.rows("BEGIN; DELETE FROM airports");
    let runner = client.background(ENDLESS);
    // The state does not wait.
    let state = client.state();
    assert_eq!(
        (&state["transaction"], &state["runners"][1]["state"]),
        (&json!(true), &json!("running"))
    );

    let cancelled = client.post(&format!("{runner}/cancel"), &json!({}));
    assert_eq!(
        (cancelled.status, &cancelled.body["state"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(client.rows("SELECT count(*) FROM airports"), json!([[0]]));
    assert_eq!(client.get(&runner).body["rows"][0], json!([1000]));
    server.stop();
}

#[test]
fn a_statement_waits_its_turn_but_not_for_ever() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.background(ENDLESS);
    let answer = client.post("/api/query", &json!({ "sql": "SELECT 1" }));
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after"));
    server.stop();
}

#[test]
fn a_client_that_hangs_up_stops_the_query_it_waited_for() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.rows("SELECT 1");
    let waiting = client.open("POST", "/api/query", &json!({ "sql": ENDLESS }).to_string());
    server.log.wait_for("runner started", 2);
    drop(waiting);
    server.log.wait_for("runner stopped", 2);
    assert_eq!(client.rows("SELECT 2"), json!([[2]]));
    server.stop();
}

#[test]
fn errors_are_answered_as_problems() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    for (sql, detail) in [
        ("SELEC 1", "near \"SELEC\": syntax error"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        (
            "DELETE FROM airports\0 WHERE 0",
            "the statement has a zero byte",
        ),
    ] {
        let answer = client.post("/api/query", &json!({ "sql": sql }));
        assert_eq!(
            (answer.status, &answer.body["detail"]),
            (400, &json!(detail))
        );
        assert!(
            answer
                .head
                .contains("content-type: application/problem+json")
        );
    }
    for (path, status) in [
        ("/api/runners/99", 404),
        ("/api/runners/x", 400),
        ("/nowhere", 404),
        ("/api/query", 405),
    ] {
        let answer = client.get(path);
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (status, &json!(status)),
            "{path}"
        );
    }
    assert_eq!(
        client.post("/api/query", &json!({ "sequel": 1 })).body["status"],
        422
    );
    assert_eq!(client.rows("SELECT 1 WHERE 0"), json!([]));
    assert_eq!(client.rows(""), json!([]));
    server.stop();
}

#[test]
fn the_last_statements_rows_are_the_answer() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let sql =
        "SELECT 1 AS a; CREATE TEMP TABLE t (x); INSERT INTO t VALUES (1), (2); SELECT x FROM t;";
    let answer = client.post("/api/query", &json!({ "sql": sql })).body;
    assert_eq!(
        (&answer["columns"], &answer["rows"], &answer["changes"]),
        (&json!(["x"]), &json!([[1], [2]]), &json!(2))
    );
    server.stop();
}

#[test]
fn a_connection_that_failed_to_open_is_tried_again() {
    let directory = tempfile::tempdir().expect("there is room");
    let database = directory.path().join("given.db");
    rusqlite::Connection::open(&database)
        .and_then(|db| db.execute_batch("CREATE TABLE t (x)"))
        .expect("it is made");
    let server = Server::start(&[database.to_str().expect("it is text")]);
    let aside = directory.path().join("aside.db");
    fs::rename(&database, &aside).expect("nobody has it open");
    let mut client = Client::new(&server);
    for _ in 0..2 {
        let answer = client.post("/api/query", &json!({ "sql": "SELECT * FROM t" }));
        assert_eq!((answer.status, &answer.body["status"]), (500, &json!(500)));
    }
    fs::rename(&aside, &database).expect("it is there");
    assert_eq!(client.rows("SELECT * FROM t"), json!([]));
    server.log.wait_for("connection opened", 1);
    assert_eq!(server.log.count("connection failed to open"), 2);
    assert_eq!(server.log.count("connection opened"), 1);
    server.stop();
}
