//! The bodies of messages on the hop. None is buffered.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Life;
use crate::metrics::Counter;

/// The body of a request on the hop.
pub(crate) type HopBody = UnsyncBoxBody<Bytes, BoxError>;

/// Lends a client's body to the hop. If it is dropped before it was read, it comes back through the receiver. It is read
/// only once `gate` is cancelled, if there is one.
pub(super) fn lend<B>(body: B, gate: Option<CancellationToken>) -> (HopBody, oneshot::Receiver<B>)
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (back, returned) = oneshot::channel();
    let gate = gate.map(|gate| Box::pin(gate.cancelled_owned()));
    let lent = Lent {
        state: State::Whole { body, gate, back },
    };
    (UnsyncBoxBody::new(lent), returned)
}

struct Lent<B> {
    state: State<B>,
}

enum State<B> {
    Whole {
        body: B,
        gate: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
        back: oneshot::Sender<B>,
    },
    Read(Pin<Box<B>>),
    Gone,
}

// The client's body is pinned only once it has its own box.
impl<B> Unpin for Lent<B> {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for Lent<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let State::Whole {
            gate: Some(gate), ..
        } = &mut self.state
        {
            ready!(gate.as_mut().poll(cx));
        }
        self.state = match mem::replace(&mut self.state, State::Gone) {
            State::Whole { body, .. } => State::Read(Box::pin(body)),
            other => other,
        };
        match &mut self.state {
            State::Read(body) => {
                let frame = ready!(body.as_mut().poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Whole { body, .. } => body.is_end_stream(),
            State::Read(body) => body.is_end_stream(),
            State::Gone => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Whole { body, .. } => body.size_hint(),
            State::Read(body) => body.size_hint(),
            State::Gone => SizeHint::with_exact(0),
        }
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        if let State::Whole { body, back, .. } = mem::replace(&mut self.state, State::Gone) {
            // Without a receiver the body is just dropped.
            let _ = back.send(body);
        }
    }
}

/// The body of an owner's response. It fails once the owner has a verdict.
pub(crate) struct ForwardedBody {
    /// `None` once it has ended or failed.
    body: Option<Incoming>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
    cut: Arc<Counter>,
}

impl ForwardedBody {
    pub(super) fn new(body: Incoming, life: Life) -> Self {
        Self {
            body: Some(body),
            gone: Box::pin(life.gone.cancelled_owned()),
            cut: life.cut,
        }
    }
}

impl Body for ForwardedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        if this.gone.as_mut().poll(cx).is_ready() {
            this.body = None;
            this.cut.add(1);
            return Poll::Ready(Some(Err("the session's node is gone".into())));
        }
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            this.body = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
