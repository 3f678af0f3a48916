//! The response's body.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum_core::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use crate::forward::ForwardedBody;

pin_project! {
    /// The body of a response that went through a [`ClusterService`](crate::ClusterService): the application's, or that
    /// of another node.
    ///
    /// Another node's fails if that node dies.
    pub struct ClusterBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Local {
            #[pin]
            body: B,
        },
        Forwarded {
            body: ForwardedBody,
        },
        Own {
            body: Full<Bytes>,
        },
    }
}

impl<B> ClusterBody<B> {
    pub(super) fn local(body: B) -> Self {
        let inner = Inner::Local { body };
        Self { inner }
    }

    pub(super) fn forwarded(body: ForwardedBody) -> Self {
        let inner = Inner::Forwarded { body };
        Self { inner }
    }

    pub(super) fn own(body: Bytes) -> Self {
        let body = Full::new(body);
        let inner = Inner::Own { body };
        Self { inner }
    }
}

impl<B> Default for ClusterBody<B> {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for ClusterBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().inner.project() {
            InnerProjection::Local { body } => body.poll_frame(cx).map_err(Into::into),
            InnerProjection::Forwarded { body } => Pin::new(body).poll_frame(cx),
            InnerProjection::Own { body } => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Local { body } => body.is_end_stream(),
            Inner::Forwarded { body } => body.is_end_stream(),
            Inner::Own { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Local { body } => body.size_hint(),
            Inner::Forwarded { body } => body.size_hint(),
            Inner::Own { body } => body.size_hint(),
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for ClusterBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("ClusterBody");
        match &self.inner {
            Inner::Local { body } => tuple.field(body).finish(),
            Inner::Forwarded { .. } | Inner::Own { .. } => tuple.finish_non_exhaustive(),
        }
    }
}
