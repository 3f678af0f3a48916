//! Rule 16: the application can't tell that a request has come through another node.

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http_client::{Http, header, request, send, send_on, send_over, text, with_body};
use crate::http_kit::pair;

#[tokio::test]
async fn c16_it_sees_the_same_head_and_the_address_of_the_client() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut heads = Vec::new();
    for node in [&a, &b] {
        let mut request = request("/head?a=%20&b", &cookie);
        let headers = request.headers_mut();
        for (name, value) in [
            ("host", "name.test"),
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-for", "5.6.7.8"),
            ("x-forwarded-proto", "https"),
            ("te", "trailers"),
            ("accept", "a"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(node.address).await.unwrap();
        let client = stream.local_addr().unwrap();
        let (response, _) = send_over(stream, Http::One, request).await;
        assert_eq!(header(&response, "x-node"), Some("B"));
        let head = text(response).await;
        let (first, rest) = head.split_once('\n').unwrap();
        assert_eq!(first, format!("GET /head?a=%20&b {client}"));
        heads.push(rest.to_owned());
    }
    assert_eq!(heads[0], heads[1]);
    assert!(heads[0].contains("host: name.test") && heads[0].contains("x-forwarded-for: 5.6.7.8"));
}

#[tokio::test]
async fn c16_a_client_of_http_2_is_served_by_a_hop_of_either_version() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    // The hop of a client that takes trailers is one of HTTP/2.
    for te in [None, Some("trailers")] {
        let mut request = request("/head", "x=1");
        let headers = request.headers_mut();
        headers.append("cookie", cookie.parse().unwrap());
        if let Some(te) = te {
            headers.insert("te", te.parse().unwrap());
        }
        let (response, _) = send_on(a.address, Http::Two, request).await;
        assert_eq!(header(&response, "x-node"), Some("B"));
        let head = text(response).await;
        assert!(head.starts_with("GET /head "), "{head}");
        assert!(head.contains(&format!("cookie: x=1; {cookie}")), "{head}");
        assert!(head.contains("host: cluster.test"), "{head}");
    }
}

#[tokio::test]
async fn c16_a_responses_head_passes_once() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for http in Http::BOTH {
        let (response, _) = send_on(a.address, http, request("/", &cookie)).await;
        assert_eq!(response.headers().get_all("date").iter().count(), 1);
        assert_eq!(header(&response, "content-length"), Some("12"));
        assert!(header(&response, "transfer-encoding").is_none());
        assert!(header(&response, "session-cluster-hop").is_none());
    }
}

#[tokio::test]
async fn c16_head_has_a_length_and_no_body() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for http in Http::BOTH {
        let request = with_body(Method::HEAD, "/", &cookie, axum::body::Body::empty());
        let (response, _) = send_on(a.address, http, request).await;
        assert_eq!(
            (response.status(), header(&response, "content-length")),
            (StatusCode::OK, Some("12"))
        );
        assert!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn c16_a_target_in_absolute_form_names_the_host() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut client = TcpStream::connect(a.address).await.unwrap();
    let head = format!(
        "GET http://real.test/head HTTP/1.1\r\nhost: other.test\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("x-node: B") && answer.contains("host: real.test"),
        "{answer}"
    );
}

#[tokio::test]
async fn c16_a_client_of_http_1_0_is_served() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut client = TcpStream::connect(a.address).await.unwrap();
    let head = format!("GET / HTTP/1.0\r\ncookie: {cookie}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.0 200") && answer.ends_with("session at B"),
        "{answer}"
    );
}

#[tokio::test]
async fn c16_requests_in_a_row_on_one_connection_go_to_several_nodes() {
    let (_directory, a, b) = pair().await;
    let ((_here, here), (_there, there)) = (a.visitor(), b.visitor());
    let mut client = TcpStream::connect(a.address).await.unwrap();
    let one = |cookie: &str, close| {
        format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n{close}\r\n")
    };
    let all = [
        one(&here, ""),
        one(&there, ""),
        one(&here, ""),
        one(&there, "connection: close\r\n"),
    ];
    client.write_all(all.concat().as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let order: Vec<_> = answer
        .split("session at ")
        .skip(1)
        .map(|part| &part[..1])
        .collect();
    assert_eq!(order, ["A", "B", "A", "B"]);
}

/// The body waits for the owner's word, and so does the client.
#[tokio::test]
async fn c16_a_client_that_waits_for_100_is_told_when_the_owner_reads() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let head = |path| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\ncontent-length: 3\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
        )
    };

    let mut client = TcpStream::connect(a.address).await.unwrap();
    client.write_all(head("/collect").as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    client.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("abc"), "{answer}");

    // A handler that does not read.
    let mut client = TcpStream::connect(a.address).await.unwrap();
    client.write_all(head("/").as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let _ = send(a.address, request("/", &cookie)).await;
}

/// Sends this as it is, and returns the whole answer.
async fn raw(address: std::net::SocketAddr, request: String) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn c16_a_request_without_a_host_is_not_told_the_owners_address() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for version in ["1.0", "1.1"] {
        let request =
            format!("GET /head HTTP/{version}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
        let answer = raw(a.address, request).await;
        assert!(
            answer.contains("x-node: B") && !answer.contains("host:"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn c16_a_response_has_any_number_of_headers() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for node in [&a, &b] {
        let request = format!(
            "GET /many HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(node.address, request).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("x-149: x"),
            "{answer}"
        );
    }
}
