//! How a request reaches the node that has its session.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use session_core::NodeTag;

use crate::view::Peer;

/// The way in which a request for another node's session gets there: see
/// [`ClusterLayer::routing`](crate::ClusterLayer::routing).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Routing {
    /// The node sends it there, and passes the response on. This works behind any load balancer, and behind none.
    #[default]
    Forward,
    /// The node answers 421 with headers that name the other node, so that the proxy in front sends the request there.
    Replay(Replay),
    /// The node answers 421. For proxies that always know the right node.
    Reject,
}

impl From<Replay> for Routing {
    fn from(replay: Replay) -> Self {
        Self::Replay(replay)
    }
}

/// The headers by which a response tells the proxy in front to send the request to another node.
///
/// The proxy must keep the request's body until it has the response. The header must not reach the client, since it shows
/// the cluster's addresses.
///
/// For nginx, with a location `@owner` that passes the request on to `http://$upstream_http_x_owner`:
///
/// ```
/// use session_cluster::{Replay, Routing};
///
/// let replay = Replay::header("x-accel-redirect", |_| "@owner".into())
///     .and_header("x-owner", |owner| owner.address().to_string());
/// let routing = Routing::from(replay);
/// ```
///
/// For a proxy that knows the nodes by names, which the application keeps by their addresses:
///
/// ```
/// # use session_cluster::Replay;
/// # use std::collections::HashMap;
/// # use std::net::SocketAddr;
/// fn replay(names: HashMap<SocketAddr, String>) -> Replay {
///     Replay::header("fly-replay", move |owner| match names.get(&owner.address()) {
///         Some(name) => format!("instance={name}"),
///         None => "elsewhere=true".into(),
///     })
/// }
/// ```
#[derive(Clone)]
pub struct Replay {
    headers: Vec<(HeaderName, Value)>,
}

type Value = Arc<dyn Fn(&Owner<'_>) -> String + Send + Sync>;

/// The node that has a request's session: see [`Replay`].
#[derive(Clone, Copy, Debug)]
pub struct Owner<'p>(&'p Peer);

impl Owner<'_> {
    /// Its tag.
    pub fn tag(&self) -> NodeTag {
        self.0.tag
    }

    /// Where the other nodes reach it.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }
}

impl Replay {
    /// Names the node in this header.
    ///
    /// # Panics
    ///
    /// If the name is not a header's name in lower case.
    #[must_use]
    pub fn header(
        name: &'static str,
        value: impl Fn(&Owner<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        let headers = Vec::new();
        Self { headers }.and_header(name, value)
    }

    /// Adds another header.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[must_use]
    pub fn and_header(
        mut self,
        name: &'static str,
        value: impl Fn(&Owner<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        let name = HeaderName::from_static(name);
        self.headers.push((name, Arc::new(value)));
        self
    }

    /// Writes the headers. A value that can't be a header's is left out, and logged.
    pub(super) fn write(&self, peer: &Peer, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            match HeaderValue::try_from(value(&Owner(peer))) {
                Ok(value) => _ = headers.insert(name, value),
                Err(_) => {
                    tracing::warn!(%name, node = %peer.tag, "a value for a replay is no header");
                }
            }
        }
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}
