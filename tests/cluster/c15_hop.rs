//! Rule 15: one hop, never two, and none that a client has made up.

use http::{Method, StatusCode};
use session_cluster::{InProcessDirectory, Routing};
use session_core::LocalSession as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http_client::{header, is_unavailable, ok, request, send, text, with_body};
use crate::http_hostile::{Listening, bytes_of};
use crate::http_kit::{Node, bury, pair};

const HOP: &str = "session-cluster-hop";

#[tokio::test]
async fn c15_a_made_up_header_is_ignored_and_never_reaches_the_application() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = a.visitor();
    let (ta, tb) = (a.cluster.tag().unwrap(), b.cluster.tag().unwrap());
    let mac = "A".repeat(43);
    for forged in [
        format!("1 hop {ta} {tb} 6.6.6.6:6 {mac}"),
        format!("1 list {ta} {tb} Z3JvdXA {mac}"),
        "1".into(),
        String::new(),
        "x".repeat(5000),
    ] {
        for node in [&a, &b] {
            let mut request = request("/head", &cookie);
            request.headers_mut().insert(HOP, forged.parse().unwrap());
            request
                .headers_mut()
                .append(HOP, "another".parse().unwrap());
            let response = send(node.address, request).await;
            assert_eq!(header(&response, "x-node"), Some("A"));
            let head = text(response).await;
            assert!(!head.contains(HOP) && !head.contains("6.6.6.6"), "{head}");
        }
    }
}

/// The header of a request that the node `a` has sent to the node `b`, with the node `b`.
async fn captured(directory: &InProcessDirectory, path: &str) -> (Node, Node, String) {
    let proxy = Listening::start().await;
    let a = Node::start(directory, "A").await;
    let b = Node::behind(directory, "B", Some(proxy.address), Routing::Forward).await;
    a.learn().await;
    let (_session, cookie) = b.visitor();
    let asking = tokio::spawn(send(a.address, request(path, &cookie)));
    let (head, _stream) = proxy.accept().await;
    asking.abort();
    let hop = head
        .lines()
        .find_map(|line| line.strip_prefix("session-cluster-hop: "));
    (a, b, hop.unwrap().to_owned())
}

#[tokio::test]
async fn c15_a_request_makes_one_hop_and_not_a_second() {
    let directory = InProcessDirectory::new();
    let (a, b, hop) = captured(&directory, "/").await;
    b.learn().await;
    // The session of another node, which `b` would forward to.
    let (_session, cookie) = a.visitor();
    assert_eq!(ok(b.address, "/", &cookie).await, "session at A");
    let mut hopped = request("/", &cookie);
    hopped.headers_mut().insert(HOP, hop.parse().unwrap());
    let response = send(b.address, hopped).await;
    assert_eq!(text(response).await, "stranger at B");
}

#[tokio::test]
async fn c15_a_target_without_a_path_makes_one_hop_too() {
    let (directory, a, b) = pair().await;
    let c = Node::start(&directory, "C").await;
    for node in [&a, &b] {
        node.learn().await;
    }
    let (ended, old) = b.visitor();
    ended.terminate();
    let (_session, other) = c.visitor();
    let mut client = TcpStream::connect(a.address).await.unwrap();
    let head = format!(
        "GET http://cluster.test?query HTTP/1.1\r\nhost: x\r\ncookie: {old}; {other}\r\nconnection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("stranger at B"), "{answer}");
}

#[tokio::test]
async fn c15_a_header_is_for_one_node_one_method_and_one_target() {
    let directory = InProcessDirectory::new();
    let (a, b, hop) = captured(&directory, "/").await;
    b.learn().await;
    let (_session, cookie) = a.visitor();
    let with = |method: Method, path: &str| {
        let mut request = with_body(method, path, &cookie, axum::body::Body::empty());
        request.headers_mut().insert(HOP, hop.parse().unwrap());
        request
    };
    // As if there were no header, the request is forwarded.
    for request in [with(Method::POST, "/"), with(Method::GET, "/?x")] {
        assert_eq!(text(send(b.address, request).await).await, "session at A");
    }
    let response = send(a.address, with(Method::GET, "/")).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(header(&response, HOP), Some("other-tag"));
}

#[tokio::test]
async fn c15_the_applications_own_421_passes() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let response = send(a.address, request("/misdirected", &cookie)).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(text(response).await, "own");
}

/// `b` was given up and has a new tag, which `a` has not heard of.
async fn renamed() -> (InProcessDirectory, Node, Node, String) {
    let (directory, a, b) = pair().await;
    let (session, cookie) = b.visitor();
    let old = b.cluster.tag();
    bury(&directory, b.address).await;
    let _ = b.cluster.confirm(&session).await;
    while b.cluster.tag().is_none() || b.cluster.tag() == old {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(session.is_completed());
    (directory, a, b, cookie)
}

#[tokio::test]
async fn c15_a_node_under_another_tag_says_so_and_the_first_one_asks_the_store() {
    let (_directory, a, b, cookie) = renamed().await;
    assert_eq!(ok(a.address, "/", &cookie).await, "stranger at A");
    assert_eq!(
        b.stage.requests.load(std::sync::atomic::Ordering::Relaxed),
        0
    );
}

#[tokio::test]
async fn c15_a_body_that_the_owner_did_not_ask_for_goes_on_with_its_request() {
    let (_directory, a, _b, cookie) = renamed().await;
    let mut request = with_body(Method::POST, "/echo", &cookie, bytes_of("abc"));
    let expects = "100-continue".parse().unwrap();
    request.headers_mut().insert("expect", expects);
    let response = send(a.address, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "abc");
    assert_eq!(
        a.stage.requests.load(std::sync::atomic::Ordering::Relaxed),
        1
    );
}

#[tokio::test]
async fn c15_an_owner_that_denies_its_tag_while_the_store_has_it_is_not_asked_for_ever() {
    let directory = InProcessDirectory::new();
    let owner = Listening::start().await;
    let a = Node::start(&directory, "A").await;
    let (sessions, _cluster) = crate::http_kit::join(&directory, owner.address).await;
    a.learn().await;
    let cookie = format!("id={}", sessions.create().unwrap().id().encode());
    let asking = tokio::spawn(send(a.address, request("/", &cookie)));
    let (_, stream) = owner.accept().await;
    let denial = "HTTP/1.1 421 no\r\nsession-cluster-hop: other-tag\r\ncontent-length: 0\r\n\r\n";
    stream.answer(denial).await;
    assert!(is_unavailable(&asking.await.unwrap()));
}
