//! HTTP requests, each on a connection of its own: a node that was killed leaves no connection that seems good.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time after which a request is taken for one that is never answered.
const NEVER: Duration = Duration::from_secs(40);

/// Sends the request, and returns the head of the answer. `None` if the connection failed, or was cut before the head.
pub(crate) async fn send(
    door: SocketAddr,
    mut request: Request<Body>,
) -> Option<Response<Incoming>> {
    let host = door.to_string().parse().expect("an address is plain text");
    request.headers_mut().entry("host").or_insert(host);
    let answered = async {
        let io = TokioIo::new(TcpStream::connect(door).await.ok()?);
        let (mut sender, connection) = http1::handshake(io).await.ok()?;
        tokio::spawn(connection);
        sender.send_request(request).await.ok()
    };
    let answered = timeout(NEVER, answered).await;
    answered.expect("no request is left without an answer")
}

/// Reads the whole body. `None` if it was cut.
pub(crate) async fn read(response: Response<Incoming>) -> Option<Vec<u8>> {
    let body = timeout(NEVER, response.into_body().collect()).await;
    let body = body.expect("no answer is left without an end").ok()?;
    Some(body.to_bytes().to_vec())
}

/// Asks for a page, and returns its status.
pub(crate) async fn get(door: SocketAddr, path: &str) -> Option<u16> {
    let request = Request::get(path).body(Body::empty()).unwrap();
    Some(send(door, request).await?.status().as_u16())
}
