//! Rule 17: an upgraded connection is a tunnel of bytes, and closes with either side and with the owner's verdict.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode};
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use session_axum::{Session, SessionUpgrade, Socket};
use session_core::LocalSession as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::http_client::{Http, header, request, send_on, with_body};
use crate::http_kit::{Node, Stage, bury, pair};

/// Sends bytes of any protocol but `refused` back.
pub(crate) async fn upgrade(
    State(stage): State<Stage>,
    _: Session,
    mut request: Request,
) -> Response {
    let asked = request.headers().get("upgrade").cloned();
    let Some(protocol) = asked.filter(|protocol| protocol != "refused") else {
        return (StatusCode::FORBIDDEN, "not this one").into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgrade.await.unwrap());
        let mut buffer = [0; 100];
        while let Ok(length @ 1..) = io.read(&mut buffer).await {
            io.write_all(&buffer[..length]).await.unwrap();
        }
        stage.dropped.notify_one();
    });
    let head = [
        ("upgrade", protocol),
        ("connection", "upgrade".parse().unwrap()),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}

/// Sends messages back.
pub(crate) async fn socket(State(stage): State<Stage>, upgrade: SessionUpgrade) -> Response {
    let upgrade = upgrade.map(|handshake| handshake.protocols(["echo"]));
    upgrade.run(async move |mut socket: Socket| {
        while let Ok(Some(message)) = socket.recv().await.transpose() {
            if socket.send(message).await.is_err() {
                break;
            }
        }
        stage.dropped.notify_one();
    })
}

type Io = TokioIo<hyper::upgrade::Upgraded>;

/// Opens a tunnel of a protocol that nobody knows.
async fn tunnel(node: &Node, cookie: &str) -> Io {
    let mut request = request("/upgrade", cookie);
    let headers = request.headers_mut();
    headers.insert("connection", "keep-alive, Upgrade".parse().unwrap());
    headers.insert("upgrade", "own/1".parse().unwrap());
    let (response, _) = send_on(node.address, Http::One, request).await;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(header(&response, "upgrade"), Some("own/1"));
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

async fn tunnel_over_http_2(node: &Node, cookie: &str) -> Io {
    let mut request = with_body(Method::CONNECT, "/upgrade", cookie, Body::empty());
    let protocol = Protocol::from_static("own");
    request.extensions_mut().insert(protocol);
    let (response, _) = send_on(node.address, Http::Two, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

async fn echoes(io: &mut Io, text: &str) {
    io.write_all(text.as_bytes()).await.unwrap();
    let mut back = vec![0; text.len()];
    io.read_exact(&mut back).await.unwrap();
    assert_eq!(back, text.as_bytes());
}

async fn is_closed(io: &mut Io) -> bool {
    io.read_u8().await.is_err()
}

#[tokio::test]
async fn c17_any_protocol_passes_and_ends_with_its_client() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut io = tunnel(&a, &cookie).await;
    echoes(&mut io, "first").await;
    echoes(&mut io, "second").await;
    drop(io);
    b.stage.dropped.notified().await;
}

#[tokio::test]
async fn c17_a_tunnel_closes_at_its_owners_verdict() {
    let (directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut io = tunnel(&a, &cookie).await;
    echoes(&mut io, "first").await;
    bury(&directory, b.address).await;
    a.learn().await;
    assert!(is_closed(&mut io).await);
    assert_eq!(a.cluster.metrics().cut, 1);
    b.stage.dropped.notified().await;
}

#[tokio::test]
async fn c17_an_upgrade_that_the_owner_refuses_is_an_ordinary_response() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut request = request("/upgrade", &cookie);
    let headers = request.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "refused".parse().unwrap());
    let (response, _) = send_on(a.address, Http::One, request).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(crate::http_client::text(response).await, "not this one");
}

#[tokio::test]
async fn c17_a_web_socket_passes_with_its_protocol_and_its_close() {
    let (_directory, a, b) = pair().await;
    let (session, cookie) = b.visitor();
    let mut request = format!("ws://{}/ws", a.address)
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().unwrap());
    headers.insert("sec-websocket-protocol", "echo".parse().unwrap());
    let stream = TcpStream::connect(a.address).await.unwrap();
    let (mut socket, response) = tokio_tungstenite::client_async(request, stream)
        .await
        .unwrap();
    assert_eq!(header(&response, "sec-websocket-protocol"), Some("echo"));
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("hello")
    );
    session.terminate();
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else {
        panic!("not closed");
    };
    assert_eq!(&*frame.reason, "terminated");
}

#[tokio::test]
async fn c17_a_connect_of_http_2_is_an_upgrade_at_the_owner() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut io = tunnel_over_http_2(&a, &cookie).await;
    echoes(&mut io, "first").await;
    drop(io);
    b.stage.dropped.notified().await;
}

#[tokio::test]
async fn c17_a_tunnel_ends_with_the_shutdown_of_the_server_that_it_passes() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut io = tunnel(&a, &cookie).await;
    echoes(&mut io, "first").await;
    let report = a.shut_down().await;
    assert!(report.is_clean());
    assert!(is_closed(&mut io).await);
    b.stage.dropped.notified().await;
}

#[tokio::test]
async fn c17_a_tunnel_over_http_2_does_not_delay_that_shutdown() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let mut io = tunnel_over_http_2(&a, &cookie).await;
    echoes(&mut io, "first").await;
    // Its timeout is 30 seconds, at which connections are cut.
    let shutdown = tokio::time::timeout(std::time::Duration::from_secs(15), a.shut_down());
    assert!(shutdown.await.unwrap().is_clean());
    b.stage.dropped.notified().await;
}
