//! The end of sessions, and its order.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::client::{Client, ENDLESS, read};
use crate::server::Server;

/// The end of a session that has a query running and a transaction open.
const ORDER: [&str; 3] = [
    "runner stopped",
    "transaction rolled back",
    "connection closed",
];

#[test]
fn log_out_stops_the_query_then_rolls_back_then_closes() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.background(&format!("BEGIN; DELETE FROM airports; {ENDLESS}"));
    client.log_out();
    assert_eq!(client.cookie, None, "the cookie is removed");
    server.log.wait_for("session cleaned up", 1);
    server.log.assert_order(&ORDER);
    server.assert_nothing_open();
    server.stop();
}

#[test]
fn a_client_that_waits_for_a_query_of_an_ended_session_is_told_so() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.rows("SELECT 1");
    let waiting = client.open("POST", "/api/query", &json!({ "sql": ENDLESS }).to_string());
    server.log.wait_for("runner started", 2);
    client.clone().log_out();
    assert_eq!(read(waiting).status, 409);
    server.log.wait_for("session cleaned up", 1);
    server.assert_nothing_open();
    // The cookie is dead, so the client has no session.
    assert_eq!(client.state()["session"], false);
    server.stop();
}

#[test]
fn a_connection_that_opens_too_late_is_closed() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("given.db");
    Connection::open(&path)
        .and_then(|database| database.execute_batch("CREATE TABLE t (x)"))
        .expect("it is made");
    let server = Server::start(&[path.to_str().expect("it is text")]);
    let mut client = Client::new(&server);
    // A session whose connection could not be opened, and then a program that locks the file, so that opening it takes
    // a while.
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).expect("it is there");
    let answer = client.post("/api/query", &json!({ "sql": "SELECT 1" }));
    assert_eq!(answer.status, 500);
    fs::rename(&aside, &path).expect("it is there");
    let keeper = Connection::open(&path).expect("it is there");
    keeper
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .expect("nobody else has it");
    let waiting = client.open(
        "POST",
        "/api/query",
        &json!({ "sql": "SELECT * FROM t" }).to_string(),
    );
    server.log.wait_for("connection opening", 2);

    client.log_out();
    assert_eq!(read(waiting).status, 409, "the client is told at once");
    drop(keeper);
    server.log.wait_for("session cleaned up", 1);
    server
        .log
        .assert_order(&["failed to open", "connection opened", "connection closed"]);
    server.assert_nothing_open();
    server.stop();
}

#[test]
fn an_idle_session_ends_with_its_query() {
    let server = Server::start(&["--idle", "1"]);
    let mut client = Client::new(&server);
    let sql = format!("BEGIN; DELETE FROM airports; {ENDLESS}");
    client.post("/api/query", &json!({ "sql": sql, "background": true }));
    server.log.wait_for("session cleaned up", 1);
    server.log.assert_order(&ORDER);
    server.assert_nothing_open();
    assert_eq!(client.state()["session"], false);
    assert_eq!(
        client.rows("SELECT count(*) FROM airports"),
        json!([[3376]])
    );
    server.stop();
}
