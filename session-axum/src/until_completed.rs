//! Bodies that end with their session, with an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use axum_core::BoxError;
use axum_core::body::Body;
use futures_util::stream;
use http_body::Frame;
use session_core::{SessionEnded, UntilCompleted};

/// See [`Session::until_completed`](crate::Session::until_completed).
struct UntilCompletedBody<B> {
    /// `None` once it has ended or failed.
    body: Option<UntilCompleted<B>>,
    /// The layer leaves the body alone as long as this exists.
    _bound: Arc<()>,
}

/// `bound` makes the layer leave the body alone.
pub(crate) fn until_completed<B>(body: UntilCompleted<B>, bound: Arc<()>) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Body::new(UntilCompletedBody {
        body: Some(body),
        _bound: bound,
    })
}

/// The body of a session that has ended.
pub(crate) fn ended() -> Body {
    Body::from_stream(stream::iter([Err::<Bytes, _>(SessionEnded)]))
}

impl<B: http_body::Body<Error: Into<BoxError>>> http_body::Body for UntilCompletedBody<B> {
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let Some(open) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = match ready!(open.poll_with(cx, B::poll_frame)) {
            Ok(frame) => frame.map(|frame| frame.map_err(Into::into)),
            Err(ended) => Some(Err(ended.into())),
        };
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }
}
