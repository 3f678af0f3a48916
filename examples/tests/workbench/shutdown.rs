//! The end of the program.

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::join;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use crate::kit::in_time;
use crate::kit::problem::problem;
use crate::kit::visitor::{ENDLESS, Visitor as _};
use crate::server::{Server, assert_empty};

#[tokio::test]
async fn a_shutdown_ends_every_session_in_order_though_requests_wait() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(&[]).await;
        let (ann, bob) = (server.visitor(), server.visitor());
        let sql = format!("BEGIN; DELETE FROM airports; {ENDLESS}");
        let runner = ann.background(&sql).await;
        let page = ann.get(&format!("{runner}?page=1000000")).into_future();
        let page = tokio::spawn(page);
        bob.rows("SELECT 1").await;
        let log = server.program.log.clone();
        let ended = async {
            log.wait_for("runner started", 3).await;
            server.program.signal(signal);
            server.program.ended().await
        };
        let (query, page, status) = join!(bob.query(ENDLESS), page, ended);
        assert!(status.success(), "{status}");
        problem(&page.expect("it is answered"), 409);
        problem(&query, 409);
        assert_eq!(log.count("connection opened"), 2);
        assert_eq!(log.count("connection closed"), 2);
        assert_eq!(log.count("transaction rolled back"), 1);
        assert_empty(&server.temp);
    }
}

/// Requests of clients that neither send nor read what they should.
async fn hostile(server: &Server, runner: &str, cookie: &str) -> Vec<OwnedReadHalf> {
    let post = "POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let events =
        format!("GET {runner}/events HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
    let mut open = Vec::new();
    for head in [
        String::new(),
        "GET / HTTP/1.1\r\nho".to_owned(),
        format!("{post}\r\ncontent-length: 100\r\n\r\n{{\"sql\": "),
        format!("{post}\r\ncontent-length: 100\r\ncookie: {cookie}\r\n\r\n{{\"sql\": "),
        events.clone(),
        // The client asks for more than it reads.
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3_000),
        events.repeat(3),
    ] {
        let stream = TcpStream::connect(server.address).await;
        let (reader, mut writer) = stream.expect("it listens").into_split();
        // A client without a reader, which sends more than fits.
        tokio::spawn(async move {
            let _ = writer.write_all(head.as_bytes()).await;
            // It stays open.
            writer.forget();
        });
        open.push(reader);
    }
    open
}

#[tokio::test]
async fn it_ends_within_its_limit_whatever_its_clients_do() {
    let mut server = Server::start(&[]).await;
    let ann = server.visitor();
    let sql = format!("BEGIN; DELETE FROM airports; {ENDLESS}");
    let runner = ann.background(&sql).await;
    let mut open = hostile(&server, &runner, &server.cookie(&ann)).await;
    let begun = in_time(open[4].peek(&mut [0])).await;
    begun.expect("it has begun");
    server.program.signal(Signal::TERM);
    assert!(server.program.ended().await.success());
    let log = &server.program.log;
    assert_eq!(log.count("transaction rolled back"), 1);
    assert_eq!(log.count("connection closed"), 1);
    assert_eq!(log.count("unfinished=[]"), 1);
    drop(open);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&[]).await;
    // A statement with long steps and no moment between them, so that it can't be interrupted.
    let sql = format!(
        "CREATE TEMP TABLE t AS SELECT hex(zeroblob(32000)) AS h; CREATE TEMP TABLE u AS SELECT hex(zeroblob(16000)) || '1' AS n;
         SELECT {} FROM t, u",
        vec!["instr(h, n)"; 90].join(" + ")
    );
    let sql = json!({ "sql": sql, "background": true });
    let query = server.visitor().post("/api/query").json(&sql);
    query.await.assert_status(202);
    // A client that promises a body and sends none. The server's `100 Continue` shows that it waits for it.
    let mut stalled = server
        .send("POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n")
        .await;
    let mut answer = [0; 25];
    let read = in_time(stalled.read_exact(&mut answer)).await;
    read.expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.program.signal(Signal::INT);
    server.program.log.wait_for("shutting down", 1).await;
    server.program.signal(Signal::INT);
    assert_eq!(server.program.ended().await.code(), Some(130));
    assert_empty(&server.temp);
}
