//! The decision where a request is served, and its journey if it is elsewhere.

use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum_core::BoxError;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use session_axum::RequestHead;
use session_core::NodeTag;
use tokio::time::timeout;

use super::Node;
use super::routing::Routing;
use crate::forward::{ForwardedBody, Sent, target};
use crate::hop::{Errand, HOP, Misdirected, Word};
use crate::listing;
use crate::route::{Route, elsewhere, route};
use crate::view::{Behind, Mode, Peer, Unsure};

pub(super) type Decision<B> = Pin<Box<dyn Future<Output = Outcome<B>> + Send>>;

pub(super) enum Outcome<B> {
    /// The application on this node serves it.
    Here(Request<B>),
    Forwarded(Response<ForwardedBody>),
    Own(Response<Bytes>),
}

/// Decides on a request that another node has sent, if it comes with such a `word`, or a client.
pub(super) async fn decide<B>(
    node: Arc<Node>,
    mut request: Request<B>,
    word: Option<Word>,
) -> Outcome<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let Some(word) = word else {
        return from_client(&node, request).await;
    };
    if node.shared().view.own() != Some(word.to) {
        return misdirected(Misdirected::OtherTag);
    }
    match word.errand {
        Errand::List(group) => {
            let list = listing::write(&node.sessions, &group);
            Outcome::Own(Response::new(list.into()))
        }
        Errand::Hop(client) => {
            node.shared().counters.received.add(1);
            let facts = request.extensions_mut();
            match client {
                Some(client) => _ = facts.insert(ConnectInfo(client)),
                // The one that is there is the other node's.
                None => _ = facts.remove::<ConnectInfo<std::net::SocketAddr>>(),
            }
            // Over HTTP/2 the authority is that of this node. The client's is in the header.
            if let Some(target) = request.uri().path_and_query().cloned() {
                *request.uri_mut() = target.into();
            }
            from_node(&node, request, word.to).await
        }
    }
}

/// It goes no further.
async fn from_node<B>(node: &Node, request: Request<B>, own: NodeTag) -> Outcome<B> {
    let view = &node.shared().view;
    loop {
        if let Some(mut ids) = ids(node, &request) {
            ids.retain(|id| id.tag() == own);
            let route = route(&ids, |_| Behind::Nobody, &node.sessions);
            if matches!(route, Route::Stranger) && view.mode() != Mode::Serving {
                return misdirected(Misdirected::Drains);
            }
        }
        if view.is_open() {
            return Outcome::Here(request);
        }
        if view.opened(node.shared().times.patience).await.is_err() {
            return unavailable(node);
        }
        if view.own() != Some(own) {
            return misdirected(Misdirected::OtherTag);
        }
    }
}

async fn from_client<B>(node: &Node, mut request: Request<B>) -> Outcome<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (view, patience) = (&node.shared().view, node.shared().times.patience);
    // The tags that have turned out to be nobody's, as far as this request is concerned.
    let mut nobody: Vec<NodeTag> = Vec::new();
    let (mut has_asked, mut was_misdirected) = (false, false);
    loop {
        let ids = ids(node, &request);
        let behind = |tag| {
            if nobody.contains(&tag) {
                Behind::Nobody
            } else {
                view.behind(tag)
            }
        };
        let route = ids.map_or(Route::Here, |ids| route(&ids, behind, &node.sessions));
        let peer = match route {
            Route::Here => None,
            Route::Peer(peer) => Some(peer),
            Route::Unknown(tag) => {
                // One answer tells of all ids.
                let behind = if has_asked {
                    view.concluded(tag)
                } else {
                    view.look_up(tag, patience).await
                };
                has_asked = true;
                match behind {
                    Ok(Behind::Peer(_)) => {}
                    Ok(_) => nobody.push(tag),
                    Err(Unsure) => return unavailable(node),
                }
                continue;
            }
            Route::Stranger => match view.mode() {
                Mode::Serving => None,
                mode => match elsewhere_for_strangers(node, &nobody) {
                    None if mode == Mode::Left => return unavailable(node),
                    peer => peer,
                },
            },
        };
        // A request that can't be sent is served here: a `CONNECT` to a host, which is a proxy's.
        let can_go = target(request.uri(), request.extensions()).is_some();
        let Some(peer) = peer.filter(|_| can_go) else {
            if view.is_open() {
                return Outcome::Here(request);
            }
            match view.opened(patience).await {
                // By now the session may have ended.
                Ok(()) => continue,
                Err(Unsure) => return unavailable(node),
            }
        };
        match &node.routing {
            Routing::Forward => {}
            Routing::Replay(replay) => {
                // A proxy that is still sending would take a connection that closes early for a failure.
                read_to_end(request.into_body()).await;
                let mut response = refusal(StatusCode::MISDIRECTED_REQUEST, "");
                replay.write(&peer, response.headers_mut());
                return Outcome::Own(response);
            }
            Routing::Reject => {
                let why = "the session is on another node\n";
                return Outcome::Own(refusal(StatusCode::MISDIRECTED_REQUEST, why));
            }
        }
        let secret = &node.shared().secret;
        let sent = node
            .shared()
            .forwarder
            .send(request, &peer, view.own(), secret);
        request = match sent.await {
            Sent::Answered(response) => {
                node.shared().counters.forwarded.add(1);
                return Outcome::Forwarded(response);
            }
            Sent::Misdirected(_, None) | Sent::Failed(None) => return unavailable(node),
            Sent::Misdirected(Misdirected::Drains, Some(request)) => request,
            Sent::Misdirected(Misdirected::OtherTag, Some(request)) => {
                let behind = view.look_up(peer.tag, patience).await;
                if was_misdirected || !matches!(behind, Ok(Behind::Nobody)) {
                    return unavailable(node);
                }
                was_misdirected = true;
                request
            }
            Sent::Failed(Some(request)) => {
                if !is_dead_soon(node, &peer).await {
                    return unavailable(node);
                }
                request
            }
        };
        nobody.push(peer.tag);
    }
}

async fn read_to_end<B: Body>(body: B) {
    let mut body = pin!(body);
    while let Some(Ok(_)) = body.frame().await {}
}

fn ids<B>(node: &Node, request: &Request<B>) -> Option<Vec<session_core::SessionId>> {
    elsewhere(&*node.transport, &node.sessions, RequestHead::from(request))
}

/// The node that a stranger is sent to.
fn elsewhere_for_strangers(node: &Node, nobody: &[NodeTag]) -> Option<Arc<Peer>> {
    // Without nodes that were tried in vain.
    let can_go = !matches!(node.routing, Routing::Reject);
    let peer = node.shared().view.for_strangers().filter(|_| can_go)?;
    (!nobody.contains(&peer.tag)).then_some(peer)
}

/// Waits for the verdict on a node that has not answered, but not for longer than requests wait.
async fn is_dead_soon(node: &Node, peer: &Peer) -> bool {
    let (view, patience) = (&node.shared().view, node.shared().times.patience);
    let told = async {
        // A node that is being started in its place will tell the store, and the request need not wait for the next
        // renewal then. The questions of all requests together are at most ten a second.
        while !matches!(view.look_up(peer.tag, patience).await, Ok(Behind::Nobody)) {}
    };
    let verdict = async {
        tokio::select! {
            () = peer.gone.cancelled() => {}
            () = told => {}
        }
    };
    timeout(patience, verdict).await.is_ok()
}

fn misdirected<B>(why: Misdirected) -> Outcome<B> {
    let mut response = refusal(StatusCode::MISDIRECTED_REQUEST, "");
    response.headers_mut().insert(HOP, why.value());
    Outcome::Own(response)
}

fn unavailable<B>(node: &Node) -> Outcome<B> {
    node.shared().counters.unsure.add(1);
    let why = "sessions can't be reached at the moment: try again later\n";
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, why);
    let after = HeaderValue::from_static("1");
    response.headers_mut().insert(RETRY_AFTER, after);
    Outcome::Own(response)
}

fn refusal(status: StatusCode, why: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(why.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !why.is_empty() {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}
