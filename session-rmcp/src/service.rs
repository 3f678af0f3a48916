//! rmcp's HTTP service, with what its session manager can't do: see the head of a request, and choose the status of an
//! answer.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use rmcp::ServerHandler;
use rmcp::model::ProtocolVersion;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use session_core::{GroupId, RequestGuard};

use crate::arrival::{Arrival, Refusal};
use crate::caller::Caller;
use crate::live::LiveSessions;

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// The HTTP service of an MCP server with live sessions: see [`LiveSessions::service`].
///
/// It is a tower service, for `Router::nest_service` of axum or for hyper. To rmcp's own
/// [`StreamableHttpService`] it adds:
///
/// | answer | reason |
/// |---|---|
/// | 404 | the session has ended, never was, or is another owner's, also for DELETE |
/// | 503 with `Retry-After` | no session could be created: the server or its owner has as many as it may, or it shuts down |
pub struct LiveService<S> {
    inner: StreamableHttpService<S, LiveSessions>,
    live: Arc<LiveSessions>,
}

impl LiveSessions {
    /// Returns the HTTP service of the MCP server, in the place of rmcp's [`StreamableHttpService::new`]; `factory` and
    /// `config` are the same.
    ///
    /// Do not cancel the token in `config` to shut down: rmcp then drops all streams at once. End the sessions with
    /// [`SessionManager::shutdown`](session_core::SessionManager::shutdown), or serve with `session_axum::serve`, which does.
    pub fn service<S: ServerHandler>(
        mut self,
        factory: impl Fn() -> Result<S, io::Error> + Send + Sync + 'static,
        config: StreamableHttpServerConfig,
    ) -> LiveService<S> {
        self.set_retry(config.sse_retry);
        let live = Arc::new(self);
        let inner = StreamableHttpService::new(factory, live.clone(), config);
        LiveService { inner, live }
    }
}

impl<S: ServerHandler> LiveService<S> {
    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: Body<Error: Display> + Send + 'static,
    {
        let (mut head, body) = request.into_parts();
        let owner = self.live.owner_of(&head);
        let Ok(_inside) = self.admit(&head, owner.as_ref()) else {
            return refusal(Refusal::Gone);
        };
        head.extensions
            .insert(Caller::new(self.live.clone(), owner.clone()));
        let request = Request::from_parts(head, body);
        let (answer, refused) = Arrival::of(owner).run(self.inner.handle(request)).await;
        match refused {
            Some(refused) if answer.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                refusal(refused)
            }
            _ => answer,
        }
    }

    /// Enters the session that the request names, if it names one, and is of a version that has sessions.
    fn admit(&self, head: &Parts, owner: Option<&GroupId>) -> Result<Option<RequestGuard>, Gone> {
        let version = head.headers.get("mcp-protocol-version");
        let has_sessions = version.is_none_or(|version| {
            version.as_bytes() < ProtocolVersion::NO_INITIALIZE.as_str().as_bytes()
        });
        match head.headers.get("mcp-session-id") {
            Some(id) if has_sessions => {
                let found = id.to_str().ok().and_then(|id| self.live.enter(id));
                let (guard, conversation) = found.ok_or(Gone)?;
                if conversation.owner.as_ref() != owner {
                    return Err(Gone);
                }
                Ok(Some(guard))
            }
            _ => Ok(None),
        }
    }
}

struct Gone;

fn refusal(refusal: Refusal) -> Answer {
    let (status, message) = match refusal {
        Refusal::Gone => (
            StatusCode::NOT_FOUND,
            "Not Found: the session has ended or never was".to_owned(),
        ),
        Refusal::NoRoom(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Service Unavailable: {error}"),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(message)).boxed());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

impl<S, B> tower_service::Service<Request<B>> for LiveService<S>
where
    S: ServerHandler,
    B: Body<Error: Display> + Send + 'static,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

impl<S> Clone for LiveService<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            live: self.live.clone(),
        }
    }
}

impl<S> fmt::Debug for LiveService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveService").field(&self.live).finish()
    }
}
