//! WebSocket clients, over HTTP/1.1 and HTTP/2.

use std::net::SocketAddr;

use axum::body::Body;
use futures_util::{StreamExt as _, poll};
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::client::Http;

pub(crate) type Client = WebSocketStream<TokioIo<Upgraded>>;

/// A handshake with these cookies, to be [sent](send).
pub(crate) fn handshake(http: Http, path: &str, cookies: &str) -> Request<Body> {
    let mut request = crate::client::request(path, cookies);
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_VERSION, "13".parse().unwrap());
    match http {
        Http::One => {
            headers.insert("host", "test".parse().unwrap());
            headers.insert(CONNECTION, "upgrade".parse().unwrap());
            headers.insert(UPGRADE, "websocket".parse().unwrap());
            let key = "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap();
            headers.insert(SEC_WEBSOCKET_KEY, key);
            *request.uri_mut() = path.parse().unwrap();
        }
        Http::Two => {
            *request.method_mut() = Method::CONNECT;
            let protocol = Protocol::from_static("websocket");
            request.extensions_mut().insert(protocol);
        }
    }
    request
}

/// Sends the handshake on a connection of its own.
pub(crate) async fn send(
    address: SocketAddr,
    http: Http,
    handshake: Request<Body>,
) -> Response<Incoming> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    match http {
        Http::One => {
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection.with_upgrades());
            sender.send_request(handshake).await.unwrap()
        }
        Http::Two => {
            let (mut sender, mut connection) =
                http2::handshake(TokioExecutor::new(), io).await.unwrap();
            // Until the server has said that it knows this kind of `CONNECT`. Nothing wakes us then: another task reads.
            while !connection.is_extended_connect_protocol_enabled() {
                assert!(poll!(&mut connection).is_pending(), "it was closed");
                tokio::task::yield_now().await;
            }
            tokio::spawn(connection);
            sender.send_request(handshake).await.unwrap()
        }
    }
}

/// Opens a socket; panics if it is refused.
pub(crate) async fn open(
    address: SocketAddr,
    http: Http,
    path: &str,
    cookies: &str,
) -> (Client, Response<Incoming>) {
    upgrade(
        http,
        send(address, http, handshake(http, path, cookies)).await,
    )
    .await
}

pub(crate) async fn upgrade(
    http: Http,
    mut response: Response<Incoming>,
) -> (Client, Response<Incoming>) {
    let expected = match http {
        Http::One => 101,
        Http::Two => 200,
    };
    assert_eq!(response.status(), expected);
    let upgraded = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    let client = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    (client, response)
}

/// Reads up to the close frame, and answers it; returns its code and reason, and the messages before it.
pub(crate) async fn closed(client: &mut Client) -> (u16, String, Vec<Message>) {
    let mut before = Vec::new();
    loop {
        let message = client.next().await.expect("no close frame");
        match message.unwrap() {
            Message::Close(frame) => {
                let frame = frame.expect("with a code");
                // Flushes the answer.
                assert!(client.next().await.is_none());
                return (frame.code.into(), frame.reason.to_string(), before);
            }
            message => before.push(message),
        }
    }
}
