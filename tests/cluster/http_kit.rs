//! Nodes with servers on sockets of this machine, and the application that they serve.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use futures_util::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use session_axum::{Session, SessionLayer};
use session_cluster::{Cluster, ClusterLayer, InProcessDirectory, Routing};
use session_core::{LocalSession as _, SessionManager, ShutdownReport};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A node of the cluster, and its server.
pub(crate) struct Node {
    pub(crate) cluster: Cluster,
    pub(crate) sessions: SessionManager,
    pub(crate) address: SocketAddr,
    pub(crate) stage: Stage,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ShutdownReport>,
}

/// The part of a node's application that tests see.
#[derive(Clone, Default)]
pub(crate) struct Stage {
    name: &'static str,
    /// A handler has been called, and waits.
    pub(crate) arrived: Arc<Notify>,
    /// Lets it go on.
    pub(crate) go_on: Arc<Notify>,
    /// A handler that waits was dropped.
    pub(crate) dropped: Arc<Notify>,
    /// The requests that the application has seen.
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Node {
    pub(crate) async fn start(directory: &InProcessDirectory, name: &'static str) -> Self {
        Self::routing(directory, name, Routing::Forward).await
    }

    pub(crate) async fn routing(
        directory: &InProcessDirectory,
        name: &'static str,
        routing: impl Into<Routing>,
    ) -> Self {
        Self::behind(directory, name, None, routing).await
    }

    /// Starts a node that the others reach at another address: that of a proxy.
    pub(crate) async fn behind(
        directory: &InProcessDirectory,
        name: &'static str,
        proxy: Option<SocketAddr>,
        routing: impl Into<Routing>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sessions, cluster) = join(directory, proxy.unwrap_or(address)).await;
        let stage = Stage {
            name,
            ..Stage::default()
        };
        let session_layer = SessionLayer::new(sessions.clone());
        let app = app(stage.clone())
            .layer(session_layer.clone())
            .layer(ClusterLayer::new(&cluster, &session_layer).routing(routing));
        let (stop, stopped) = oneshot::channel();
        let server = session_axum::serve(listener, app, sessions.clone())
            .with_connect_info()
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .grace(Duration::from_secs(1));
        let task = tokio::spawn(server.into_future());
        Self {
            cluster,
            sessions,
            address,
            stage,
            stop,
            task,
        }
    }

    /// Creates a session, and returns its cookie.
    pub(crate) fn visitor(&self) -> (session_core::Session, String) {
        let session = self.sessions.create().unwrap();
        let cookie = format!("id={}", session.id().encode());
        (session, cookie)
    }

    /// Asks the store, so that the node knows what the others have done.
    pub(crate) async fn learn(&self) {
        let (session, _) = self.visitor();
        self.cluster.confirm(&session).await.unwrap();
        session.terminate();
    }

    /// Stops the server at once, as a killed process does. The store knows nothing of it.
    pub(crate) async fn kill(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Shuts the server down, and waits for it.
    pub(crate) async fn shut_down(self) -> ShutdownReport {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

/// Joins without a server.
pub(crate) async fn join(
    directory: &InProcessDirectory,
    address: SocketAddr,
) -> (SessionManager, Cluster) {
    let sessions = SessionManager::builder().build().unwrap();
    let cluster = Cluster::builder(sessions.clone(), directory.clone())
        .address(address)
        .secret([7; 32])
        .patience(Duration::from_millis(500))
        .join()
        .await
        .unwrap();
    (sessions, cluster)
}

/// Displaces the node at this address: another one claims it.
pub(crate) async fn bury(directory: &InProcessDirectory, address: SocketAddr) {
    drop(join(directory, address).await);
}

/// Two nodes that know each other.
pub(crate) async fn pair() -> (InProcessDirectory, Node, Node) {
    let directory = InProcessDirectory::new();
    let first = Node::start(&directory, "A").await;
    let second = Node::start(&directory, "B").await;
    first.learn().await;
    (directory, first, second)
}

/// Tells when it is dropped.
struct Drops(Arc<Notify>);

impl Drop for Drops {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn app(stage: Stage) -> Router {
    Router::new()
        .route("/new", get(new))
        .route("/", any(look))
        .route("/head", any(head))
        .route("/echo", any(echo))
        .route("/collect", any(async |body: Bytes| body))
        .route("/wait", any(wait))
        .route(
            "/misdirected",
            any((http::StatusCode::MISDIRECTED_REQUEST, "own")),
        )
        .route("/many", get(many))
        .route("/events", get(events))
        .route("/flood", get(flood))
        .route("/upgrade", any(crate::c17_tunnels::upgrade))
        .route("/ws", any(crate::c17_tunnels::socket))
        .nest("/nested", Router::new().route("/head", any(head)))
        .with_state(stage)
}

async fn new(State(stage): State<Stage>, _: Session) -> &'static str {
    stage.name
}

/// The node's name, and whether the request has a session there.
async fn look(State(stage): State<Stage>, session: Option<Session>) -> String {
    stage.requests.fetch_add(1, Ordering::Relaxed);
    let found = if session.is_some() {
        "session"
    } else {
        "stranger"
    };
    format!("{found} at {}", stage.name)
}

/// The request's head as the application sees it.
async fn head(State(stage): State<Stage>, request: Request) -> Response {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = address.map_or_else(|| "-".into(), |address| address.0.to_string());
    let mut lines = vec![format!("{} {} {address}", request.method(), request.uri())];
    for (name, value) in request.headers() {
        lines.push(format!("{name}: {}", value.to_str().unwrap()));
    }
    lines[1..].sort();
    ([("x-node", stage.name)], lines.join("\n")).into_response()
}

/// Sends the request's body back as it comes, with its trailers, which are announced if they were.
async fn echo(State(stage): State<Stage>, request: Request) -> Response {
    stage.requests.fetch_add(1, Ordering::Relaxed);
    let (head, body) = request.into_parts();
    let mut response = Response::new(body);
    if let Some(announced) = head.headers.get("trailer") {
        response.headers_mut().insert("trailer", announced.clone());
    }
    response
}

async fn wait(State(stage): State<Stage>) -> &'static str {
    stage.requests.fetch_add(1, Ordering::Relaxed);
    let _drops = Drops(stage.dropped.clone());
    stage.arrived.notify_one();
    stage.go_on.notified().await;
    stage.name
}

/// More headers than a client of HTTP/1.1 takes by default.
async fn many() -> http::HeaderMap {
    let headers =
        (0..150).map(|number| (format!("x-{number}").parse().unwrap(), "x".parse().unwrap()));
    headers.collect()
}

/// One event, and more when the test lets it go on.
async fn events(State(stage): State<Stage>, _: Session) -> Response {
    let drops = Drops(stage.dropped.clone());
    let first = stream::iter([Bytes::from("data: first\n\n")]);
    let later = stream::unfold((stage, drops), |(stage, drops)| async {
        stage.go_on.notified().await;
        Some((Bytes::from("data: more\n\n"), (stage, drops)))
    });
    let events = first.chain(later).map(Ok::<_, std::convert::Infallible>);
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}

/// Data without end, whose pieces are counted.
async fn flood(State(stage): State<Stage>, _: Session) -> Body {
    let data = Bytes::from(vec![b'x'; 64 << 10]);
    Body::from_stream(stream::repeat(data).map(move |data| {
        stage.requests.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(data)
    }))
}
