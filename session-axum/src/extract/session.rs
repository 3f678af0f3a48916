//! The session of a request.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::SessionRejection;
use crate::visit::Visit;

/// The session that the request belongs to; asking for it creates one if there is none.
///
/// All extractors of one request give the same session. `Option<Session>` gives the session if there is one and
/// never creates it; `Result<Session, SessionRejection>` goes on without one.
///
/// It derefs to core's [`Session`](session_core::Session), and with [`LocalSession`](crate::LocalSession) in
/// scope has all that sessions have. Two methods are its own, because the client has to hear of them:
/// [`terminate`](Self::terminate) and [`cycle_id`](Self::cycle_id).
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
/// 409 if another request has ended the session since this one arrived, 503 if the manager takes no new one, 500
/// if [`SessionLayer`](crate::SessionLayer) is missing or the response's head is out already.
#[derive(Clone)]
pub struct Session {
    inner: session_core::Session,
    new: bool,
    visit: Arc<Visit>,
}

impl Session {
    /// Whether this request created the session.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// Ends the session, and has this request's response remove the client's id.
    ///
    /// The response carries no removal where there is none to make: another request has ended the session first,
    /// this request created it, or the response's head is out already.
    ///
    /// It signals and returns: [`cleanup_completed`](crate::LocalSession::cleanup_completed) resolves only after
    /// this request is over. An extractor that is asked after this gives a new session.
    pub fn terminate(&self) {
        self.visit.terminate(&self.inner);
    }

    /// Gives the session a new id, and has this request's response tell it to the client. The old id is dead at
    /// once.
    ///
    /// Do this whenever the visitor gains rights, as at log-in: an id that somebody planted is worth nothing
    /// then.
    ///
    /// If the request ends without a response after that, the client knows no id that is alive, and the session
    /// ends by its idle timeout.
    ///
    /// # Errors
    ///
    /// If the session has ended, or the response's head is out already, so that the client can't be told.
    pub fn cycle_id(&self) -> Result<(), SessionRejection> {
        self.visit.cycle_id(&self.inner)
    }

    /// Core's handle of the session. What is done with it reaches no response.
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

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = Visit::of(request)?;
        let (inner, new) = visit.find_or_create(request)?;
        Ok(Self {
            inner,
            new,
            visit: Arc::clone(visit),
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        request: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let visit = Visit::of(request)?;
        let found = visit.find();
        Ok(found.map(|(inner, new)| Self {
            inner,
            new,
            visit: Arc::clone(visit),
        }))
    }
}
