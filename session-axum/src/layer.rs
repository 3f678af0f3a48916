//! The layer.

use std::sync::Arc;

use session_core::SessionManager;
use tower_layer::Layer;

use crate::cookie::CookieTransport;
use crate::group_resolver::GroupResolver;
#[cfg(feature = "ws")]
use crate::page_origin::PageOrigin;
use crate::service::SessionService;
use crate::shared::Shared;
use crate::transport::{NoTransport, SessionTransport};

/// Adds sessions to an HTTP service. A request that presents the id of a live session is inside that session
/// from its arrival until the response's body has ended.
///
/// A client without a session, or with an unknown id, costs no memory and gets no cookie until a
/// handler asks for a [`Session`](crate::Session). The id travels in a cookie named `id` unless
/// [`with_transport`](Self::with_transport) says otherwise.
///
/// It fits any service of `http::Request` and `http::Response` whose bodies are `'static`, and `Send` for responses.
///
/// An event stream (a response of type `text/event-stream`) ends with its session: when the session completes, the body
/// and all it holds are dropped, even if the client has stopped reading. The same happens to the event streams of other
/// requests when one [logs in](crate::Session::log_in) or [changes the session's id](crate::Session::cycle_id).
///
/// A client that hangs up in the middle of its request's body never learns its id, so a session that was created for it
/// is ended. The layer notices this only if the request's body is axum's, as it is inside a `Router`. For services with
/// other bodies, take the body before the session.
///
/// If two of these layers wrap one route, its extractors return the session of the inner one; the outer one still
/// keeps its own session from being idle. Configure different cookie names for them.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{CookieTransport, Session, SessionLayer};
/// use session_core::SessionManager;
///
/// async fn greet(session: Session) -> &'static str {
///     if session.is_new() { "welcome" } else { "welcome back" }
/// }
///
/// fn app(sessions: SessionManager) -> Router {
///     let transport = CookieTransport::new("id").with_secure(false); // plain HTTP, while developing
///     Router::new()
///         .route("/", get(greet))
///         .layer(SessionLayer::new(sessions).with_transport(transport))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct SessionLayer {
    shared: Arc<Shared>,
}

impl SessionLayer {
    /// Creates a layer for the sessions of this manager.
    pub fn new(sessions: SessionManager) -> Self {
        Self::of(sessions, Arc::new(CookieTransport::new("id")), false)
    }

    /// Creates a layer for sessions that another framework names: a layer further out puts a
    /// [`KeyedRequest`](crate::KeyedRequest) into each request's extensions.
    ///
    /// It reads no id from a request, and writes none into a response. A request without a `KeyedRequest` is a
    /// stranger's. (`session-cluster` finds the node of a session by its id, so it has no use for such a layer.)
    pub fn keyed(sessions: SessionManager) -> Self {
        Self::of(sessions, Arc::new(NoTransport), true)
    }

    fn of(sessions: SessionManager, transport: Arc<dyn SessionTransport>, keyed: bool) -> Self {
        Self {
            shared: Arc::new(Shared {
                sessions,
                transport,
                keyed,
                groups: None,
                #[cfg(feature = "ws")]
                allowed_origins: Vec::new(),
            }),
        }
    }

    /// Returns the manager of its sessions.
    pub fn sessions(&self) -> &SessionManager {
        &self.shared.sessions
    }

    /// Returns the transport of its sessions' ids, so that a layer outside finds the ids that a request presents.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use http::Request;
    /// use session_axum::{RequestHead, SessionLayer};
    /// use session_core::SessionId;
    ///
    /// fn presented<B>(layer: &SessionLayer, request: &Request<B>) -> Vec<SessionId> {
    ///     let mut ids = Vec::new();
    ///     let _ = layer.transport().read(RequestHead::from(request), &mut |id, _| {
    ///         ids.push(id);
    ///         ControlFlow::Continue(())
    ///     });
    ///     ids
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let layer = SessionLayer::new(session_core::SessionManager::builder().build()?);
    /// # let id = layer.sessions().create()?.id();
    /// # let request = Request::get("/").header("cookie", format!("id={}", id.encode())).body(())?;
    /// # assert_eq!(presented(&layer, &request), [id]);
    /// # Ok(()) }
    /// ```
    pub fn transport(&self) -> &Arc<dyn SessionTransport> {
        &self.shared.transport
    }

    /// Sets where the session's id travels. Requests are not [keyed](Self::keyed) then.
    pub fn with_transport(mut self, transport: impl SessionTransport) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        shared.transport = Arc::new(transport);
        shared.keyed = false;
        self
    }

    /// Chooses the group of sessions that extractors create. Without it they have no named group.
    pub fn with_group_resolver(mut self, resolver: impl GroupResolver) -> Self {
        Arc::make_mut(&mut self.shared).groups = Some(Arc::new(resolver));
        self
    }

    /// Lets pages of these origins open WebSockets, besides those of the server itself: see
    /// [`SessionUpgrade`](crate::SessionUpgrade).
    ///
    /// An origin is written as browsers do, such as `https://app.example.com` or `http://localhost:5173`. Allow only
    /// sites that you trust as your own: their pages act with the visitor's session.
    ///
    /// # Panics
    ///
    /// If one is not an origin, for example because it has a path.
    #[cfg(feature = "ws")]
    pub fn allow_origins<'o>(mut self, origins: impl IntoIterator<Item = &'o str>) -> Self {
        let origins = origins.into_iter().map(|origin| {
            PageOrigin::parse(origin.as_bytes()).unwrap_or_else(|| {
                panic!("`{origin}` is not an origin such as `https://example.com`")
            })
        });
        Arc::make_mut(&mut self.shared)
            .allowed_origins
            .extend(origins);
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService::new(inner, Arc::clone(&self.shared))
    }
}
