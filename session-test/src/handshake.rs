//! The handshake of a WebSocket, over a connection in memory: only a server's connection can be upgraded.

use std::pin::pin;

use axum_core::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, join, select};
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::request::{Outcome, RequestBuilder};
use crate::tab::App;
use crate::websocket::WebSocket;

/// The bytes that are under way in each direction before a sender has to wait for its peer to read.
const UNDER_WAY: usize = 64 << 10;

impl RequestBuilder<WebSocket> {
    /// Sends the handshake, and returns the answer with which it is refused.
    ///
    /// # Panics
    ///
    /// If it is accepted.
    pub async fn refused(self) -> Answer {
        let asked = self.asked.clone();
        match shake_hands(self).await {
            Ok(_) => panic!("{asked}: expected a refusal, came a WebSocket"),
            Err(answer) => answer,
        }
    }
}

impl Outcome for WebSocket {
    async fn of(request: RequestBuilder<Self>) -> Self {
        let asked = request.asked.clone();
        match shake_hands(request).await {
            Ok(socket) => socket,
            Err(answer) => panic!("{asked}: expected a WebSocket, came {answer}"),
        }
    }
}

/// Sends the handshake on a connection of its own. The answer is a refusal.
async fn shake_hands(mut request: RequestBuilder<WebSocket>) -> Result<WebSocket, Answer> {
    let key = generate_key();
    request.dress(true);
    let request = request
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(
            SEC_WEBSOCKET_KEY,
            HeaderValue::try_from(&key).expect("it is base64"),
        );
    let (tab, asked) = (request.tab, request.asked);
    let path = request.request.uri().path().to_owned();

    let (near, far) = tokio::io::duplex(UNDER_WAY);
    let server = serve(tab.app.clone(), far);
    let (mut sender, client) = hyper::client::conn::http1::handshake(TokioIo::new(near))
        .await
        .expect("a connection in memory");
    let connection = Box::pin(join(server, client.with_upgrades()));

    // The connection is polled here, so that a handler that panics fails the test.
    let exchange = async {
        match select(pin!(sender.send_request(request.request)), connection).await {
            Either::Left((response, connection)) => {
                // It ends when the client does, or with the upgrade.
                tokio::spawn(connection);
                response
            }
            Either::Right(((served, _), response)) => {
                asked.served(served);
                response.await
            }
        }
    };
    let mut response = asked.served(asked.within("an answer", exchange).await);
    tab.cookies.keep(&path, response.headers());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Answer::read(asked, response.map(Body::new)).await);
    }
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let accept = derive_accept_key(key.as_bytes());
    assert!(
        header(SEC_WEBSOCKET_ACCEPT) == Some(&accept),
        "{asked}: the server has accepted another handshake"
    );
    let protocol = header(SEC_WEBSOCKET_PROTOCOL).map(str::to_owned);
    let upgraded = asked.within("an upgrade", hyper::upgrade::on(&mut response));
    let upgraded = TokioIo::new(asked.served(upgraded.await));
    Ok(WebSocket::new(asked, upgraded, protocol).await)
}

/// Serves one connection, up to its end or upgrade. Its future has no type, since the compiler does not see that a future
/// that holds the real one is `Send`.
fn serve(app: App, connection: DuplexStream) -> BoxFuture<'static, hyper::Result<()>> {
    let app = app.map_request(|request: Request<Incoming>| request.map(Body::new));
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(connection), TowerToHyperService::new(app))
        .with_upgrades()
        .boxed()
}
