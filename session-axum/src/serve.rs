//! A server that shuts down within a time limit, whatever its clients do.

mod connection;
mod requests;
pub(crate) mod sockets;

use std::convert::Infallible;
use std::fmt;
use std::future::{IntoFuture, Pending, pending};
use std::pin::{Pin, pin};
use std::time::Duration;

use axum::extract::connect_info::ConnectInfo;
use axum::serve::Listener;
use axum_core::BoxError;
use axum_core::body::Body;
use futures_util::future::join;
use http::{Request, Response};
use http_body::Body as HttpBody;
use session_core::{SessionManager, ShutdownReport};
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use self::connection::{Connections, OnRequest, prepared};
pub use self::sockets::Sockets;

/// The time before the timeout at which connections are cut, so that sessions can be cleaned up in it.
const CLEANUP_TIME: Duration = Duration::from_secs(1);
const LEAST_CLEANUP_TIME: Duration = Duration::from_millis(50);

/// The time in which WebSockets are closed after their sessions have ended.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// Serves an application with live sessions, like [`axum::serve()`], with a graceful shutdown that always ends.
///
/// The usual graceful shutdown waits for its clients. If one has sent half a request, or has stopped reading a stream,
/// it waits forever, and an orchestrator kills the process with its transactions open. This one takes these steps after
/// the signal.
///
/// 1. No connection is accepted and no session is created ([`SessionManager::drain`]).
/// 2. Requests under way go on for a [grace period](Serve::grace), event streams and upgraded connections excepted.
/// 3. All sessions complete and are cleaned up; event streams end with them, and connections without a request are
///    closed.
/// 4. Shortly before the [timeout](Serve::timeout), the remaining connections are cut, and their handlers with them.
/// 5. The WebSockets of sessions, which have ended in step 3, are closed within a second.
///
/// It returns by the timeout plus one second, with the report of the sessions. A request whose connection was cut is
/// not in it, unless the sessions' own drain timeout is shorter. A client that has sent half a request makes it take
/// that long, so set the timeout below the time after which the process would be killed. While it shuts down, Ctrl-C or
/// SIGTERM cuts at once. Dropping the future cuts as well.
///
/// `app` is an axum `Router` or any other service. HTTP/1.1 and HTTP/2 are supported. A [`Listener`] may be a TCP or
/// Unix socket, or one with TLS.
///
/// - It ends *all* sessions of the manager, also those that another server serves.
/// - An upgraded connection belongs to the application's task that took it, and is not cut. Over HTTP/2 it is a stream
///   of a connection, and ends with that. A WebSocket of a `SessionUpgrade` ends with its session, and one that a layer
///   has passed on through [`Sockets`] in step 3.
/// - Before the signal it sets no limits: the application's own layers must bound the time that a body takes.
/// - Afterwards Ctrl-C and SIGTERM no longer end the process by themselves.
///
/// # Panics
///
/// The future panics outside a tokio runtime, or in one without its timer and its I/O driver (`enable_all`).
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use session_axum::{Session, SessionLayer, serve, shutdown_signal};
/// use session_core::SessionManager;
/// use tokio::net::TcpListener;
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let sessions = SessionManager::builder().build()?;
///     let app = Router::new()
///         .route("/", get(|_: Session| async { "hello" }))
///         .layer(SessionLayer::new(sessions.clone()));
///     let listener = TcpListener::bind("127.0.0.1:3000").await?;
///     let report = serve(listener, app, sessions)
///         .with_graceful_shutdown(shutdown_signal())
///         .await;
///     for (subject, report) in report.problems() {
///         eprintln!("{subject}: {report:?}");
///     }
///     Ok(())
/// }
/// ```
pub fn serve<L: Listener, A>(
    listener: L,
    app: A,
    sessions: SessionManager,
) -> Serve<L, A, Pending<()>> {
    Serve {
        listener,
        app,
        sessions,
        signal: pending(),
        grace: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        on_connect: |_| None,
    }
}

/// A server that runs when awaited; see [`serve`].
#[must_use = "a server does nothing unless awaited"]
pub struct Serve<L: Listener, A, F> {
    listener: L,
    app: A,
    sessions: SessionManager,
    signal: F,
    grace: Duration,
    timeout: Duration,
    on_connect: fn(L::Addr) -> Option<OnRequest>,
}

impl<L: Listener, A, F> Serve<L, A, F> {
    /// Shuts down when `signal` resolves; without one it serves forever. [`shutdown_signal`] is the one for programs.
    pub fn with_graceful_shutdown<G>(self, signal: G) -> Serve<L, A, G>
    where
        G: Future<Output = ()> + Send + 'static,
    {
        Serve {
            listener: self.listener,
            app: self.app,
            sessions: self.sessions,
            signal,
            grace: self.grace,
            timeout: self.timeout,
            on_connect: self.on_connect,
        }
    }

    /// How long requests under way have before their sessions end, 5 seconds by default. If it is longer than the
    /// timeout, the timeout counts.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long the whole shutdown takes at most, the grace period included, 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets handlers read the client's address with axum's [`ConnectInfo`].
    pub fn with_connect_info(mut self) -> Self
    where
        L::Addr: Clone + Sync + 'static,
    {
        self.on_connect = |address| {
            Some(Box::new(move |request| {
                request.insert(ConnectInfo(address.clone()));
            }))
        };
        self
    }
}

/// A time that counts as never.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

impl<L, A, F, B> IntoFuture for Serve<L, A, F>
where
    L: Listener,
    A: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    A::Future: Send,
    F: Future<Output = ()> + Send + 'static,
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Output = ShutdownReport;
    type IntoFuture = Pin<Box<dyn Future<Output = ShutdownReport> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                mut listener,
                app,
                sessions,
                signal,
                grace,
                timeout,
                on_connect,
            } = self;
            let app = prepared(app);
            let connections = Connections::new();
            {
                let mut signal = pin!(signal);
                loop {
                    tokio::select! {
                        biased;
                        () = &mut signal => break,
                        (io, address) = listener.accept() => {
                            connections.serve(io, app.clone(), on_connect(address));
                        }
                    }
                }
            }
            drop(listener);
            shut_down(connections, sessions, grace, timeout).await
        })
    }
}

async fn shut_down(
    mut connections: Connections,
    sessions: SessionManager,
    grace: Duration,
    within: Duration,
) -> ShutdownReport {
    let start = Instant::now();
    let end = start.checked_add(within).unwrap_or(start + FAR);
    let cleanup_time = (within / 10).clamp(LEAST_CLEANUP_TIME, CLEANUP_TIME);
    let cut_at = end - cleanup_time.min(within);
    let grace_end = start
        .checked_add(grace)
        .map_or(cut_at, |end| end.min(cut_at));
    let (cut, tasks) = (connections.cutter(), connections.tasks());
    let sockets = connections.sockets();

    // 1. and 2.
    sessions.drain();
    let in_order = async {
        let _ = timeout_at(grace_end, connections.requests_ended()).await;
        if Instant::now() >= cut_at {
            return None;
        }
        sockets.end();
        // 4., beside 3.
        let connections_closed = async {
            let _ = timeout_at(cut_at, connections.close_idle()).await;
            cut.cancel();
        };
        let left = end.duration_since(Instant::now());
        let (report, ()) = join(sessions.shutdown(left), connections_closed).await;
        Some(report)
    };
    // It is kept until the end: a later shutdown then reports how many sessions this one has ended.
    let mut in_order = pin!(in_order);
    let (report, end, closing_time) = tokio::select! {
        biased;
        report = &mut in_order => (report, end, CLOSING_TIME),
        () = shutdown_signal() => (None, Instant::now(), Duration::ZERO),
    };
    // After a second signal, or if the grace period took all the time, connections are cut first, so that the report
    // does not name their requests.
    cut.cancel();
    sockets.end();
    let patience = match report {
        Some(_) => end.duration_since(Instant::now()),
        None => LEAST_CLEANUP_TIME,
    };
    // A handler that blocks its thread is left behind.
    tasks.close();
    let _ = timeout(patience, tasks.wait()).await;
    let report = match report {
        Some(report) => report,
        None => sessions.shutdown(end.duration_since(Instant::now())).await,
    };
    let closing_end = end.min(Instant::now()) + closing_time;
    let _ = timeout_at(closing_end, sockets.closed()).await;
    report
}

impl<L: Listener, A, F> fmt::Debug for Serve<L, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("grace", &self.grace)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Resolves at Ctrl-C or, on Unix, when the process is told to end (SIGTERM).
///
/// Once it has been polled, these signals no longer end the process by themselves.
pub async fn shutdown_signal() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Listening failed: only the other signal is left.
            pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => _ = signals.recv().await,
            Err(_) => pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
