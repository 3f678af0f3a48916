//! Owners and clients that do what they should not.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use session_cluster::{Cluster, InProcessDirectory};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::http_client::{get, header, is_unavailable, ok, request, send, text, with_body};
use crate::http_kit::{Node, join, pair};

/// The address of a node whose server is the test.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
}

/// A connection from another node.
pub(crate) struct Accepted(pub(crate) TcpStream);

impl Listening {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, listener }
    }

    /// Accepts a connection and reads a request's head.
    pub(crate) async fn accept(&self) -> (String, Accepted) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        (String::from_utf8(head).unwrap(), Accepted(stream))
    }
}

impl Accepted {
    pub(crate) async fn answer(mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }
}

pub(crate) fn bytes_of(text: &'static str) -> Body {
    // Not of a known length, so that it is a stream.
    let bytes = axum::body::Bytes::from(text);
    Body::from_stream(futures_util::stream::iter([Ok::<
        _,
        std::convert::Infallible,
    >(bytes)]))
}

/// A node, one whose server is the test, and the cookie of a session there.
async fn with_owner() -> (Node, Listening, Cluster, String) {
    let directory = InProcessDirectory::new();
    let owner = Listening::start().await;
    let node = Node::start(&directory, "A").await;
    let (sessions, cluster) = join(&directory, owner.address).await;
    node.learn().await;
    let cookie = format!("id={}", sessions.create().unwrap().id().encode());
    (node, owner, cluster, cookie)
}

#[tokio::test]
async fn c17_an_owners_garbage_is_no_response() {
    let (node, owner, _cluster, cookie) = with_owner().await;
    for garbage in [
        &b""[..],
        b"\0\xff\xfe garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 101 what\r\n\r\n",
    ] {
        let asking = tokio::spawn(send(node.address, request("/", &cookie)));
        let (_, stream) = owner.accept().await;
        stream.answer(garbage).await;
        assert!(
            is_unavailable(&asking.await.unwrap()),
            "{}",
            garbage.escape_ascii()
        );
    }
}

#[tokio::test]
async fn c17_a_body_that_the_owner_breaks_off_does_not_end_cleanly() {
    let (node, owner, _cluster, cookie) = with_owner().await;
    for body in [
        "content-length: 9\r\n\r\nabc",
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let asking = tokio::spawn(send(node.address, request("/", &cookie)));
        let (_, stream) = owner.accept().await;
        stream.answer(format!("HTTP/1.1 200 OK\r\n{body}")).await;
        let mut body = asking.await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "abc");
        assert!(body.frame().await.unwrap().is_err());
    }
}

#[tokio::test]
async fn c17_a_request_that_may_have_been_read_is_sent_once() {
    let (node, owner, _cluster, cookie) = with_owner().await;
    let request = with_body(Method::POST, "/echo", &cookie, bytes_of("abc"));
    let asking = tokio::spawn(send(node.address, request));
    let (_, stream) = owner.accept().await;
    drop(stream);
    assert!(is_unavailable(&asking.await.unwrap()));
    assert_eq!(node.stage.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn c17_half_a_body_breaks_off_at_the_owner_as_well() {
    let (node, owner, _cluster, cookie) = with_owner().await;
    let mut client = TcpStream::connect(node.address).await.unwrap();
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\ncontent-length: 9\r\n\r\nabc"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let (head, mut stream) = owner.accept().await;
    assert!(head.contains("content-length: 9\r\n"), "{head}");
    let mut body = [0; 3];
    stream.0.read_exact(&mut body).await.unwrap();
    drop(client);
    let mut rest = Vec::new();
    let _ = stream.0.read_to_end(&mut rest).await;
    assert_eq!((&body, &*rest), (b"abc", &b""[..]));
}

#[tokio::test]
async fn c17_large_headers_pass_in_both_directions() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let large = "x".repeat(64 << 10);
    let mut request = request("/head", &format!("{cookie}; large={large}"));
    request
        .headers_mut()
        .insert("x-large", large.parse().unwrap());
    let response = send(a.address, request).await;
    assert_eq!(
        (response.status(), header(&response, "x-node")),
        (StatusCode::OK, Some("B"))
    );
    assert!(text(response).await.contains(&format!("x-large: {large}")));
}

#[tokio::test]
async fn c17_an_owner_without_a_verdict_that_can_not_be_reached_is_waited_for() {
    let (node, owner, _cluster, cookie) = with_owner().await;
    drop(owner);
    assert!(is_unavailable(&get(node.address, "/", &cookie).await));
}

#[tokio::test]
async fn c17_a_client_that_stops_reading_stops_the_owner() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut response = get(a.address, "/flood", &cookie).await;
    let _ = response.frame().await.unwrap().unwrap();
    // It is stalled once the buffers on the way are full.
    let pieces = &b.stage.requests;
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = pieces.load(Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
    }
    let _ = response.frame().await.unwrap().unwrap();
}

#[tokio::test]
async fn c14_targets_that_have_no_path_stay_here() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for target in ["OPTIONS *", "CONNECT example.com:443"] {
        let mut client = TcpStream::connect(a.address).await.unwrap();
        let head = format!(
            "{target} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
    }
    assert_eq!(ok(a.address, "/", &cookie).await, "session at B");
}
