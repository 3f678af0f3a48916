//! Visitors do not see each other's things.

use std::sync::Barrier;
use std::{fs, thread};

use serde_json::json;

use crate::client::Client;
use crate::server::Server;

#[test]
fn temp_tables_and_uncommitted_rows_are_their_owners_alone() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("CREATE TEMP TABLE mine (x); INSERT INTO mine VALUES (1); BEGIN; DELETE FROM airports WHERE latitude > 60");
    assert_eq!(ann.state()["transaction"], true);
    assert_eq!(ann.rows("SELECT count(*) FROM mine"), json!([[1]]));
    assert_eq!(ann.get("/api/tables").body["tables"][0]["name"], "mine");

    let everything = json!([[3376]]);
    assert_ne!(ann.rows("SELECT count(*) FROM airports"), everything);
    assert_eq!(bob.rows("SELECT count(*) FROM airports"), everything);
    let answer = bob.post("/api/query", &json!({ "sql": "SELECT * FROM mine" }));
    assert_eq!(
        (answer.status, &answer.body["detail"]),
        (400, &json!("no such table: mine"))
    );
    assert_eq!(bob.get("/api/tables").body["tables"][0]["name"], "airports");
    assert_eq!(bob.state()["transaction"], false);

    ann.log_out();
    server.log.wait_for("connection closed", 1);
    assert_eq!(bob.rows("SELECT count(*) FROM airports"), everything);
    assert_eq!(
        ann.state(),
        json!({ "session": false, "transaction": false, "runners": [] })
    );
    server.stop();
}

#[test]
fn committed_rows_are_visible_to_all() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("BEGIN; CREATE TABLE ours (x); INSERT INTO ours VALUES (7); COMMIT");
    assert_eq!(bob.rows("SELECT x FROM ours"), json!([[7]]));
    server.stop();
}

#[test]
fn fifty_racing_requests_open_one_connection() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    // A session without a connection, since its first request finds no database.
    let database = fs::read_dir(server.temp.path())
        .expect("it is ours")
        .next()
        .expect("it is there")
        .expect("it reads");
    let database = database.path().join("workbench.db");
    let aside = database.with_extension("aside");
    fs::rename(&database, &aside).expect("nobody has it open");
    assert_eq!(
        client
            .post("/api/query", &json!({ "sql": "SELECT 1" }))
            .status,
        500
    );
    fs::rename(&aside, &database).expect("it is there");
    assert!(client.cookie.is_some());
    server.log.wait_for("connection failed to open", 1);
    assert_eq!(server.log.count("connection opened"), 0);

    let start = Barrier::new(50);
    thread::scope(|scope| {
        for number in 0..50 {
            let (mut client, start) = (client.clone(), &start);
            scope.spawn(move || {
                start.wait();
                assert_eq!(client.rows(&format!("SELECT {number}")), json!([[number]]));
            });
        }
    });
    server.log.wait_for("connection opened", 1);
    assert_eq!(server.log.count("connection opened"), 1);
    server.stop();
}

#[test]
fn a_cookie_that_nobody_was_given_starts_clean() {
    let server = Server::start(&[]);
    for made_up in [
        "AAAAAAAAAAAAAAAAAAAAAA",
        "",
        "../../etc/passwd",
        "%00=\"é;;",
        &"x".repeat(4000),
    ] {
        let mut client = Client::new(&server);
        client.cookie = Some(made_up.to_owned());
        let answer = client.get("/api/state");
        assert_eq!(
            (answer.status, &answer.body["session"]),
            (200, &json!(false)),
            "{made_up:?}"
        );
        assert!(!answer.head.contains("set-cookie"));
        client.rows("SELECT 1");
        assert_ne!(client.cookie.as_deref(), Some(made_up));
    }
    server.stop();
}

#[test]
fn a_look_around_makes_no_session() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    for path in [
        "/",
        "/api/tables",
        "/api/state",
        "/api/runners/1",
        "/nowhere",
    ] {
        assert!(!client.get(path).head.contains("set-cookie"), "{path}");
    }
    client.log_out();
    assert_eq!(client.cookie, None);
    server.stop();
    // No session of theirs ever existed.
}
