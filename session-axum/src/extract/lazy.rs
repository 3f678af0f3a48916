//! The session of a request, found when the handler asks for it.

use std::fmt;
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use session_core::{GroupId, SessionProperties};

use super::props::Props;
use super::session::Session;
use crate::rejection::{SessionRejection, Superseded};
use crate::visit::Visit;

/// The session of a request, found or created when the handler asks for it.
///
/// Extractors run in the order of a handler's arguments, and the one that takes the body is the last. So a handler that
/// takes a [`Session`] or [`Props`] and a body creates a session before it knows whether there will be a body: clients
/// whose body is incomplete or refused fill the manager. This extractor does nothing until it is asked.
///
/// ```
/// use axum::http::StatusCode;
/// use session_axum::{LazySession, SessionRejection};
/// use session_core::{Property, SessionProperties};
/// use std::sync::Mutex;
///
/// #[derive(SessionProperties)]
/// struct Desk {
///     /// The visitor's notes so far.
///     #[property(default)]
///     notes: Property<Mutex<Vec<String>>>,
/// }
///
/// async fn add(visitor: LazySession, note: String) -> Result<(), SessionRejection> {
///     let desk = visitor.props::<Desk>()?; // the body is there: now the visitor gets a session
///     desk.notes()?.lock().unwrap().push(note);
///     Ok(())
/// }
///
/// async fn log_in(visitor: LazySession, password: String) -> Result<StatusCode, SessionRejection> {
///     if password != "open sesame" {
///         return Ok(StatusCode::UNAUTHORIZED); // costs nothing
///     }
///     visitor.log_in("user:ali".into())?;
///     Ok(StatusCode::NO_CONTENT)
/// }
/// ```
///
/// # Rejections
///
/// 500 if [`SessionLayer`](crate::SessionLayer) is missing.
#[derive(Clone)]
pub struct LazySession {
    visit: Arc<Visit>,
    group: Option<GroupId>,
}

impl LazySession {
    /// For frameworks without axum's extractors, such as tonic, whose requests keep the extensions: with
    /// [`get`](Self::get) for `Option<Session>`, and [`props`](Self::props) for [`Props`].
    ///
    /// ```
    /// use http::{Request, Response};
    /// use session_axum::{LazySession, SessionRejection};
    ///
    /// async fn log_in(request: Request<String>) -> Result<Response<&'static str>, SessionRejection> {
    ///     let visitor = LazySession::from_extensions(request.extensions())?;
    ///     if request.body() != "open sesame" {
    ///         return Ok(Response::new("no")); // costs nothing
    ///     }
    ///     visitor.log_in("user:ali".into())?;
    ///     Ok(Response::new("welcome"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The [rejections](#rejections).
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, SessionRejection> {
        let visit = Visit::in_extensions(extensions)?;
        Ok(Self {
            visit: Arc::clone(visit),
            group: visit.resolve_group(None),
        })
    }

    /// The session, if there is one that this request may have, and the response's head is not out yet. Creates
    /// nothing.
    pub fn get(&self) -> Option<Session> {
        self.try_get().ok().flatten()
    }

    /// The session, or `None` for a stranger. Creates nothing.
    ///
    /// It tells a page that polls to try again, where [`get`](Self::get) makes the visitor look logged out.
    ///
    /// # Errors
    ///
    /// 409 if the client's id was superseded a moment ago, or another request has ended the session or logged in since
    /// this one came in; 503 if it is not known at the moment whose request this is
    /// ([`Unavailable`](crate::rejection::Unavailable)); 500 if the response's head is out already.
    pub fn try_get(&self) -> Result<Option<Session>, SessionRejection> {
        let found = self.visit.try_find()?;
        Ok(found.map(|found| Session::new(found, &self.visit)))
    }

    /// The session, which is created if there is none: the same as the extractor [`Session`], later.
    ///
    /// # Errors
    ///
    /// The [rejections of `Session`](Session#rejections).
    pub fn session(&self) -> Result<Session, SessionRejection> {
        let found = self.visit.find_or_create(|_| self.group.clone())?;
        Ok(Session::new(found, &self.visit))
    }

    /// A property set, whose session is created if there is none: the same as the extractor [`Props`], later.
    ///
    /// # Errors
    ///
    /// The [rejections of `Props`](Props#rejections).
    pub fn props<P: SessionProperties>(&self) -> Result<Props<P>, SessionRejection> {
        let found = self.visit.find_or_create(|_| self.group.clone())?;
        Ok(Props::of(&self.visit, &found)?.ok_or(Superseded)?)
    }

    /// The session, or a new one. A new one is also created if the client's id was superseded a moment ago, or if
    /// another request has ended the session or logged in since this one came in.
    ///
    /// This is for a log-in, which must not be refused because of a concurrent request. Anywhere else it would undo the
    /// log-out of a visitor with a request under way: use [`session`](Self::session).
    ///
    /// # Errors
    ///
    /// 503 if the manager accepts no new session, or if it is not known at the moment whose request this is; 500 if the
    /// response's head is out already.
    pub fn get_or_create(&self) -> Result<Session, SessionRejection> {
        self.get_or_create_in(self.group.as_ref())
    }

    fn get_or_create_in(&self, group: Option<&GroupId>) -> Result<Session, SessionRejection> {
        let found = self.visit.find_or_replace(group)?;
        Ok(Session::new(found, &self.visit))
    }

    /// Logs the visitor in: the session, which is created if there is none, gets a new id and moves to this group, as
    /// [`Session::log_in`] says. Whatever other requests do at the same time, this one is not refused: a double
    /// click on the button logs the person in. (If the browser accepts both answers, with a session each, the session
    /// whose cookie is overwritten expires when idle.)
    ///
    /// Call it after the password has been checked. A refused log-in then costs nothing.
    ///
    /// # Errors
    ///
    /// As [`get_or_create`](Self::get_or_create), and 503 if the group is full. The session then keeps its id and its
    /// group, and a client without a session gets none.
    pub fn log_in(&self, group: GroupId) -> Result<Session, SessionRejection> {
        // A new session is created in the group: if that is full, there is none.
        let session = self.get_or_create_in(Some(&group))?;
        match session.log_in(group.clone()) {
            // The session ended, or another request logged in, since the line above. No other request knows a new
            // session.
            Err(SessionRejection::Ended(_) | SessionRejection::Superseded(_)) => {
                let session = self.get_or_create_in(Some(&group))?;
                session.log_in(group)?;
                Ok(session)
            }
            Ok(()) => Ok(session),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySession").finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for LazySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = Visit::of(request)?;
        Ok(Self {
            visit: Arc::clone(visit),
            group: visit.resolve_group(Some(request)),
        })
    }
}
