//! The responses to requests whose session can't provide what they ask for.
//!
//! Every rejection answers with a problem in JSON ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): `type`,
//! `title`, `status` and `detail`. Its text does not reveal the internal cause; that is logged, and is the
//! rejection's [`source`](std::error::Error::source).

use std::error::Error;
use std::fmt;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFRESH, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use session_core::{
    CreateError, CycleError, JoinError, PropertyError, PropsError, Refused, SessionEnded,
};

/// The reason why an extractor of this crate, or a handler's `?` on one of core's errors, rejected the request.
///
/// | status | for |
/// |---|---|
/// | 409 | the session ended while the request ran; a property was already present |
/// | 409, with `Retry-After` and `Refresh` | another request logged in or out, and this one presents the old id |
/// | 503, with `Retry-After` | the manager is full, draining or shutting down, or the group is full; a property is busy; the framework that names the session can't tell |
/// | 403 | a page of another site asked for a WebSocket |
/// | 500 | a property could not be created; a layer or a state is missing |
///
/// ```
/// use session_axum::{LocalSession, Session, SessionRejection};
/// use session_core::PropertyKey;
///
/// const DRAFT: PropertyKey<String> = PropertyKey::new("draft");
///
/// async fn begin(session: Session) -> Result<(), SessionRejection> {
///     session.properties().insert(&DRAFT, String::new())?; // 409 if there is a draft already
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// See [`MissingSessionLayer`].
    MissingSessionLayer(MissingSessionLayer),
    /// See [`ResponseStarted`].
    ResponseStarted(ResponseStarted),
    /// See [`Ended`].
    Ended(Ended),
    /// See [`Superseded`].
    Superseded(Superseded),
    /// See [`Unavailable`].
    Unavailable(Unavailable),
    /// See [`CrossOrigin`].
    CrossOrigin(CrossOrigin),
    /// See [`NotCreated`].
    NotCreated(NotCreated),
    /// See [`PropertyPresent`].
    PropertyPresent(PropertyPresent),
    /// See [`PropertyBusy`].
    PropertyBusy(PropertyBusy),
    /// See [`PropertyFailed`].
    PropertyFailed(PropertyFailed),
    /// See [`MissingState`].
    MissingState(MissingState),
}

/// Defines a rejection, with one cause and one answer. The text is pasted into JSON, so it must not contain quotes or
/// backslashes.
macro_rules! rejection {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(($source:ty))?;
        $status:ident, $kind:literal, $title:literal, $detail:literal
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct $name $((pub $source))?;

        impl $name {
            /// The response's status.
            pub fn status(&self) -> StatusCode {
                StatusCode::$status
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($detail)
            }
        }

        impl Error for $name {
            $(fn source(&self) -> Option<&(dyn Error + 'static)> {
                let source: &$source = &self.0;
                Some(source)
            })?
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                answer(
                    &self,
                    self.status(),
                    concat!(
                        r#"{"type":"urn:problem-type:"#, $kind, r#"","title":""#, $title,
                        r#"","detail":""#, $detail, r#"","status":"#,
                    ),
                )
            }
        }

        impl From<$name> for SessionRejection {
            fn from(rejection: $name) -> Self {
                Self::$name(rejection)
            }
        }
    };
}

rejection! {
    /// The route has no [`SessionLayer`](crate::SessionLayer) around it.
    pub struct MissingSessionLayer;
    INTERNAL_SERVER_ERROR, "missing-session-layer", "The server is set up wrongly",
    "this route has no sessions: add a `SessionLayer` to its router"
}

rejection! {
    /// The client could not be told: the response's head is out already, or there will be none.
    ///
    /// Only code that outlives its handler sees this, such as a stream or a spawned task. Ask for the session in the
    /// handler's arguments, and cycle its id in the handler.
    pub struct ResponseStarted;
    INTERNAL_SERVER_ERROR, "response-started", "The response has started",
    "the response has started, so the client can no longer be told its session: ask for the session earlier"
}

rejection! {
    /// The session has ended, but the operation needs an active one.
    pub struct Ended;
    CONFLICT, "session-ended", "The session has ended",
    "the session, or its group, ended while the request was running: start again"
}

rejection! {
    /// The request presented an id that a log-in or log-out of another request has just replaced or removed. It was
    /// under way then, and a new session for it, with its cookie, would undo what the visitor has just done.
    ///
    /// The response asks the client to try again in a second, with `Retry-After` and, for browsers that load a page,
    /// `Refresh`. By then the client has the new id, or none.
    pub struct Superseded;
    CONFLICT, "session-superseded", "The session's id is no longer valid",
    "another request has logged in or out a moment ago: try again"
}

rejection! {
    /// The framework that [names](crate::KeyedRequest) the request's session can't tell at the moment, because its store
    /// does not answer, for example. So the client is neither known nor a stranger, and no session is created or ended.
    pub struct Unavailable;
    SERVICE_UNAVAILABLE, "session-unavailable", "The session is not available",
    "it is not known at the moment whose request this is: try again later"
}

rejection! {
    /// A page of another site asked for a WebSocket. Browsers do not protect against that: they let any page connect
    /// to any server, and send the visitor's cookies along.
    ///
    /// If the page is to be allowed, name its origin with [`allow_origins`](crate::SessionLayer#method.allow_origins). A
    /// proxy that changes `Host` must pass the original on as `X-Forwarded-Host`.
    pub struct CrossOrigin;
    FORBIDDEN, "cross-origin", "Pages of other sites are not allowed",
    "the handshake comes from a page of another origin"
}

rejection! {
    /// The manager or the group accepts no further session: it is full, or the manager is draining or shutting down.
    pub struct NotCreated(CreateError);
    SERVICE_UNAVAILABLE, "no-session", "No session is available",
    "there is no room for a session at the moment: try again later"
}

rejection! {
    /// A value was refused because its property is already present.
    pub struct PropertyPresent;
    CONFLICT, "property-present", "The session already has this",
    "the session already has a property of this name: use that one"
}

rejection! {
    /// A property is lent to another caller, or is being created by a caller that can't be waited for.
    pub struct PropertyBusy(PropertyError);
    SERVICE_UNAVAILABLE, "property-busy", "The session is busy",
    "what the request needs is lent to another, or to the request itself: try again shortly"
}

rejection! {
    /// A property could not be created.
    pub struct PropertyFailed(PropertyError);
    INTERNAL_SERVER_ERROR, "property-failed", "The session could not serve the request",
    "something that the session needs could not be created"
}

rejection! {
    /// The manager was built without the state that a property set needs.
    pub struct MissingState(PropsError);
    INTERNAL_SERVER_ERROR, "missing-state", "The server is set up wrongly",
    "something that the session needs was not set up"
}

/// The response of a rejection; `problem` lacks the status and the closing brace.
fn answer(
    rejection: &(dyn Error + 'static),
    status: StatusCode,
    problem: &'static str,
) -> Response {
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(error = rejection, "a session could not serve a request");
    } else {
        tracing::debug!(error = rejection, "a session could not serve a request");
    }
    let mut response = Response::new(Body::from(format!("{problem}{}}}", status.as_u16())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    let superseded = rejection.is::<Superseded>();
    if superseded || status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if superseded {
        headers.insert(REFRESH, HeaderValue::from_static("1"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Evaluates the same expression for every kind of rejection.
macro_rules! each {
    ($rejection:expr, $inner:ident => $do:expr) => {
        match $rejection {
            SessionRejection::MissingSessionLayer($inner) => $do,
            SessionRejection::ResponseStarted($inner) => $do,
            SessionRejection::Ended($inner) => $do,
            SessionRejection::Superseded($inner) => $do,
            SessionRejection::Unavailable($inner) => $do,
            SessionRejection::CrossOrigin($inner) => $do,
            SessionRejection::NotCreated($inner) => $do,
            SessionRejection::PropertyPresent($inner) => $do,
            SessionRejection::PropertyBusy($inner) => $do,
            SessionRejection::PropertyFailed($inner) => $do,
            SessionRejection::MissingState($inner) => $do,
        }
    };
}

impl SessionRejection {
    /// The response's status.
    pub fn status(&self) -> StatusCode {
        each!(self, rejection => rejection.status())
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, rejection => rejection.fmt(f))
    }
}

impl Error for SessionRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        each!(self, rejection => rejection.source())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        each!(self, rejection => rejection.into_response())
    }
}

impl From<SessionEnded> for SessionRejection {
    fn from(_: SessionEnded) -> Self {
        Ended.into()
    }
}

impl From<CycleError> for SessionRejection {
    fn from(error: CycleError) -> Self {
        match error {
            CycleError::Parted => Superseded.into(),
            CycleError::Full => CreateError::Full.into(),
            _ => Ended.into(),
        }
    }
}

impl From<JoinError> for SessionRejection {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Full => CreateError::Full.into(),
            _ => Ended.into(),
        }
    }
}

impl From<CreateError> for SessionRejection {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::KeySuperseded => Superseded.into(),
            _ => NotCreated(error).into(),
        }
    }
}

impl From<PropertyError> for SessionRejection {
    fn from(error: PropertyError) -> Self {
        match error {
            PropertyError::SessionEnded => Ended.into(),
            PropertyError::BeingCreated | PropertyError::Busy => PropertyBusy(error).into(),
            _ => PropertyFailed(error).into(),
        }
    }
}

impl From<PropsError> for SessionRejection {
    fn from(error: PropsError) -> Self {
        match error {
            PropsError::SessionEnded => Ended.into(),
            _ => MissingState(error).into(),
        }
    }
}

impl<T> From<Refused<T>> for SessionRejection {
    fn from(refused: Refused<T>) -> Self {
        match refused {
            Refused::SessionEnded(_) => Ended.into(),
            Refused::BeingCreated(_) => PropertyError::BeingCreated.into(),
            _ => PropertyPresent.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // Here and not among the other tests of rejections: tracing caches a callsite's interest at first use, and
    // tests in one process would race for it.
    #[test]
    fn the_cause_is_logged() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let failed = PropertyError::Failed(Arc::from(Box::<dyn Error + Send + Sync>::from(
            "no such host",
        )));
        tracing::subscriber::with_default(subscriber, || {
            SessionRejection::from(failed).into_response()
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            log.contains("ERROR") && log.contains("no such host"),
            "{log}"
        );
    }
}
