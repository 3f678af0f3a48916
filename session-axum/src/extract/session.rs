//! The session of a request.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::body::Bytes;
use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::Extensions;
use http::request::Parts;
use session_core::GroupId;

use crate::rejection::SessionRejection;
use crate::until_completed;
use crate::visit::{Found, Visit};

/// The session that the request belongs to; asking for it creates one if there is none.
///
/// It runs before the request's body is read. If a handler takes a body as well, take a
/// [`LazySession`](crate::LazySession), so that a request whose body is refused, or never arrives, creates no session.
///
/// All extractors of one request return the same session. `Option<Session>` returns the session if there is one and
/// never creates it; with `Result<Session, SessionRejection>` the handler runs without one if that fails.
///
/// It derefs to core's [`Session`](session_core::Session), and has all methods of sessions if
/// [`LocalSession`](crate::LocalSession) is in scope. Some methods are its own, because the client must be told:
/// [`log_in`](Self::log_in), [`cycle_id`](Self::cycle_id), and [`terminate`](Self::terminate) and
/// [`terminate_because`](Self::terminate_because), which are the log-out. Two handles refer to the same session if they
/// are equal (`*one == *other`).
///
/// ```
/// use session_axum::{LocalSession, Session, SessionRejection};
/// use session_core::PropertyKey;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// const VISITS: PropertyKey<AtomicU32> = PropertyKey::new("visits");
///
/// async fn count(session: Session) -> Result<String, SessionRejection> {
///     let visits = session.properties().get_or_init(&VISITS, AtomicU32::default)?;
///     Ok(format!("visit {}", visits.fetch_add(1, Ordering::Relaxed) + 1))
/// }
///
/// async fn log_out(session: Option<Session>) {
///     if let Some(session) = session {
///         session.terminate();
///     }
/// }
/// ```
///
/// # Rejections
///
/// 409 if another request has ended the session since this one arrived, or has logged in or out and this one presents
/// the old id ([`Superseded`](crate::rejection::Superseded)), 503 if the manager accepts no new session
/// or another framework can't [name](crate::KeyedRequest) this one at the moment (even as an `Option`), 500
/// if [`SessionLayer`](crate::SessionLayer) is missing or the response's head is out already.
#[derive(Clone)]
pub struct Session {
    inner: session_core::Session,
    new: bool,
    visit: Arc<Visit>,
}

impl Session {
    /// The session that the request belongs to, which is created if there is none: for frameworks without axum's
    /// extractors, such as tonic, whose requests keep the extensions.
    ///
    /// For a session that may be there, or a property set, see
    /// [`LazySession::from_extensions`](crate::LazySession::from_extensions). A
    /// [group resolver](crate::SessionLayer::with_group_resolver) was asked when the request arrived without a session;
    /// the session that follows one that this request has ended is in no named group.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use session_axum::{Session, SessionRejection};
    ///
    /// async fn greet(request: Request<String>) -> Result<Response<String>, SessionRejection> {
    ///     let session = Session::from_extensions(request.extensions())?;
    ///     let greeting = if session.is_new() { "welcome" } else { "welcome back" };
    ///     Ok(Response::new(greeting.to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The [rejections](#rejections).
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, SessionRejection> {
        let visit = Visit::in_extensions(extensions)?;
        let found = visit.find_or_create(|_| None)?;
        Ok(Self::new(found, visit))
    }

    /// Whether this request created the session.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// Ends the session, and makes this request's response remove the client's id. If the client presented the ids of
    /// other live sessions as well (an attacker may have planted one), these end too.
    ///
    /// The response does not remove the id if another request has ended the session first, or if this request
    /// created it. Once the response's head is out, only this one session ends, and the client is a
    /// stranger. If another request has logged in since this one came in, nothing happens: the session is not this
    /// request's any more.
    ///
    /// For a while after the response, a request that still presents the old id is not treated as a stranger's: see
    /// [`Superseded`](crate::rejection::Superseded). It was under way, and would undo the log-out.
    ///
    /// It signals and returns: [`cleanup_completed`](crate::LocalSession::cleanup_completed) resolves only after
    /// this request is over. An extractor that runs after this returns a new session.
    pub fn terminate(&self) {
        self.visit.terminate(&self.inner, "");
    }

    /// Ends the session as [`terminate`](Self::terminate) does, and says why in words:
    /// [`completion_reason`](crate::LocalSession::completion_reason) returns the reason. An empty one is none.
    ///
    /// ```
    /// use session_axum::Session;
    ///
    /// async fn leave_everywhere(session: Session) {
    ///     session.terminate_because("logged out");
    ///     // The visitor's other sessions. Their clients are not told, and are strangers from now on.
    ///     session_axum::LocalSession::terminate_because(&session.group(), "logged out elsewhere");
    /// }
    /// ```
    pub fn terminate_because(&self, reason: impl Into<Cow<'static, str>>) {
        self.visit.terminate(&self.inner, &reason.into());
    }

    /// Logs in: changes the session's id, which this request's response tells the client, and moves it to this group,
    /// in one step. The same as [`cycle_id`](Self::cycle_id) and [`join`](session_core::Session::join), but nothing
    /// happens in between, and a failure changes nothing.
    ///
    /// The session's own properties stay with it, even if it was another user's. For a change of user, terminate the
    /// session and log in afterwards: the request then has a new session.
    ///
    /// Prefer [`LazySession::log_in`](crate::LazySession::log_in): it can't be refused because another request logged
    /// in or out at the same moment.
    ///
    /// # Errors
    ///
    /// As [`cycle_id`](Self::cycle_id).
    pub fn log_in(&self, group: GroupId) -> Result<(), SessionRejection> {
        self.visit.cycle_id(&self.inner, Some(group))
    }

    /// Moves the session to a new id, and makes this request's response tell the client. The old id is dead at
    /// once.
    ///
    /// Do this whenever the visitor gains rights, as at a log-in without groups, so that a planted id is worthless
    /// afterwards. A stranger's request that used a planted id may be inside already, with an event stream or a slow
    /// upload. So the session is *parted* from all other requests that came in before: their event streams end, and
    /// their extractors are refused with 409 from now on, or `None`. Handlers keep what they already hold, such as a
    /// `Session` or `Props`, until they return. So keep what belongs to a user in the user's group, and ask for the
    /// group where it is used: with the extractor [`SessionGroup`](crate::SessionGroup), or with
    /// [`group`](Self::group).
    ///
    /// If this request then ends without a response, no client knows the session's id, and the session ends.
    ///
    /// # Errors
    ///
    /// If the session has ended, if another request has changed its id since this one came in, or if the response's
    /// head is out already, so that the client can't be told.
    pub fn cycle_id(&self) -> Result<(), SessionRejection> {
        self.visit.cycle_id(&self.inner, None)
    }

    /// The group that the session belongs to, as long as the session is this request's. After a log-in by another
    /// request it is an anonymous group that has ended, so that a stranger who planted the id sees nothing of the
    /// user's.
    ///
    /// The extractor [`SessionGroup`](crate::SessionGroup) is refused with 409 then.
    pub fn group(&self) -> session_core::SessionGroup {
        let group = self.inner.group();
        if self.visit.is_parted_from(&self.inner) {
            return self.inner.parted_group();
        }
        group
    }

    /// Makes a response's body end with the session: at completion it is dropped, with everything it holds, even if the
    /// client has stopped reading. So a stalled download of a cursor's rows holds up neither the session's cleanup nor
    /// the transaction.
    ///
    /// The response then breaks off with an error, so that the client does not mistake it for the whole; so it does
    /// when a log-in by another request parts the session from this one. (An event stream needs no such call: the
    /// layer ends it, plainly.)
    ///
    /// Return the body with this request's response. Change the session's id before the call, not after it.
    ///
    /// ```
    /// use axum::body::Body;
    /// use futures_util::Stream;
    /// use session_axum::Session;
    /// use std::io;
    ///
    /// async fn export(session: Session) -> Body {
    ///     session.until_completed(Body::from_stream(rows(&session)))
    /// }
    /// # fn rows(_: &Session) -> impl Stream<Item = io::Result<&'static str>> + Send + 'static { futures_util::stream::pending() }
    /// ```
    pub fn until_completed<B>(&self, body: B) -> Body
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        match self.visit.enter(&self.inner) {
            Ok(guard) => {
                let bound = self.visit.bind_body();
                until_completed::until_completed(guard.until_completed(body), bound)
            }
            Err(_) => until_completed::ended(),
        }
    }

    /// Core's handle of the session. Changes made through it do not reach the response.
    pub fn into_inner(self) -> session_core::Session {
        self.inner
    }
}

impl Deref for Session {
    type Target = session_core::Session;

    fn deref(&self) -> &session_core::Session {
        &self.inner
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Session {
    pub(crate) fn new(found: Found, visit: &Arc<Visit>) -> Self {
        Self {
            inner: found.session,
            new: found.is_new,
            visit: Arc::clone(visit),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = Visit::of(request)?;
        let found = visit.find_or_create(|shared| shared.group(request))?;
        Ok(Self::new(found, visit))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        request: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let visit = Visit::of(request)?;
        Ok(visit.find()?.map(|found| Self::new(found, visit)))
    }
}
