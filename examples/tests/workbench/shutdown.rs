//! The end of the program.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use serde_json::json;

use crate::client::{Client, ENDLESS, read};
use crate::server::{PATIENCE, Server};

#[test]
fn a_shutdown_ends_every_session_in_order_though_requests_wait() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
        let runner = ann.background(&format!("BEGIN; DELETE FROM airports; {ENDLESS}"));
        let page = ann.open("GET", &format!("{runner}?page=1000000"), "");
        bob.rows("SELECT 1");
        let query = bob.open("POST", "/api/query", &json!({ "sql": ENDLESS }).to_string());
        server.log.wait_for("runner started", 3);

        server.signal(signal);
        assert!(server.ended().success());
        assert_eq!(read(page).status, 409);
        assert_eq!(read(query).status, 409);
        assert_eq!(server.log.count("connection opened"), 2);
        assert_eq!(server.log.count("connection closed"), 2);
        assert_eq!(server.log.count("transaction rolled back"), 1);
        assert_eq!(
            server.temp.path().read_dir().expect("it is ours").count(),
            0
        );
    }
}

/// Requests of clients that neither send nor read what they should.
fn hostile(server: &Server, runner: &str, cookie: &str) -> Vec<TcpStream> {
    let post = "POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let events =
        format!("GET {runner}/events HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
    let heads = [
        String::new(),
        "GET / HTTP/1.1\r\nho".to_owned(),
        format!("{post}\r\ncontent-length: 100\r\n\r\n{{\"sql\": "),
        format!("{post}\r\ncontent-length: 100\r\ncookie: {cookie}\r\n\r\n{{\"sql\": "),
        events.clone(),
        // The client asks for more than it reads.
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3_000),
        events.repeat(3),
    ];
    let send = |head: String| {
        let stream = TcpStream::connect(server.address).expect("the server listens");
        let mut writer = stream.try_clone().expect("it is open");
        // A client without a reader, which sends more than fits.
        thread::spawn(move || {
            let _ = writer.write_all(head.as_bytes());
        });
        stream
    };
    heads.into_iter().map(send).collect()
}

#[test]
fn it_ends_within_its_limit_whatever_its_clients_do() {
    let mut server = Server::start(&[]);
    let mut client = Client::new(&server);
    let runner = client.background(&format!("BEGIN; DELETE FROM airports; {ENDLESS}"));
    let cookie = format!(
        "workbench-{}={}",
        server.address.port(),
        client.cookie.as_deref().expect("it has a session")
    );
    let open = hostile(&server, &runner, &cookie);
    for stream in &open[4..5] {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is more than zero");
        stream.peek(&mut [0]).expect("the stream has begun");
    }
    server.signal("TERM");
    assert!(server.ended().success());
    assert_eq!(server.log.count("transaction rolled back"), 1);
    assert_eq!(server.log.count("connection closed"), 1);
    server.log.wait_for("unfinished=[]", 1);
    drop(open);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&[]);
    // A statement with long steps and no moment between them, so that it can't be interrupted.
    let mut client = Client::new(&server);
    let sql = format!(
        "CREATE TEMP TABLE t AS SELECT hex(zeroblob(32000)) AS h; CREATE TEMP TABLE u AS SELECT hex(zeroblob(16000)) || '1' AS n;
         SELECT {} FROM t, u",
        vec!["instr(h, n)"; 90].join(" + ")
    );
    client.post("/api/query", &json!({ "sql": sql, "background": true }));
    // A client that promises a body and sends none. The server's `100 Continue` shows that it waits for it.
    let mut stalled = TcpStream::connect(server.address).expect("the server listens");
    stalled
        .set_read_timeout(Some(PATIENCE))
        .expect("it is more than zero");
    write!(
        stalled,
        "POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
    )
    .expect("the server reads");
    let mut answer = [0; 25];
    stalled.read_exact(&mut answer).expect("the server answers");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.signal("INT");
    server.log.wait_for("shutting down", 1);
    server.signal("INT");
    assert_eq!(server.ended().code(), Some(130));
    assert_eq!(
        server.temp.path().read_dir().expect("it is ours").count(),
        0
    );
}
