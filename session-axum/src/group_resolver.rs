//! The group that a new session belongs to.

use http::request::Parts;
use session_core::GroupId;

/// Finds in a request's head the group in which a session for it is created: a tenant by its host name,
/// a browser by a cookie of its own.
///
/// It is asked when a request without a live session arrives at the layer, since some frameworks have no head later. If
/// it finds no group then, or if the request had a session and has ended it, it is asked again by the extractor
/// that creates a session ([`LazySession`](crate::LazySession) asks beforehand) and so sees what layers further in have
/// added; [`from_extensions`](crate::Session::from_extensions) can't ask it. An existing session stays where it is.
///
/// A group that is known only later, such as the user's, is for [`LazySession::log_in`](crate::LazySession::log_in).
///
/// Every `Fn(&Parts) -> Option<GroupId>` implements it.
///
/// ```
/// use http::{header::HOST, request::Parts};
/// use session_axum::SessionLayer;
/// use session_core::{GroupId, SessionManager};
///
/// fn tenant(request: &Parts) -> Option<GroupId> {
///     Some(GroupId::from(request.headers.get(HOST)?.to_str().ok()?))
/// }
///
/// fn layer(sessions: SessionManager) -> SessionLayer {
///     SessionLayer::new(sessions).with_group_resolver(tenant)
/// }
/// ```
pub trait GroupResolver: Send + Sync + 'static {
    /// The group, or `None` for a session without a named one.
    fn group(&self, request: &Parts) -> Option<GroupId>;
}

impl<F> GroupResolver for F
where
    F: Fn(&Parts) -> Option<GroupId> + Send + Sync + 'static,
{
    fn group(&self, request: &Parts) -> Option<GroupId> {
        self(request)
    }
}
