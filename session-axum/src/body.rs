//! The response's body: the request is inside its session until the body has ended.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use session_core::{RequestGuard, UntilCompleted};

const EVENT_STREAM: &[u8] = b"text/event-stream";

pin_project! {
    /// The body of a response that went through a [`SessionService`](crate::SessionService).
    ///
    /// The request stays inside its session until the body ends or fails or is dropped, as it is when the
    /// client hangs up. An event stream ends with its session.
    pub struct SessionBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Whole {
            // Declared before the guards, so that a stream's contents are dropped before the request leaves its
            // session.
            #[pin]
            body: B,
            guards: Guards,
        },
        UntilCompleted {
            // `None` once it has ended.
            body: Option<UntilCompleted<B>>,
        },
    }
}

impl<B> SessionBody<B> {
    pub(crate) fn new(body: B, guards: Guards) -> Self {
        Self {
            inner: Inner::Whole { body, guards },
        }
    }
}

impl<B: Send + 'static> SessionBody<B> {
    /// A body that ends with the session. If the request is in no session any more, as after a log-out, the body goes
    /// on, since the request has already left.
    pub(crate) fn until_completed(body: B, guards: Guards) -> Self {
        match guards.current {
            None => Self::new(body, Guards::default()),
            Some(guard) => Self {
                inner: Inner::UntilCompleted {
                    body: Some(guard.until_completed(body)),
                },
            },
        }
    }
}

impl<B: Default> Default for SessionBody<B> {
    fn default() -> Self {
        Self::new(B::default(), Guards::default())
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().inner.project() {
            InnerProjection::Whole { body, guards } => {
                let frame = ready!(body.poll_frame(cx));
                if !matches!(frame, Some(Ok(_))) {
                    *guards = Guards::default();
                }
                Poll::Ready(frame)
            }
            InnerProjection::UntilCompleted { body } => {
                let Some(open) = body else {
                    return Poll::Ready(None);
                };
                let frame = ready!(open.poll_with(cx, B::poll_frame)).ok().flatten();
                if !matches!(frame, Some(Ok(_))) {
                    *body = None;
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole { body, .. } => body.is_end_stream(),
            Inner::UntilCompleted { body } => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole { body, .. } => body.size_hint(),
            // It may end at any time.
            Inner::UntilCompleted { .. } => SizeHint::default(),
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for SessionBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: &dyn fmt::Debug = match &self.inner {
            Inner::Whole { body, .. } => body,
            Inner::UntilCompleted { body } => body,
        };
        f.debug_tuple("SessionBody").field(body).finish()
    }
}

/// Whether the response with this head is an event stream
/// ([HTML Standard, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
pub(crate) fn is_event_stream(head: &HeaderMap) -> bool {
    head.get(CONTENT_TYPE)
        .is_some_and(|kind| may_name_events(kind.as_bytes()) && names_events(kind.as_bytes()))
}

/// For most responses one byte rules it out.
#[inline]
fn may_name_events(kind: &[u8]) -> bool {
    let blank = kind.first().is_some_and(u8::is_ascii_whitespace);
    blank || matches!(kind.get(5), Some(b'e' | b'E'))
}

#[cold]
fn names_events(kind: &[u8]) -> bool {
    let kind = kind.trim_ascii_start().split_at_checked(EVENT_STREAM.len());
    kind.is_some_and(|(kind, rest)| {
        kind.eq_ignore_ascii_case(EVENT_STREAM)
            && matches!(rest.trim_ascii_start().first(), None | Some(b';'))
    })
}

/// Guards that keep a request inside its session, and inside those that it was in before (usually none).
#[derive(Default)]
pub(crate) struct Guards {
    current: Option<RequestGuard>,
    _left: Box<[RequestGuard]>,
}

impl Guards {
    pub(crate) fn new(current: Option<RequestGuard>, left: Vec<RequestGuard>) -> Self {
        Self {
            current,
            _left: left.into_boxed_slice(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_streams_are_known_by_their_content_type() {
        let is = |kind: &'static str| {
            is_event_stream(&HeaderMap::from_iter([(
                CONTENT_TYPE,
                kind.parse().unwrap(),
            )]))
        };
        for kind in [
            "text/event-stream",
            "Text/Event-Stream",
            "text/event-stream;charset=utf-8",
            "text/event-stream ; a=b",
            " text/event-stream",
        ] {
            assert!(is(kind), "{kind}");
        }
        for kind in [
            "",
            "text/event",
            "text/event-streams",
            "text/plain; text/event-stream",
        ] {
            assert!(!is(kind), "{kind}");
        }
        assert!(!is_event_stream(&HeaderMap::new()));
    }
}
