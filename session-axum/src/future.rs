//! The way of a request through the service, up to its response's head.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Response};
use pin_project_lite::pin_project;
use session_core::RequestGuard;

use crate::SessionBody;
use crate::body::Guards;
use crate::visit::Visit;

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService).
    ///
    /// Dropping it before it is done ends the request: a session that was created for it is terminated, since
    /// the client never learned its id.
    pub struct ResponseFuture<F> {
        // Declared before the departure: what the handler holds goes before the request leaves its session.
        #[pin]
        inner: F,
        departure: Departure,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, departure: Departure) -> Self {
        Self { inner, departure }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx));
        Poll::Ready(match response {
            Ok(mut response) => {
                let guards = this.departure.with_head(response.headers_mut());
                Ok(response.map(|body| SessionBody::new(body, guards)))
            }
            Err(error) => {
                this.departure.without_head();
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

/// Sees to it that a visit ends once: with the response's head, or without one.
pub(crate) struct Departure {
    visit: Option<Arc<Visit>>,
    /// Keeps the request inside the session that it arrived in.
    arrival: Option<RequestGuard>,
}

impl Departure {
    pub(crate) fn new(visit: Arc<Visit>, arrival: Option<RequestGuard>) -> Self {
        Self {
            visit: Some(visit),
            arrival,
        }
    }

    fn with_head(&mut self, head: &mut HeaderMap) -> Guards {
        let visit = self.visit.take();
        let created = visit.map_or_else(Vec::new, |visit| visit.end_with_head(head));
        Guards::new(self.arrival.take(), created)
    }

    fn without_head(&mut self) {
        if let Some(visit) = self.visit.take() {
            visit.end_without_head();
        }
        self.arrival = None;
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.without_head();
    }
}
