//! Visitors do not see each other's things.

use std::sync::Arc;

use axum::http::header::SET_COOKIE;
use futures_util::future::join_all;
use serde_json::{Value, json};
use session_core::CompletionCause;
use session_test::{Browser, assert_ended};
use tokio::sync::Barrier;

use crate::inside::{COOKIE, Workbench};
use crate::kit::problem::problem;
use crate::kit::visitor::Visitor as _;

/// The name of the first table in the visitor's list.
async fn first_table(visitor: &Browser) -> Value {
    let tables: Value = visitor.get("/api/tables").await.json();
    tables["tables"][0]["name"].clone()
}

#[tokio::test]
async fn temp_tables_and_uncommitted_rows_are_their_owners_alone() {
    let workbench = Workbench::new();
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("CREATE TEMP TABLE mine (x); INSERT INTO mine VALUES (1); BEGIN; DELETE FROM airports WHERE latitude > 60").await;
    assert_eq!(ann.state().await["transaction"], true);
    assert_eq!(ann.rows("SELECT count(*) FROM mine").await, json!([[1]]));
    assert_eq!(first_table(&ann).await, "mine");

    let count = "SELECT count(*) FROM airports";
    let everything = json!([[3376]]);
    assert_ne!(ann.rows(count).await, everything);
    assert_eq!(bob.rows(count).await, everything);
    let answer = bob.query("SELECT * FROM mine").await;
    assert_eq!(problem(&answer, 400), "no such table: mine");
    assert_eq!(first_table(&bob).await, "airports");
    assert_eq!(bob.state().await["transaction"], false);

    let (session, _) = workbench.session(&ann);
    ann.log_out().await;
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(bob.rows(count).await, everything);
    assert_eq!(
        ann.state().await,
        json!({ "session": false, "transaction": false, "runners": [] })
    );
    workbench.close().await;
}

#[tokio::test]
async fn committed_rows_are_visible_to_all() {
    let workbench = Workbench::new();
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("BEGIN; CREATE TABLE ours (x); INSERT INTO ours VALUES (7); COMMIT")
        .await;
    assert_eq!(bob.rows("SELECT x FROM ours").await, json!([[7]]));
    workbench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_racing_requests_open_one_connection() {
    let (workbench, ann) = Workbench::visited();
    // A session without a connection, since its first request finds no database.
    let answer = workbench.without("workbench.db", ann.query("SELECT 1"));
    problem(&answer.await, 500);
    let (_, log) = workbench.session(&ann);
    assert_eq!(log.count("connection failed to open"), 1);
    assert_eq!(log.count("connection opened"), 0);

    let start = Arc::new(Barrier::new(50));
    let requests = (0..50).map(|number| {
        let (tab, start) = (ann.tab(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            let rows = tab.rows(&format!("SELECT {number}")).await;
            assert_eq!(rows, json!([[number]]));
        })
    });
    for answered in join_all(requests).await {
        answered.expect("it has its row");
    }
    assert_eq!(log.count("connection opened"), 1);
    workbench.close().await;
}

#[tokio::test]
async fn a_cookie_that_nobody_was_given_starts_clean() {
    let workbench = Workbench::new();
    for made_up in [
        "AAAAAAAAAAAAAAAAAAAAAA",
        "",
        "../../etc/passwd",
        "%00=\"é;;",
        &"x".repeat(4000),
    ] {
        let visitor = workbench.visitor();
        let cookie = format!("{COOKIE}={made_up}");
        let answer = visitor.get("/api/state").header("cookie", &cookie).await;
        let answer = answer.assert_status(200);
        assert_eq!(answer.json::<Value>()["session"], false, "{made_up:?}");
        assert!(!answer.headers().contains_key(SET_COOKIE));
        let query = visitor.post("/api/query").header("cookie", &cookie);
        let answer = query.json(&json!({ "sql": "SELECT 1" })).await;
        answer.assert_status(200);
        let given = visitor.cookie(COOKIE).expect("it has a session");
        assert_ne!(given, made_up);
    }
    workbench.close().await;
}

#[tokio::test]
async fn a_look_around_makes_no_session() {
    let (workbench, visitor) = Workbench::visited();
    for path in [
        "/",
        "/api/tables",
        "/api/state",
        "/api/runners/1",
        "/nowhere",
    ] {
        let answer = visitor.get(path).await;
        assert!(!answer.headers().contains_key(SET_COOKIE), "{path}");
    }
    visitor.log_out().await;
    assert_eq!(visitor.cookie(COOKIE), None);
    assert_eq!(workbench.sessions.sessions(), []);
    workbench.close().await;
}
