//! The path of a request through the service, up to its response's head.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};
use pin_project_lite::pin_project;

use crate::body::{Guards, SessionBody, is_event_stream};
use crate::visit::Visit;

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService).
    ///
    /// Dropping it before it completes ends the request: a session that was created for it is terminated, since
    /// the client never learned its id.
    pub struct ResponseFuture<F> {
        // Declared before the visit, so that the handler's values are dropped before the request leaves its session.
        #[pin]
        inner: F,
        visit: VisitGuard,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, visit: VisitGuard) -> Self {
        Self { inner, visit }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Send + 'static,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx));
        Poll::Ready(match response {
            Ok(mut response) => {
                let guards = this.visit.end_with_head(response.headers_mut());
                if is_event_stream(response.headers()) {
                    // The stream may end before that length.
                    response.headers_mut().remove(CONTENT_LENGTH);
                    Ok(response.map(|body| SessionBody::until_completed(body, guards)))
                } else {
                    Ok(response.map(|body| SessionBody::new(body, guards)))
                }
            }
            Err(error) => {
                this.visit.end_without_head();
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// Ends a visit once: with the response's head, or without one.
pub(crate) struct VisitGuard(Option<Arc<Visit>>);

impl VisitGuard {
    pub(crate) fn new(visit: Arc<Visit>) -> Self {
        Self(Some(visit))
    }

    fn end_with_head(&mut self, head: &mut HeaderMap) -> Guards {
        let visit = self.0.take();
        visit.map_or_else(Guards::default, |visit| visit.end_with_head(head))
    }

    fn end_without_head(&mut self) {
        if let Some(visit) = self.0.take() {
            visit.end_without_head();
        }
    }
}

impl Drop for VisitGuard {
    fn drop(&mut self) {
        self.end_without_head();
    }
}
