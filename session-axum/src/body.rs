//! The response's body: the request is inside its session until the body has ended.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use session_core::RequestGuard;

pin_project! {
    /// The body of a response that went through a [`SessionService`](crate::SessionService).
    ///
    /// The request stays inside its session until the body ends or fails or is dropped, as it is when the
    /// client hangs up.
    #[derive(Default)]
    pub struct SessionBody<B> {
        // Declared before the guards: what a stream holds goes before the request leaves its session.
        #[pin]
        inner: B,
        guards: Guards,
    }
}

impl<B> SessionBody<B> {
    pub(crate) fn new(inner: B, guards: Guards) -> Self {
        Self { inner, guards }
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            *this.guards = Guards::default();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: fmt::Debug> fmt::Debug for SessionBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionBody").field(&self.inner).finish()
    }
}

/// What keeps a request inside its sessions: the one it arrived in, and those that it created (mostly none).
#[derive(Default)]
pub(crate) struct Guards {
    _arrival: Option<RequestGuard>,
    _created: Vec<RequestGuard>,
}

impl Guards {
    pub(crate) fn new(arrival: Option<RequestGuard>, created: Vec<RequestGuard>) -> Self {
        Self {
            _arrival: arrival,
            _created: created,
        }
    }
}
