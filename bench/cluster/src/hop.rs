use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use rustix::time::{ClockId, clock_gettime};
use session_axum::{Session, SessionLayer};
use session_cluster::{Cluster, ClusterLayer, InProcessDirectory};
use session_core::SessionManager;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower_layer::Identity;
use tower_service::Service as _;

const ANSWER: &str = "hello";
/// Rounds in which the cases take turns.
const ROUNDS: usize = 20;
/// Requests in a round, over HTTP and without.
const REQUESTS: usize = 300;
const CALLS: usize = 10_000;

/// The cost of requests, as medians of rounds.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Nanoseconds of processor time that a layer which does nothing adds to a router.
    pub(crate) any_layer: f64,
    /// Nanoseconds that the cluster's layer adds beyond that, to a request whose session is on the node.
    pub(crate) local: f64,
    /// Microseconds of processor time of client and servers together, for a request to the node that has its session.
    pub(crate) direct: f64,
    /// As `direct`, for a request to the other node.
    pub(crate) forwarded: f64,
}

struct Node {
    address: SocketAddr,
    sessions: SessionManager,
    /// The application without another layer, with one that does nothing, and with the cluster's.
    apps: [Router; 3],
}

/// Measures on a runtime with one thread.
pub(crate) async fn measure() -> Requests {
    let directory = InProcessDirectory::new();
    let mut owner = Node::start(&directory).await;
    // It knows the first, since it has joined later.
    let other = Node::start(&directory).await;
    let session = owner.sessions.create().expect("there is room");
    let cookie = format!("id={}", session.id().encode());

    let (mut any_layer, mut local) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut times = [0.0; 3];
        for (app, time) in owner.apps.iter_mut().zip(&mut times) {
            *time = processor_time_of_calls(app, &cookie).await;
        }
        any_layer.push(times[1] - times[0]);
        local.push(times[2] - times[1]);
    }

    let mut client = [owner.address, other.address].map(|address| (address, Vec::new()));
    for round in 0..=ROUNDS {
        for (address, costs) in &mut client {
            let cost = processor_time_of_requests(*address, &cookie).await;
            // In the first one connections are made.
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    let [direct, forwarded] = client.map(|(_, costs)| median(costs));
    Requests {
        any_layer: median(any_layer),
        local: median(local),
        direct,
        forwarded,
    }
}

impl Node {
    async fn start(directory: &InProcessDirectory) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("it has an address");
        let sessions = SessionManager::builder()
            .build()
            .expect("a runtime is entered");
        let joining = Cluster::builder(sessions.clone(), directory.clone())
            .address(address)
            .secret([7; 32])
            .join();
        let cluster = joining.await.expect("the directory answers");
        let layer = SessionLayer::new(sessions.clone());
        let app = Router::new()
            .route("/", get(async |_: Session| ANSWER))
            .layer(layer.clone());
        let layered = app.clone().layer(Identity::new());
        let clustered = app.clone().layer(ClusterLayer::new(&cluster, &layer));
        tokio::spawn(axum::serve(listener, clustered.clone()).into_future());
        Self {
            address,
            sessions,
            // As `axum::serve` prepares them.
            apps: [app, layered, clustered].map(|app| app.with_state(())),
        }
    }
}

/// Returns nanoseconds for each call.
async fn processor_time_of_calls(app: &mut Router, cookie: &str) -> f64 {
    let before = processor_time();
    for _ in 0..CALLS {
        let request = Request::get("/").header("cookie", cookie);
        let request = request.body(Body::empty()).expect("it is a request");
        let response = app.call(request).await.expect("it answers");
        assert!(response.status().is_success());
    }
    (processor_time() - before) / CALLS as f64
}

/// Returns microseconds for each request.
async fn processor_time_of_requests(address: SocketAddr, cookie: &str) -> f64 {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
    let mut buffer = [0; 4096];
    let before = processor_time();
    for _ in 0..REQUESTS {
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut length = 0;
        while !buffer[..length].ends_with(ANSWER.as_bytes()) {
            let read = stream.read(&mut buffer[length..]).await;
            let read = read.expect("it answers");
            assert!(read > 0, "it answers to the end");
            length += read;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"));
    }
    (processor_time() - before) / 1e3 / REQUESTS as f64
}

/// Nanoseconds of processor time of this thread.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
