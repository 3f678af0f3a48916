//! Clients and servers on sockets of this machine.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::poll;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use session_core::{SessionManager, ShutdownReport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Http {
    One,
    Two,
}

impl Http {
    pub(crate) const BOTH: [Self; 2] = [Self::One, Self::Two];
}

/// A running `session_axum::serve`.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ShutdownReport>,
}

impl Server {
    pub(crate) async fn start(app: Router, sessions: &SessionManager) -> Self {
        Self::with(
            app,
            sessions,
            Duration::from_secs(5),
            Duration::from_secs(30),
        )
        .await
    }

    pub(crate) async fn with(
        app: Router,
        sessions: &SessionManager,
        grace: Duration,
        timeout: Duration,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = session_axum::serve(listener, app, sessions.clone())
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .grace(grace)
            .timeout(timeout);
        let task = tokio::spawn(server.into_future());
        Self {
            address,
            stop,
            task,
        }
    }

    /// Tells it to stop, and does not wait for it.
    pub(crate) fn signal(self) -> JoinHandle<ShutdownReport> {
        self.stop.send(()).unwrap();
        self.task
    }

    pub(crate) async fn stop(self) -> ShutdownReport {
        self.signal().await.unwrap()
    }
}

pub(crate) fn request(path: &str, cookies: &str) -> Request<Body> {
    let mut request = Request::get(format!("http://test{path}"))
        .body(Body::empty())
        .unwrap();
    if !cookies.is_empty() {
        let cookies = cookies.parse().unwrap();
        request.headers_mut().insert("cookie", cookies);
    }
    request
}

/// Lets the server read the bytes sent so far, which takes very little time.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits for the future while the paused time passes slowly: sockets are as fast as ever beside it. Returns the time that
/// has passed.
pub(crate) async fn in_slow_time<F: Future>(future: F) -> (F::Output, Duration) {
    let start = Instant::now();
    let mut future = pin!(future);
    let output = loop {
        if let Poll::Ready(output) = poll!(&mut future) {
            break output;
        }
        // As long as a task is ready, tokio does not advance time by itself, but looks at the sockets.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    };
    (output, start.elapsed())
}

/// Waits until a count stops growing, because the counted output has met a client that does not read.
pub(crate) async fn until_stalled(count: &AtomicUsize) {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = count.load(Ordering::Relaxed);
        if now > 0 && now == before {
            return;
        }
        before = now;
    }
}

/// Sends the request on its own connection.
pub(crate) async fn send(
    address: SocketAddr,
    http: Http,
    request: Request<Body>,
) -> Response<Incoming> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    match http {
        Http::One => {
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
        Http::Two => {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
    }
}
