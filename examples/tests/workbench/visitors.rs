//! The requests that are let in, and the most that one may cost.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::client::{Client, ENDLESS, read};
use crate::server::{PATIENCE, Server};

/// Sends a request with these header lines.
fn send(server: &Server, request: &str, lines: &[&str], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is more than zero");
    let lines = [lines, &[""]].concat().join("\r\n");
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{lines}content-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    )
    .expect("the server reads");
    stream
}

#[test]
fn requests_from_pages_of_others_are_refused_and_make_no_session() {
    let server = Server::start(&[]);
    let json = "content-type: application/json";
    let sql = json!({ "sql": "SELECT 1" }).to_string();
    let other_port = format!("origin: http://127.0.0.1:{}", server.address.port() ^ 1);
    for lines in [
        &[json, "sec-fetch-site: cross-site"][..],
        &[json, "sec-fetch-site: same-site"],
        &["content-type: text/plain", "sec-fetch-site: cross-site"],
        &[json, "origin: http://evil.example"],
        &[json, &other_port],
    ] {
        for path in ["/api/query", "/api/logout"] {
            let answer = read(send(&server, &format!("POST {path}"), lines, &sql));
            assert_eq!(answer.status, 403, "{lines:?}");
            assert!(!answer.head.contains("set-cookie"));
        }
    }
    let own = format!("origin: http://{}", server.address);
    let answer = read(send(
        &server,
        "POST /api/query",
        &[json, "sec-fetch-site: same-origin", &own],
        &sql,
    ));
    assert_eq!(answer.status, 200);
    let link = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate"];
    assert_eq!(read(send(&server, "GET /", &link, "")).status, 200);
    server.stop();
}

/// A visitor's session is not evicted by requests that are refused or never end, however many.
#[test]
fn refused_and_unfinished_requests_make_no_session() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    client.rows("BEGIN; DELETE FROM airports");
    let json = "content-type: application/json";
    for _ in 0..70 {
        for (lines, body) in [
            (&["content-type: text/plain"][..], "{}"),
            (&[json], "{}"),
            (&[json], "no json"),
            (&[], ""),
        ] {
            let answer = read(send(&server, "POST /api/query", lines, body));
            assert!((400..500).contains(&answer.status), "{}", answer.status);
            assert!(!answer.head.contains("set-cookie"));
        }
    }
    let unfinished: Vec<_> = (0..70)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).expect("the server listens");
            let head = format!(
                "POST /api/query HTTP/1.1\r\nhost: localhost\r\n{json}\r\ncontent-length: 100\r\n\r\n{{"
            );
            stream.write_all(head.as_bytes()).expect("the server reads");
            stream
        })
        .collect();
    // Other requests are let in meanwhile, and the visitor's transaction is still open.
    for _ in 0..3 {
        Client::new(&server).rows("SELECT 1");
    }
    assert_eq!(client.state()["transaction"], true);
    // The unfinished requests are answered, in the end, with a timeout.
    for mut stream in unfinished {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is more than zero");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("the server answers");
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    assert_eq!(client.state()["transaction"], true);
    server.stop();
}

#[test]
fn two_servers_on_one_host_leave_each_others_visitors_alone() {
    let (one, other) = (Server::start(&[]), Server::start(&[]));
    let mut client = Client::new(&one);
    client.rows("CREATE TEMP TABLE mine (x)");
    // A browser sends the cookies of the host to both.
    let cookie = format!(
        "cookie: workbench-{}={}",
        one.address.port(),
        client.cookie.as_deref().expect("it has a session")
    );
    let body = json!({ "sql": "SELECT 1" }).to_string();
    let lines = ["content-type: application/json", &*cookie];
    let answer = read(send(&other, "POST /api/query", &lines, &body));
    assert_eq!(answer.status, 200);
    let name = format!("set-cookie: workbench-{}=", other.address.port());
    assert!(answer.head.contains(&name), "under a name of its own");
    assert_eq!(client.rows("SELECT count(*) FROM mine"), json!([[0]]));
    one.stop();
    other.stop();
}

#[test]
fn the_progress_of_a_query_is_told_until_it_stops() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let runner = client.background(ENDLESS);
    let mut events = client.open("GET", &format!("{runner}/events"), "");
    let mut told = String::new();
    let mut buffer = [0; 4096];
    while told.matches("data: ").count() < 2 {
        let length = events.read(&mut buffer).expect("there are more");
        told += std::str::from_utf8(&buffer[..length]).expect("it is text");
    }
    assert!(told.contains("content-type: text/event-stream"), "{told}");
    assert!(told.contains(r#""state":"running""#), "{told}");
    assert_eq!(
        client.post(&format!("{runner}/cancel"), &json!({})).status,
        200
    );
    events.read_to_string(&mut told).expect("it ends");
    assert!(told.contains(r#""state":"cancelled""#), "{told}");
    // A stopped query has one event. A missing one is an error.
    let once = read(client.open("GET", &format!("{runner}/events"), ""));
    assert_eq!(
        once.body
            .as_str()
            .map(|body| body.matches("data: ").count()),
        Some(1)
    );
    assert_eq!(client.get("/api/runners/99/events").status, 404);
    server.stop();
}

#[test]
fn a_stream_that_its_client_does_not_read_ends_with_the_session() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let runner = client.background(&format!("BEGIN; DELETE FROM airports; {ENDLESS}"));
    let mut events = client.open("GET", &format!("{runner}/events"), "");
    events.read_exact(&mut [0; 15]).expect("it has begun");
    client.log_out();
    server.log.wait_for("session cleaned up", 1);
    server.assert_nothing_open();
    server.stop();
}
