//! An event stream for a session that is there already.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum_core::BoxError;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use session_core::{Pass, RequestGuard, Session, UntilCompleted, WeakSession};

use crate::rejection::SessionRejection;
use crate::visit::Visit;

/// The time after which a client whose id has just been replaced comes back.
const RETRY: Duration = Duration::from_secs(1);

/// Events for a page of a visitor with a session; it never creates one.
///
/// Any event stream ends with its session (see [`SessionLayer`](crate::SessionLayer)). This extractor also does what a
/// browser's `EventSource` needs, which comes back by itself:
///
/// - A stranger is answered with 204, which makes the browser stop. So after a log-out, or when the session has
///   expired, a page that is still open does not come back every three seconds for ever.
/// - A client whose id was replaced a moment ago, by a log-in in another tab say, is told to come back in a second. It
///   then presents the new id. (After an error such as 409 it would never come back.)
/// - The [last event](Self::last_event) tells the page that the session has ended.
///
/// Take it before other extractors, which would create a session for a stranger.
///
/// ```
/// use axum::response::sse::{Event, KeepAlive, Sse};
/// use axum::response::IntoResponse;
/// use futures_util::{Stream, StreamExt};
/// use session_axum::{Props, SessionEvents, SessionRejection};
/// use session_core::{Property, SessionProperties};
/// use std::convert::Infallible;
/// use tokio::sync::watch;
/// # use futures_util::stream;
///
/// #[derive(SessionProperties)]
/// struct Search {
///     /// How many hits the visitor's search has found so far.
///     #[property(init = || watch::Sender::new(0))]
///     hits: Property<watch::Sender<u64>>,
/// }
///
/// async fn progress(events: SessionEvents, search: Props<Search>) -> Result<impl IntoResponse, SessionRejection> {
///     let hits = search.hits()?.subscribe();
///     let hits = stream::unfold(hits, async |mut hits| {
///         hits.changed().await.ok()?;
///         let event = Event::default().data(hits.borrow_and_update().to_string());
///         Some((Ok::<_, Infallible>(event), hits))
///     });
///     let events = events.last_event(Event::default().event("over").data("please log in again"));
///     Ok(events.run(hits).keep_alive(KeepAlive::default()))
/// }
/// ```
///
/// # Rejections
///
/// 204 for a stranger; 200 with the event stream `retry: 1000` for a client with a replaced id; 500 if
/// [`SessionLayer`](crate::SessionLayer) is missing.
#[must_use = "dropping it leaves the session"]
pub struct SessionEvents {
    guard: RequestGuard,
    bound: Arc<()>,
    last: Option<LastEvent>,
}

/// Makes the last event.
type LastEvent = Box<dyn FnOnce() -> Event + Send>;

impl SessionEvents {
    /// Sets the event that the stream ends with when the session completes, if the client reads it. A stream that ends
    /// by itself, or because another request has logged in, has no such event.
    pub fn last_event(mut self, event: Event) -> Self {
        self.last = Some(Box::new(move || event));
        self
    }

    /// Sets the event that the stream ends with, as [`last_event`](Self::last_event) does, but makes it when the session
    /// has completed. So it can say why: the session's
    /// [`completion_cause`](session_core::LocalSession::completion_cause) and
    /// [`completion_reason`](session_core::LocalSession::completion_reason) are known then.
    ///
    /// It is called when the client has read the events before it, which may be much later, and never if the client is
    /// gone. The session's handle is held until then.
    ///
    /// ```
    /// use axum::response::IntoResponse;
    /// use axum::response::sse::Event;
    /// use futures_util::stream;
    /// use session_axum::{LocalSession, SessionEvents};
    /// use std::convert::Infallible;
    ///
    /// async fn news(events: SessionEvents) -> impl IntoResponse {
    ///     let events = events.last_event_with(|session| {
    ///         let reason = session.completion_reason();
    ///         Event::default().event("over").data(reason.as_deref().unwrap_or("please log in again"))
    ///     });
    ///     events.run(stream::pending::<Result<Event, Infallible>>())
    /// }
    /// ```
    pub fn last_event_with<F>(mut self, event: F) -> Self
    where
        F: FnOnce(&Session) -> Event + Send + 'static,
    {
        let session = self.guard.session().clone();
        self.last = Some(Box::new(move || event(&session)));
        self
    }

    /// Sends these events, as long as the session is active. While the stream is open the session is not idle.
    ///
    /// When the session completes, or another request logs in, `events` is dropped with everything it holds, even if
    /// the client has stopped reading.
    pub fn run<S, E>(self, events: S) -> Sse<SessionEventStream<S>>
    where
        S: Stream<Item = Result<Event, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Sse::new(SessionEventStream {
            session: self.guard.session().downgrade(),
            pass: self.guard.pass(),
            events: Some(self.guard.until_completed(events)),
            last: self.last,
            _bound: self.bound,
        })
    }
}

impl fmt::Debug for SessionEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionEvents").field(&self.guard).finish()
    }
}

impl<S: Sync> FromRequestParts<S> for SessionEvents {
    type Rejection = SessionEventsRejection;

    async fn from_request_parts(
        request: &mut Parts,
        _: &S,
    ) -> Result<Self, SessionEventsRejection> {
        let visit = Visit::of(request).map_err(|missing| Reason::Other(missing.into()))?;
        let entered = match visit.try_find() {
            Ok(None) => return Err(Reason::Stranger.into()),
            Ok(Some(found)) => visit.enter(&found.session),
            Err(rejection) => Err(rejection),
        };
        let bound = visit.bind_body();
        match entered {
            Ok(guard) => Ok(Self {
                guard,
                bound,
                last: None,
            }),
            Err(SessionRejection::Superseded(_)) => Err(Reason::Superseded(bound).into()),
            // The next time it comes it is a stranger.
            Err(SessionRejection::Ended(_)) => Err(Reason::Stranger.into()),
            Err(rejection) => Err(Reason::Other(rejection).into()),
        }
    }
}

/// The events of [`SessionEvents::run`].
pub struct SessionEventStream<S> {
    /// `None` once it has ended or failed.
    events: Option<UntilCompleted<S>>,
    last: Option<LastEvent>,
    session: WeakSession,
    pass: Pass,
    /// The layer leaves the body alone as long as this exists: it would drop the last event.
    _bound: Arc<()>,
}

impl<S, E> Stream for SessionEventStream<S>
where
    S: Stream<Item = Result<Event, E>>,
{
    type Item = Result<Event, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(open) = &mut self.events else {
            return Poll::Ready(None);
        };
        if let Ok(event) = ready!(open.poll_with(cx, S::poll_next)) {
            if event.is_none() {
                self.events = None;
            }
            return Poll::Ready(event);
        }
        self.events = None;
        let session = self.session.upgrade();
        let parted = session.is_some_and(|session| session.is_parted_from(self.pass));
        let last = self.last.take().filter(|_| !parted);
        Poll::Ready(last.map(|last| Ok(last())))
    }
}

impl<S> fmt::Debug for SessionEventStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionEventStream")
            .field(&self.events)
            .finish()
    }
}

/// The reason why a client gets no [`SessionEvents`], and the response to it.
#[derive(Debug)]
pub struct SessionEventsRejection(Reason);

#[derive(Debug)]
enum Reason {
    Stranger,
    /// With the token that makes the layer leave the response alone.
    Superseded(Arc<()>),
    Other(SessionRejection),
}

impl SessionEventsRejection {
    /// The response's status.
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Reason::Stranger => StatusCode::NO_CONTENT,
            Reason::Superseded(_) => StatusCode::OK,
            Reason::Other(rejection) => rejection.status(),
        }
    }
}

impl fmt::Display for SessionEventsRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Stranger => f.write_str("the client has no session"),
            Reason::Superseded(_) => f.write_str("the client presents an id that was replaced"),
            Reason::Other(rejection) => rejection.fmt(f),
        }
    }
}

impl Error for SessionEventsRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Reason::Other(rejection) => rejection.source(),
            Reason::Stranger | Reason::Superseded(_) => None,
        }
    }
}

impl IntoResponse for SessionEventsRejection {
    fn into_response(self) -> Response {
        let mut response = match self.0 {
            Reason::Stranger => StatusCode::NO_CONTENT.into_response(),
            Reason::Superseded(bound) => Sse::new(stream::once(async move {
                // By now the head is out.
                drop(bound);
                Ok::<_, Infallible>(Event::default().retry(RETRY))
            }))
            .into_response(),
            Reason::Other(rejection) => return rejection.into_response(),
        };
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl From<Reason> for SessionEventsRejection {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}
