//! Where a session's id travels between client and server.

use std::ops::ControlFlow;

use http::HeaderMap;
use session_core::SessionId;

/// Where a session's id travels: how it is read from a request's head, put into a response's and taken back.
///
/// [`CookieTransport`](crate::CookieTransport) is the one for browsers. Implement the trait for another place, such
/// as a custom header for clients that are programs:
///
/// ```
/// use std::ops::ControlFlow;
///
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use session_axum::SessionTransport;
/// use session_core::SessionId;
///
/// const SESSION: HeaderName = HeaderName::from_static("x-session");
///
/// struct HeaderTransport;
///
/// impl SessionTransport for HeaderTransport {
///     fn read(
///         &self,
///         request: &HeaderMap,
///         offer: &mut dyn FnMut(SessionId) -> ControlFlow<()>,
///     ) -> ControlFlow<()> {
///         let mut ids = request.get_all(SESSION).iter().filter_map(|id| SessionId::decode(id.as_bytes()));
///         ids.try_for_each(offer)
///     }
///
///     fn write(&self, response: &mut HeaderMap, id: SessionId) {
///         let mut id = HeaderValue::try_from(id.encode()).expect("base64url is a header value");
///         id.set_sensitive(true); // no log of the head shows it
///         response.insert(SESSION, id);
///     }
///
///     fn remove(&self, response: &mut HeaderMap) {
///         response.insert(SESSION, HeaderValue::from_static(""));
///     }
/// }
/// ```
///
/// The layer sets `Cache-Control: no-store` on every response that `write` or `remove` was called for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say where a session's id travels",
    note = "use a `CookieTransport`, or implement `SessionTransport`"
)]
pub trait SessionTransport: Send + Sync + 'static {
    /// Offers the ids that the request carries, in their order, until `offer` breaks. The first id of a live
    /// session counts; `offer` accepts the first eight ids.
    ///
    /// Anything that is not a well-formed id is skipped silently: the client is a stranger, not at fault. To chain two
    /// transports, write `self.first.read(request, offer)?; self.second.read(request, offer)`.
    fn read(
        &self,
        request: &HeaderMap,
        offer: &mut dyn FnMut(SessionId) -> ControlFlow<()>,
    ) -> ControlFlow<()>;

    /// Writes the id into the response's head, so that the client presents it from now on.
    fn write(&self, response: &mut HeaderMap, id: SessionId);

    /// Tells the client in the response's head to forget its id.
    fn remove(&self, response: &mut HeaderMap);
}
