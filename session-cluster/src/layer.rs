//! The layer.

mod body;
mod decide;
mod future;
mod routing;
mod service;

use std::sync::Arc;

use session_axum::{SessionLayer, SessionTransport};
use session_core::SessionManager;
use tower_layer::Layer;

pub use self::body::ClusterBody;
pub use self::future::ClusterFuture;
pub use self::routing::{Owner, Replay, Routing};
pub use self::service::ClusterService;
use crate::cluster::{Cluster, Shared};

/// Brings each request to the node that has its session. It stands in front of the node's [`SessionLayer`].
///
/// A request whose session lives on this node goes straight on, as does one of a client without a session. One whose
/// session lives on another node is sent there, as [`Routing`] says, and the application sees it there as if the client
/// had connected to that node: with the client's address as [`ConnectInfo`](axum::extract::ConnectInfo), and with the
/// headers `Host`, `Forwarded` and `X-Forwarded-*` as they came in.
///
/// Add it last, so that it is outside all other layers, and to the outermost `Router`. Each node serves the same
/// application with it, at the address that [`Cluster::builder`](crate::Cluster::builder) was told.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{Session, SessionLayer};
/// use session_cluster::{Cluster, ClusterLayer};
/// use session_core::SessionManager;
///
/// fn app(sessions: SessionManager, cluster: &Cluster) -> Router {
///     let session_layer = SessionLayer::new(sessions);
///     Router::new()
///         .route("/", get(|session: Session| async move { session.age().as_secs().to_string() }))
///         .layer(session_layer.clone())
///         .layer(ClusterLayer::new(cluster, &session_layer))
/// }
/// ```
///
/// It fits any service that can be cloned, of `http::Request` and `http::Response` whose bodies are of
/// [`Bytes`](bytes::Bytes).
///
/// # Responses of its own
///
/// | status | when |
/// |---|---|
/// | 503, with `Retry-After` | the store has not answered in time, so the node may not act, or can't tell whose a session is |
/// | 503, with `Retry-After` | the session's node has not answered, and nobody knows yet whether it is dead |
/// | 421 | [`Routing::Replay`] and [`Routing::Reject`]: the session lives on another node |
///
/// A request waits for up to 2 seconds before a 503. When the session's node is known to be dead, its client is a
/// stranger, as after the restart of a single server. A request that may have reached that node, and has a body, is not
/// sent again, and is answered with 503.
///
/// # What passes
///
/// Nothing is buffered: bodies, trailers and event streams pass as they come. A client that hangs up ends its request at
/// the session's node. An upgraded connection passes as a tunnel of bytes, whatever its protocol, and one that comes in as
/// HTTP/2's extended `CONNECT` is an upgrade on the session's node. If that node dies, bodies under way fail, and tunnels
/// close.
///
/// The nodes speak HTTP/1.1 among themselves, which has only the trailers that a message announces (`Trailer`). A request
/// that comes over HTTP/2 from a client that takes trailers (`TE: trailers`), such as one of gRPC, goes on over HTTP/2, on
/// a connection of its own: the addresses of a cluster of such services must speak HTTP/2 without TLS.
///
/// Among themselves they encrypt nothing: their network must be private. The secret protects the nodes from clients that
/// pretend to be nodes, but hides nothing.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ClusterLayer {
    node: Arc<Node>,
}

/// The state that a layer and its services share.
#[derive(Clone)]
struct Node {
    /// It keeps the membership alive as long as the application.
    cluster: Cluster,
    sessions: SessionManager,
    transport: Arc<dyn SessionTransport>,
    routing: Routing,
}

impl ClusterLayer {
    /// Creates a layer for this node of the cluster. It finds ids where the session layer does.
    pub fn new(cluster: &Cluster, session_layer: &SessionLayer) -> Self {
        Self {
            node: Arc::new(Node {
                cluster: cluster.clone(),
                sessions: session_layer.sessions().clone(),
                transport: Arc::clone(session_layer.transport()),
                routing: Routing::default(),
            }),
        }
    }

    /// Sets how requests reach the nodes that have their sessions: [`Routing::Forward`] by default.
    ///
    /// ```
    /// use session_axum::SessionLayer;
    /// use session_cluster::{Cluster, ClusterLayer, Routing};
    ///
    /// fn layer(cluster: &Cluster, session_layer: &SessionLayer) -> ClusterLayer {
    ///     ClusterLayer::new(cluster, session_layer).routing(Routing::Reject)
    /// }
    /// ```
    pub fn routing(mut self, routing: impl Into<Routing>) -> Self {
        Arc::make_mut(&mut self.node).routing = routing.into();
        self
    }
}

impl Node {
    fn shared(&self) -> &Shared {
        &self.cluster.shared
    }
}

impl<S> Layer<S> for ClusterLayer {
    type Service = ClusterService<S>;

    fn layer(&self, inner: S) -> ClusterService<S> {
        ClusterService::new(inner, Arc::clone(&self.node))
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("routing", &self.routing)
            .finish_non_exhaustive()
    }
}
