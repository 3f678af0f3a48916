//! The end of sessions, and its order.

use rusqlite::Connection;
use serde_json::json;
use session_core::CompletionCause;
use session_test::assert_ended;
use tokio::join;

use crate::inside::{COOKIE, Workbench};
use crate::kit::browser::cookie;
use crate::kit::problem::problem;
use crate::kit::visitor::{ENDLESS, Visitor as _};
use crate::server::Server;

/// The end of a session that has a query running and a transaction open.
const ORDER: [&str; 3] = [
    "runner stopped",
    "transaction rolled back",
    "connection closed",
];

#[tokio::test]
async fn log_out_stops_the_query_then_rolls_back_then_closes() {
    let (workbench, ann) = Workbench::visited();
    ann.background(&format!("BEGIN; DELETE FROM airports; {ENDLESS}"))
        .await;
    let (session, log) = workbench.session(&ann);
    ann.log_out().await;
    assert_eq!(ann.cookie(COOKIE), None, "the cookie is removed");
    let report = assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(report.closed(), 2);
    log.assert_order(&ORDER);
    workbench.assert_nothing_open();
    workbench.close().await;
}

#[tokio::test]
async fn a_client_that_waits_for_a_query_of_an_ended_session_is_told_so() {
    let (workbench, ann) = Workbench::visited();
    ann.rows("SELECT 1").await;
    let (session, log) = workbench.session(&ann);
    let dead = cookie(&ann, COOKIE);
    let log_out = async {
        log.wait_for("runner started", 2).await;
        ann.log_out().await;
    };
    let (answer, ()) = join!(ann.query(ENDLESS), log_out);
    problem(&answer, 409);
    assert_ended!(session, CompletionCause::Terminated);
    workbench.assert_nothing_open();
    // A client with the dead cookie has no session.
    let state = ann.get("/api/state").header("cookie", dead).await;
    assert_eq!(state.json::<serde_json::Value>()["session"], false);
    workbench.close().await;
}

#[tokio::test]
async fn a_connection_that_opens_too_late_is_closed() {
    let workbench = Workbench::given("CREATE TABLE t (x)");
    let ann = workbench.visitor();
    // A session whose connection could not be opened, and then a program that locks the file, so that opening it takes
    // a while.
    let answer = workbench.without("given.db", ann.query("SELECT 1")).await;
    problem(&answer, 500);
    let keeper = Connection::open(workbench.path("given.db")).expect("it is there");
    keeper
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .expect("nobody else has it");
    let (session, log) = workbench.session(&ann);
    let log_out = async {
        log.wait_for("connection opening", 2).await;
        ann.log_out().await;
    };
    let (answer, ()) = join!(ann.query("SELECT * FROM t"), log_out);
    problem(&answer, 409);
    assert_eq!(log.count("connection opened"), 0, "it is told at once");
    drop(keeper);
    assert_ended!(session, CompletionCause::Terminated);
    log.assert_order(&["failed to open", "connection opened", "connection closed"]);
    workbench.assert_nothing_open();
    workbench.close().await;
}

#[tokio::test]
async fn an_idle_session_ends_with_its_query() {
    let server = Server::start(&["--idle", "1"]).await;
    let ann = server.visitor();
    let sql = format!("BEGIN; DELETE FROM airports; {ENDLESS}");
    let sql = json!({ "sql": sql, "background": true });
    ann.post("/api/query").json(&sql).await.assert_status(202);
    server.program.log.wait_for("session cleaned up", 1).await;
    server.program.log.assert_order(&ORDER);
    server.assert_nothing_open();
    assert_eq!(ann.state().await["session"], false);
    let count = ann.rows("SELECT count(*) FROM airports").await;
    assert_eq!(count, json!([[3376]]));
    server.stop().await;
}
