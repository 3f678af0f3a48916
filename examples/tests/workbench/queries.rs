//! Queries: their pages, their errors, their end.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use serde_json::{Value, json};
use tokio::time;

use crate::inside::Workbench;
use crate::kit::problem::problem;
use crate::kit::visitor::{ENDLESS, Visitor as _};
use crate::server::Server;

#[tokio::test]
async fn pages_are_there_while_the_query_goes_on_and_memory_is_bounded() {
    let server = Server::start(&[]).await;
    let ann = server.visitor();
    let runner = ann.background(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i, hex(zeroblob(50)) FROM n",
    ).await;
    // A page ahead of the query, which is waited for. Then back again.
    for (page, first) in [
        (50, 5_001),
        (0, 1),
        (2000, 200_001),
        (7, 701),
        (9999, 999_901),
    ] {
        let answer = ann.get(&format!("{runner}?page={page}")).await;
        assert_eq!(answer.json::<Value>()["rows"][0][0], first);
    }
    // Only at the query's end is it known that this page does not exist.
    let past = ann.get(&format!("{runner}?page=10000")).await;
    assert_eq!(problem(&past, 404), "query 1 has no page 10000");
    let done: Value = ann.get(&runner).await.json();
    assert_eq!(
        (&done["state"], &done["total"], &done["pages"]),
        (&json!("done"), &json!(1_000_000), &json!(10_000))
    );
    let peak = server.program.peak_memory();
    assert!(peak < 64 << 10, "{peak} KiB");
    server.stop().await;
}

#[tokio::test]
async fn a_running_query_is_cancelled_and_the_connection_is_good_for_the_next() {
    let (workbench, ann) = Workbench::visited();
    ann.rows("BEGIN; DELETE FROM airports").await;
    let runner = ann.background(ENDLESS).await;
    // The state does not wait.
    let state = ann.state().await;
    assert_eq!(
        (&state["transaction"], &state["runners"][1]["state"]),
        (&json!(true), &json!("running"))
    );

    let cancelled = ann.post(&format!("{runner}/cancel")).await;
    let cancelled: Value = cancelled.assert_status(200).json();
    assert_eq!(cancelled["state"], "cancelled");
    let count = ann.rows("SELECT count(*) FROM airports").await;
    assert_eq!(count, json!([[0]]));
    let kept: Value = ann.get(&runner).await.json();
    assert_eq!(kept["rows"][0], json!([1000]));
    workbench.close().await;
}

#[tokio::test]
async fn a_statement_waits_its_turn_but_not_for_ever() {
    let (workbench, ann) = Workbench::visited();
    ann.background(ENDLESS).await;
    // Paused time does not pass by itself while a query runs.
    time::pause();
    let passing = async {
        loop {
            time::advance(Duration::from_secs(1)).await;
        }
    };
    let answer = tokio::select! {
        answer = ann.query("SELECT 1") => answer,
        () = passing => unreachable!("it has no end"),
    };
    time::resume();
    problem(&answer, 503);
    assert!(answer.headers().contains_key(RETRY_AFTER));
    workbench.close().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_the_query_it_waited_for() {
    let server = Server::start(&[]).await;
    let ann = server.visitor();
    ann.rows("SELECT 1").await;
    let log = &server.program.log;
    tokio::select! {
        _ = ann.query(ENDLESS) => panic!("it does not end by itself"),
        () = log.wait_for("runner started", 2) => {}
    }
    log.wait_for("runner stopped", 2).await;
    assert_eq!(ann.rows("SELECT 2").await, json!([[2]]));
    server.stop().await;
}

#[tokio::test]
async fn errors_are_answered_as_problems() {
    let (workbench, ann) = Workbench::visited();
    for (sql, detail) in [
        ("SELEC 1", "near \"SELEC\": syntax error"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        (
            "DELETE FROM airports\0 WHERE 0",
            "the statement has a zero byte",
        ),
    ] {
        assert_eq!(problem(&ann.query(sql).await, 400), detail);
    }
    for (path, status) in [
        ("/api/runners/99", 404),
        ("/api/runners/x", 400),
        ("/nowhere", 404),
        ("/api/query", 405),
    ] {
        problem(&ann.get(path).await, status);
    }
    let no_sql = json!({ "sequel": 1 });
    problem(&ann.post("/api/query").json(&no_sql).await, 422);
    assert_eq!(ann.rows("SELECT 1 WHERE 0").await, json!([]));
    assert_eq!(ann.rows("").await, json!([]));
    workbench.close().await;
}

#[tokio::test]
async fn the_last_statements_rows_are_the_answer() {
    let workbench = Workbench::new();
    let sql =
        "SELECT 1 AS a; CREATE TEMP TABLE t (x); INSERT INTO t VALUES (1), (2); SELECT x FROM t;";
    let answer: Value = workbench.visitor().query(sql).await.json();
    assert_eq!(
        (&answer["columns"], &answer["rows"], &answer["changes"]),
        (&json!(["x"]), &json!([[1], [2]]), &json!(2))
    );
    workbench.close().await;
}

#[tokio::test]
async fn a_connection_that_failed_to_open_is_tried_again() {
    let workbench = Workbench::given("CREATE TABLE t (x)");
    let ann = workbench.visitor();
    for _ in 0..2 {
        let answer = workbench.without("given.db", ann.query("SELECT * FROM t"));
        problem(&answer.await, 500);
    }
    assert_eq!(ann.rows("SELECT * FROM t").await, json!([]));
    let (_, log) = workbench.session(&ann);
    assert_eq!(log.count("connection failed to open"), 2);
    assert_eq!(log.count("connection opened"), 1);
    workbench.close().await;
}
