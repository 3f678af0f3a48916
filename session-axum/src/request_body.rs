//! The body of a request, which tells the visit if it breaks off.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use http_body::{Frame, SizeHint};

use crate::visit::Visit;

pub(crate) struct WatchedBody {
    inner: Body,
    visit: Arc<Visit>,
}

impl WatchedBody {
    pub(crate) fn new(inner: Body, visit: Arc<Visit>) -> Self {
        Self { inner, visit }
    }
}

impl http_body::Body for WatchedBody {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Err(error)) = &frame
            && is_of_the_connection(error)
        {
            self.visit.hung_up();
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

/// Whether the connection has failed. If a layer that limits or decodes the body fails, the client is still there.
fn is_of_the_connection(error: &(dyn Error + 'static)) -> bool {
    error.is::<hyper::Error>() || error.source().is_some_and(is_of_the_connection)
}
