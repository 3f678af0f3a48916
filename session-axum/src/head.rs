//! A request's head, by reference.

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};

/// The head of a request, by reference: what a [`SessionTransport`](crate::SessionTransport) may read.
///
/// ```
/// use http::Request;
/// use session_axum::RequestHead;
///
/// let request = Request::get("/file?page=2").body(()).unwrap();
/// let head = RequestHead::from(&request);
/// assert_eq!(head.uri.query(), Some("page=2"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'r> {
    /// The method.
    pub method: &'r Method,
    /// The target, as the layer sees it: inside a nested `Router`, without the prefix.
    pub uri: &'r Uri,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The values that the layers further out have added.
    pub extensions: &'r Extensions,
}

impl<'r, B> From<&'r Request<B>> for RequestHead<'r> {
    #[inline]
    fn from(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for RequestHead<'r> {
    fn from(request: &'r Parts) -> Self {
        Self {
            method: &request.method,
            uri: &request.uri,
            headers: &request.headers,
            extensions: &request.extensions,
        }
    }
}
