//! A client that connects to one node for each request.

use std::net::SocketAddr;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

impl Http {
    pub(crate) const BOTH: [Self; 2] = [Self::One, Self::Two];
}

pub(crate) fn request(path: &str, cookies: &str) -> Request<Body> {
    with_body(http::Method::GET, path, cookies, Body::empty())
}

pub(crate) fn with_body(
    method: http::Method,
    path: &str,
    cookies: &str,
    body: Body,
) -> Request<Body> {
    let uri = format!("http://cluster.test{path}");
    let mut request = Request::builder().method(method).uri(uri);
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    request.body(body).unwrap()
}

/// Sends the request on its own connection, which ends when the task is aborted.
pub(crate) async fn send_on(
    address: SocketAddr,
    http: Http,
    request: Request<Body>,
) -> (Response<Incoming>, JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.unwrap();
    send_over(stream, http, request).await
}

pub(crate) async fn send_over(
    stream: TcpStream,
    http: Http,
    mut request: Request<Body>,
) -> (Response<Incoming>, JoinHandle<()>) {
    let io = TokioIo::new(stream);
    match http {
        Http::One => {
            let host = request.uri().authority().unwrap().as_str().parse().unwrap();
            request.headers_mut().entry("host").or_insert(host);
            *request.uri_mut() = request
                .uri()
                .path_and_query()
                .unwrap()
                .as_str()
                .parse()
                .unwrap();
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            let task = tokio::spawn(async { _ = connection.with_upgrades().await });
            (sender.send_request(request).await.unwrap(), task)
        }
        Http::Two => {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.unwrap();
            let task = tokio::spawn(async { _ = connection.await });
            (sender.send_request(request).await.unwrap(), task)
        }
    }
}

pub(crate) async fn send(address: SocketAddr, request: Request<Body>) -> Response<Incoming> {
    send_on(address, Http::One, request).await.0
}

pub(crate) async fn get(address: SocketAddr, path: &str, cookies: &str) -> Response<Incoming> {
    send(address, request(path, cookies)).await
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The text of a successful response.
pub(crate) async fn ok(address: SocketAddr, path: &str, cookies: &str) -> String {
    let response = get(address, path, cookies).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(response).await
}

pub(crate) fn header<'r, B>(response: &'r Response<B>, name: &str) -> Option<&'r str> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap())
}

/// A refusal that asks the client to try again.
pub(crate) fn is_unavailable<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::SERVICE_UNAVAILABLE
        && header(response, "retry-after") == Some("1")
        && header(response, "cache-control") == Some("no-store")
}
