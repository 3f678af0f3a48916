//! Requests under way, for which a shutdown waits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::body::is_event_stream;

pin_project! {
    /// A response's body, whose request is under way until it has ended.
    pub(crate) struct CountedBody<B> {
        #[pin]
        body: B,
        under_way: Option<TaskTrackerToken>,
    }
}

impl<B> CountedBody<B> {
    /// Counts the response's body. An event stream or an upgraded connection is not counted: it has no end to wait for.
    pub(super) fn of(
        response: Response<B>,
        under_way: TaskTrackerToken,
        connects: bool,
    ) -> Response<Self> {
        let upgrades = response.status() == StatusCode::SWITCHING_PROTOCOLS
            || connects && response.status().is_success();
        let endless = upgrades || is_event_stream(response.headers());
        response.map(|body| Self {
            body,
            under_way: (!endless).then_some(under_way),
        })
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            *this.under_way = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
