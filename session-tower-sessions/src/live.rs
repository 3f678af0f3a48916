//! The layer.

use std::sync::Arc;

use session_axum::SessionLayer;
use session_core::{GroupId, SessionManager};
use tower_layer::Layer;
use tower_sessions::service::{CookieController, PlaintextCookie};
use tower_sessions::{SessionManagerLayer, SessionStore};

use crate::groups::Groups;
use crate::inner::Inner;
use crate::outer::LiveService;
use crate::tie::Shared;
use crate::under_way::UnderWay;
use crate::watched::Watched;

/// Adds live sessions to an application that has tower-sessions: one layer on both sides of theirs.
///
/// Handlers take [`tower_sessions::Session`] as before, and the extractors of [`session_axum`] besides. Add it where
/// their layer was, and not beside it.
///
/// # The id of theirs is the key
///
/// - Only the id of a record that is in their store leads to a live session. The layer loads the record of a request that
///   brings a cookie, and their `Session` keeps it, so the handler's first access costs nothing more. A made-up id costs a
///   load, and creates nothing.
/// - One id has one live session, however many first requests race for it.
/// - A request without an id, or with one that their store does not know, gets a session when it asks for one. Once
///   their layer has saved, that has the new id as its key. If nothing was saved, it ends with the request, after the
///   response's body or the WebSocket. [`with_marker`](Self::with_marker) makes them save.
/// - If the response tells the client a new id, the live session moves to it, and is
///   [parted](session_axum::Session::cycle_id) from all other requests inside. The old id is
///   [superseded](session_axum::rejection::Superseded) for a while, whether or not it had a live session.
/// - If their session has no id and no data when the handler returns, as after their `flush()`, the live session ends at
///   once, whatever the response: WebSockets close with 1008 `terminated`, event streams end with their last event.
/// - If the handler has begun anew after a `flush()`, the live session ends with the response.
/// - If no response tells the client its new id, the live session ends.
/// - An id that their store no longer knows, because it has expired or was deleted, ends its live session when a request
///   brings it. Without such a request the idle timeout does.
///
/// # While their store does not answer
///
/// A request that brings a cookie waits for it for up to 5 seconds. Then, and after an error, extractors of live sessions
/// refuse it with 503 ([`Unavailable`](session_axum::rejection::Unavailable)), even as an `Option`. No session ends. Requests
/// that use neither session go on.
///
/// If they can't save, their layer answers with 500. A visitor's live session stays then, unless the request had given up
/// the old id; a new one ends.
///
/// # What can't be had
///
/// - *The end of their record.* Their `Session` does not show when it expires, so set the
///   [idle timeout](session_core::SessionManagerBuilder::idle_timeout) no longer than theirs. Theirs counts from the last
///   change of the record, ours from the last request, and an open stream or WebSocket keeps a live session until the
///   [absolute timeout](session_core::SessionManagerBuilder::absolute_timeout).
/// - *Changes behind the response.* If a spawned task cycles or flushes their session later, the live one ends when a
///   request brings the old id, or when it is idle.
/// - *A new beginning that the handler saves itself.* After `flush()` and `save()` in one request, their session has its
///   old id again, and the live session stays. Without the `save()` it ends.
/// - *A log-out that a slow writer does not undo.* A request that has loaded the record, and saves it after another one's
///   `flush()` or `cycle_id()`, brings the record back: that is so in tower-sessions. The live session does not come
///   back. A client that has the old id is refused with 409 for a while, and gets a new live session after that.
/// - *Several processes.* Live objects are in one process. The visitor's requests have to reach it.
///
/// Their layer has a jar of cookies, the `Cookies` that it puts into the extensions of requests. The response to a request
/// whose id is superseded goes past their layer unless the handler has changed their session: it would remove the cookie,
/// which may be the new one by then. Cookies that handlers have put into that jar are lost with it; add a
/// `CookieManagerLayer` for them.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::LazySession;
/// use session_core::SessionManager;
/// use session_tower_sessions::LiveSessions;
/// use std::time::Duration;
/// use tower_sessions::cookie::time;
/// use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};
///
/// fn app() -> Result<Router, Box<dyn std::error::Error>> {
///     let theirs = SessionManagerLayer::new(MemoryStore::default())
///         .with_expiry(Expiry::OnInactivity(time::Duration::minutes(30)));
///     let sessions = SessionManager::builder().idle_timeout(Duration::from_secs(30 * 60)).build()?;
///     Ok(Router::new()
///         .route("/", get(async |theirs: Session, visitor: LazySession| { /* .. */ }))
///         .layer(LiveSessions::around(sessions, theirs)))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct LiveSessions<Store: SessionStore, C: CookieController = PlaintextCookie> {
    theirs: SessionManagerLayer<Store, C>,
    ours: SessionLayer,
    under_way: Arc<UnderWay>,
    groups: Option<Groups>,
    marker: Option<Arc<str>>,
}

impl<Store: SessionStore, C: CookieController> LiveSessions<Store, C> {
    /// Returns a layer for the live sessions of this manager, around the layer of tower-sessions as it is set up.
    pub fn around(sessions: SessionManager, theirs: SessionManagerLayer<Store, C>) -> Self {
        Self {
            theirs,
            ours: SessionLayer::keyed(sessions),
            under_way: Arc::default(),
            groups: None,
            marker: None,
        }
    }

    /// Keeps the live session of a client that has no record yet: when a handler returns, and an extractor has created a
    /// live session for a stranger whose session of tower-sessions is empty, the layer inserts `true` under this name.
    /// So there is a record, and the client gets a cookie.
    ///
    /// Requests without a live session, such as those of crawlers, leave no record.
    ///
    /// Without it, the handler has to insert something itself, or a stranger's live objects are closed after the request.
    /// The layer logs that at the level `warn`.
    ///
    /// ```
    /// use session_core::SessionManager;
    /// use session_tower_sessions::LiveSessions;
    /// use tower_sessions::{MemoryStore, SessionManagerLayer};
    ///
    /// fn layer(sessions: SessionManager) -> LiveSessions<MemoryStore> {
    ///     let theirs = SessionManagerLayer::new(MemoryStore::default());
    ///     LiveSessions::around(sessions, theirs).with_marker("live")
    /// }
    /// ```
    pub fn with_marker(mut self, name: impl Into<Arc<str>>) -> Self {
        self.marker = Some(name.into());
        self
    }

    /// Sets how the group of a user who comes back is found: their session says who is logged in, and there is no live
    /// session, since it was idle or the server has started again. One that an extractor creates for the request begins
    /// in this group. Without it, or with `None`, it begins in the group of the layer's
    /// [group resolver](SessionLayer::with_group_resolver), if there is one.
    ///
    /// It is asked before the handler, for a request whose id the store knows and which has no live session. The record
    /// is loaded, so a look into it costs nothing. It should only read. If it fails, it returns `None`, and the session is
    /// created outside of the user's group.
    ///
    /// # Cancel safety
    ///
    /// Its future is dropped if the client hangs up.
    ///
    /// ```
    /// use session_core::{GroupId, SessionManager};
    /// use session_tower_sessions::LiveSessions;
    /// use tower_sessions::{MemoryStore, Session, SessionManagerLayer};
    ///
    /// async fn user(theirs: Session) -> Option<GroupId> {
    ///     let user: u64 = theirs.get("user").await.ok()??;
    ///     Some(GroupId::from(format!("user:{user}")))
    /// }
    ///
    /// fn layer(sessions: SessionManager) -> LiveSessions<MemoryStore> {
    ///     let theirs = SessionManagerLayer::new(MemoryStore::default());
    ///     LiveSessions::around(sessions, theirs).with_group(user)
    /// }
    /// ```
    pub fn with_group<F, Fut>(mut self, group: F) -> Self
    where
        F: Fn(tower_sessions::Session) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<GroupId>> + Send + 'static,
    {
        self.groups = Some(Groups::new(group));
        self
    }

    /// Changes the layer of the live sessions, which has settings of its own: the group resolver, and the origins that
    /// may open WebSockets. It must not set a [transport](SessionLayer::with_transport): the sessions would have ids of
    /// their own then, apart from tower-sessions.
    ///
    /// ```
    /// use axum::http::request::Parts;
    /// use session_core::{GroupId, SessionManager};
    /// use session_tower_sessions::LiveSessions;
    /// use tower_sessions::{MemoryStore, SessionManagerLayer};
    ///
    /// fn tenant(head: &Parts) -> Option<GroupId> {
    ///     let host = head.headers.get("host")?.to_str().ok()?;
    ///     ["a.example.com", "b.example.com"].contains(&host).then(|| GroupId::from(host))
    /// }
    ///
    /// fn layer(sessions: SessionManager) -> LiveSessions<MemoryStore> {
    ///     let theirs = SessionManagerLayer::new(MemoryStore::default());
    ///     LiveSessions::around(sessions, theirs).map(|layer| layer.with_group_resolver(tenant))
    /// }
    /// ```
    pub fn map(mut self, change: impl FnOnce(SessionLayer) -> SessionLayer) -> Self {
        self.ours = change(self.ours);
        self
    }
}

impl<S, Store: SessionStore, C: CookieController> Layer<S> for LiveSessions<Store, C> {
    type Service = LiveService<<SessionManagerLayer<Store, C> as Layer<Inner<S>>>::Service>;

    fn layer(&self, service: S) -> Self::Service {
        let inner = Inner {
            ours: self.ours.layer(Watched(service)),
            shared: Shared {
                sessions: self.ours.sessions().clone(),
                under_way: Arc::clone(&self.under_way),
                groups: self.groups.clone(),
                marker: self.marker.clone(),
            },
        };
        LiveService(self.theirs.layer(inner))
    }
}
