//! The hop: a request goes to another node, and its response comes back.

mod body;
mod head;
mod tunnel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, OriginalUri};
use axum_core::BoxError;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use session_core::NodeTag;
use tokio_util::sync::CancellationToken;

pub(crate) use self::body::{ForwardedBody, HopBody};
use self::head::Asks;
use crate::hop::{Errand, HOP, Misdirected, Word};
use crate::metrics::Counter;
use crate::secret::Secret;
use crate::view::Peer;

/// The time for a connection to another node.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// The connections to one node that are kept for later requests, and for how long.
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// The number of headers that an owner's response may have. On a single node nobody counts them.
const MOST_HEADERS: usize = 1000;
/// And over HTTP/2, the bytes that they may take.
const MOST_HEADER_BYTES: u32 = 1 << 20;

/// Sends requests to other nodes, on connections that it keeps.
#[derive(Clone)]
pub(crate) struct Forwarder {
    client: Client<HttpConnector, HopBody>,
    /// For requests with trailers that need not be announced.
    over_http_2: Client<HttpConnector, HopBody>,
    /// Requests, streams and tunnels that were cut, because their owner was gone.
    cut: Arc<Counter>,
}

/// The outcome of a request that was sent to another node.
pub(crate) enum Sent<B> {
    Answered(Response<ForwardedBody>),
    /// The node has not taken it. The request is there unless the hop has begun to read its body.
    Misdirected(Misdirected, Option<Request<B>>),
    /// No response has come. The request is there if it may go elsewhere: it has not reached the node, or has no body.
    Failed(Option<Request<B>>),
}

/// The time for which a response or a tunnel may go on: until its owner has a verdict.
struct Life {
    gone: CancellationToken,
    /// Counts those that it has ended.
    cut: Arc<Counter>,
}

impl Forwarder {
    pub(crate) fn new(cut: Arc<Counter>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_headers(MOST_HEADERS)
            // A request without the header has none at the owner either: its address is nobody's business.
            .set_host(false)
            .build(connector.clone());
        let over_http_2 = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .http2_max_header_list_size(MOST_HEADER_BYTES)
            // A connection for each: requests that share one would wait for each other, since it has a window and a number
            // of streams.
            .pool_max_idle_per_host(0)
            .build(connector);
        Self {
            client,
            over_http_2,
            cut,
        }
    }

    /// Sends a request of this node's own. Returns the node's response as it is.
    pub(crate) async fn ask(
        &self,
        address: SocketAddr,
        word: &Word,
        secret: &Secret,
    ) -> Result<Response<Incoming>, Error> {
        let target = PathAndQuery::from_static("/");
        let mut request = Request::new(HopBody::default());
        let word = word.seal(secret, &Method::GET, target.as_str());
        request.headers_mut().insert(HOP, word);
        *request.uri_mut() = uri(address, target);
        self.client.request(request).await
    }

    /// Sends a client's request. A request without a path can't be sent and comes back.
    pub(crate) async fn send<B>(
        &self,
        request: Request<B>,
        peer: &Peer,
        own: Option<NodeTag>,
        secret: &Secret,
    ) -> Sent<B>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        let Some(target) = target(&parts.uri, &parts.extensions) else {
            return Sent::Failed(Some(Request::from_parts(parts, body)));
        };
        let (method, headers, asks) = head::outgoing(&parts);
        let is_bodiless = body.is_end_stream();
        let word = Word {
            from: own,
            to: peer.tag,
            errand: Errand::Hop(client(&parts)),
        };
        let word = word.seal(secret, &method, target.as_str());

        let gate = head::expects_continue(&headers).then(CancellationToken::new);
        let (body, returned) = body::lend(body, gate.clone());
        let mut hop = Request::new(body);
        *hop.method_mut() = method;
        *hop.headers_mut() = headers;
        let has_http_2 = gate.is_none() && head::needs_http_2(&parts, asks);
        let has_length = hop.headers().contains_key(CONTENT_LENGTH);
        if !is_bodiless && asks == Asks::Nothing && !has_length && !has_http_2 {
            // Otherwise the client drops the body of a `GET`, as it does not know whether there is one.
            let chunked = HeaderValue::from_static("chunked");
            hop.headers_mut().insert(TRANSFER_ENCODING, chunked);
        }
        hop.headers_mut().insert(HOP, word);
        *hop.uri_mut() = uri(peer.address, target);
        if let Some(gate) = gate.clone() {
            hyper::ext::on_informational(&mut hop, move |response| {
                if response.status() == StatusCode::CONTINUE {
                    gate.cancel();
                }
            });
        }
        let connection = capture_connection(&mut hop);

        let client = if has_http_2 {
            &self.over_http_2
        } else {
            &self.client
        };
        let sent = client.request(hop);
        let response = match peer.gone.run_until_cancelled(sent).await {
            Some(Ok(response)) if is_in_order(&response, asks) => response,
            failed => {
                // A connection is noted before the request goes out on it.
                let mut has_reached = connection.connection_metadata().is_some();
                match failed {
                    Some(Err(error)) => {
                        // The client tries again only what it has not sent.
                        has_reached &= !error.is_connect();
                        let (node, error) = (peer.tag, &error as &dyn std::error::Error);
                        tracing::debug!(%node, error, "a request to another node failed");
                    }
                    Some(Ok(_)) => {}
                    None => self.cut.add(1),
                }
                if has_reached && !is_bodiless {
                    return Sent::Failed(None);
                }
                let body = returned.await.ok();
                return Sent::Failed(body.map(|body| Request::from_parts(parts, body)));
            }
        };
        if let Some(misdirected) = misdirected(&response) {
            // If it has not been read, it comes back with the connection's end.
            drop(response);
            let body = returned.await.ok();
            let request = body.map(|body| Request::from_parts(parts, body));
            return Sent::Misdirected(misdirected, request);
        }
        if let Some(gate) = gate {
            // The owner has answered without a word about the body, and may still read it.
            gate.cancel();
        }
        Sent::Answered(self.answer(response, asks, &mut parts, peer))
    }

    /// Prepares the owner's response for the client, and opens the tunnel if it is an upgrade.
    fn answer(
        &self,
        mut response: Response<Incoming>,
        asks: Asks,
        request: &mut Parts,
        peer: &Peer,
    ) -> Response<ForwardedBody> {
        let life = || Life {
            gone: peer.gone.clone(),
            cut: Arc::clone(&self.cut),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && asks != Asks::Nothing
            && let Some(client) = request.extensions.remove::<OnUpgrade>()
        {
            let owner = hyper::upgrade::on(&mut response);
            tunnel::open(client, owner, life(), &request.extensions);
        }
        let (mut head, body) = response.into_parts();
        head::incoming(&mut head, asks);
        Response::from_parts(head, ForwardedBody::new(body, life()))
    }
}

/// A node upgrades what asks for it only.
fn is_in_order(response: &Response<Incoming>, asks: Asks) -> bool {
    asks != Asks::Nothing || response.status() != StatusCode::SWITCHING_PROTOCOLS
}

fn misdirected(response: &Response<Incoming>) -> Option<Misdirected> {
    let is = response.status() == StatusCode::MISDIRECTED_REQUEST;
    Misdirected::of(response.headers().get(HOP).filter(|_| is)?)
}

/// The target as the client sent it, since a nested `Router` cuts its prefix off, and as it is read after the hop:
/// `http://name?query` has an empty path, which is `/` on the way.
pub(crate) fn target(uri: &Uri, extensions: &Extensions) -> Option<PathAndQuery> {
    let original = extensions.get::<OriginalUri>();
    let target = original
        .map_or(uri, |original| &original.0)
        .path_and_query()?;
    if target.as_str().starts_with('?') {
        return format!("/{}", target.as_str()).parse().ok();
    }
    Some(target.clone())
}

/// The client's address, if the server tells it.
fn client(parts: &Parts) -> Option<SocketAddr> {
    let ConnectInfo(client) = parts.extensions.get()?;
    Some(*client)
}

fn uri(address: SocketAddr, target: PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = address.to_string().parse().ok();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).expect("it has all parts")
}
