//! The connections of a server.

use std::any::Any;
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;

use axum::Router;
use axum_core::BoxError;
use axum_core::body::Body;
use http::header::UPGRADE;
use http::{Extensions, Method, Request, Response};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::requests::CountedBody;
use super::sockets::Sockets;

/// Adds facts about the connection to a request.
pub(super) type OnRequest = Box<dyn Fn(&mut Extensions) + Send + Sync>;

pub(super) struct Connections {
    tasks: TaskTracker,
    /// The requests under way that the shutdown waits for.
    requests: TaskTracker,
    sockets: Sockets,
    closing: Option<GracefulShutdown>,
    cut: CancellationToken,
    _cut_on_drop: DropGuard,
}

impl Connections {
    pub(super) fn new() -> Self {
        let cut = CancellationToken::new();
        Self {
            tasks: TaskTracker::new(),
            requests: TaskTracker::new(),
            sockets: Sockets::new(),
            closing: Some(GracefulShutdown::new()),
            _cut_on_drop: cut.clone().drop_guard(),
            cut,
        }
    }

    /// Serves one more connection, on tasks of its own.
    pub(super) fn serve<Io, A, B>(&self, io: Io, app: A, on_request: Option<OnRequest>)
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        A: Service<Request<Body>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        A::Future: Send,
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let Some(closing) = &self.closing else { return };
        let watcher = closing.watcher();
        let (requests, sockets) = (self.requests.clone(), self.sockets.clone());
        let on_request = on_request.map(Arc::new);
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(on_request) = &on_request {
                on_request(request.extensions_mut());
            }
            // Over HTTP/2 a WebSocket is a `CONNECT` that is accepted.
            let connects = request.method() == Method::CONNECT;
            if connects || request.headers().contains_key(UPGRADE) {
                request.extensions_mut().insert(sockets.clone());
            }
            answer(
                app.clone(),
                request.map(Body::new),
                requests.clone(),
                connects,
            )
        });
        let executor = Cut {
            cut: self.cut.clone(),
            tasks: self.tasks.clone(),
        };
        let connection = async move {
            let mut builder = Builder::new(executor.clone());
            // For WebSockets over HTTP/2.
            builder.http2().enable_connect_protocol();
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(io), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::trace!(error = &*error, "a connection failed");
            }
        };
        let cut = self.cut.clone();
        self.tasks
            .spawn(async move { cut.run_until_cancelled(connection).await });
    }

    /// Resolves when no request is under way, apart from those without an end of their own.
    pub(super) async fn requests_ended(&self) {
        self.requests.close();
        self.requests.wait().await;
    }

    /// Closes each connection once it has no request, and resolves when none is left.
    pub(super) async fn close_idle(&mut self) {
        if let Some(closing) = self.closing.take() {
            closing.shutdown().await;
        }
    }

    /// Returns a token that, once cancelled, cuts all connections and the tasks that run for them.
    pub(super) fn cutter(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// The WebSockets of sessions.
    pub(super) fn sockets(&self) -> Sockets {
        self.sockets.clone()
    }

    /// The tasks of all connections.
    pub(super) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }
}

/// Fixes the state of a `Router`, which otherwise rebuilds its layers at each request.
pub(super) fn prepared<A: 'static>(mut app: A) -> A {
    if let Some(router) = (&mut app as &mut dyn Any).downcast_mut::<Router>() {
        *router = mem::take(router).with_state(());
    }
    app
}

async fn answer<A, B>(
    mut app: A,
    request: Request<Body>,
    requests: TaskTracker,
    connects: bool,
) -> Result<Response<CountedBody<B>>, Infallible>
where
    A: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let under_way = requests.token();
    poll_fn(|cx| app.poll_ready(cx)).await?;
    let response = app.call(request).await?;
    Ok(CountedBody::of(response, under_way, connects))
}

/// Spawns tasks that are counted, and dropped when the server cuts its connections.
#[derive(Clone)]
struct Cut {
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Cut {
    fn execute(&self, task: F) {
        let cut = self.cut.clone();
        self.tasks
            .spawn(async move { cut.run_until_cancelled(task).await });
    }
}
