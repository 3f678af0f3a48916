//! A browser that visits a program.

use std::net::SocketAddr;

use axum::BoxError;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use session_test::Browser;
use tokio::net::TcpStream;
use tower::service_fn;

/// Returns a browser that visits the program at this address. Each request has a connection of its own, which a request
/// that is dropped closes.
pub(crate) fn browser(address: SocketAddr) -> Browser {
    Browser::new(service_fn(move |request| send(address, request)))
}

async fn send(address: SocketAddr, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the response's body.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
