//! The group of a request's session.

use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::rejection::{SessionRejection, Superseded};
use crate::visit::{Found, Visit};

/// The group of the session that the request belongs to; asking for it creates the session if there is none.
///
/// `Option<SessionGroup>` creates nothing. It derefs to core's [`SessionGroup`](session_core::SessionGroup), and
/// has all methods of groups if [`LocalSession`](crate::LocalSession) is in scope.
///
/// Ending the group ends its sessions, but the client's cookie stays, since several clients may hold sessions of
/// it. To log a user out everywhere, here included, end this session first. To log out the other devices, skip it.
///
/// ```
/// use session_axum::{LocalSession, Session, SessionGroup};
///
/// async fn log_out_everywhere(session: Option<Session>, group: Option<SessionGroup>) {
///     if let (Some(session), Some(group)) = (session, group) {
///         session.terminate();
///         group.terminate();
///     }
/// }
///
/// async fn log_out_my_other_devices(session: Option<Session>, group: Option<SessionGroup>) {
///     if let (Some(session), Some(group)) = (session, group) {
///         for other in group.sessions().iter().filter(|other| **other != *session) {
///             other.terminate();
///         }
///     }
/// }
/// ```
///
/// Your own extractor for the user can build on the group:
///
/// ```
/// use axum::extract::{FromRequestParts, OptionalFromRequestParts};
/// use axum::http::{StatusCode, request::Parts};
/// use axum::response::{IntoResponse, Response};
/// use session_axum::SessionGroup;
///
/// struct User(String);
///
/// impl<S: Send + Sync> FromRequestParts<S> for User {
///     type Rejection = Response;
///
///     async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
///         let group = <SessionGroup as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await;
///         let group = group.map_err(IntoResponse::into_response)?;
///         let name = group.as_ref().and_then(|group| group.id()?.as_str().strip_prefix("user:"));
///         name.map(|name| Self(name.to_owned())).ok_or(StatusCode::UNAUTHORIZED.into_response())
///     }
/// }
/// ```
///
/// # Rejections
///
/// Those of [`Session`](crate::Session).
#[derive(Clone, Debug)]
pub struct SessionGroup(session_core::SessionGroup);

impl SessionGroup {
    /// Core's handle of the group.
    pub fn into_inner(self) -> session_core::SessionGroup {
        self.0
    }
}

impl Deref for SessionGroup {
    type Target = session_core::SessionGroup;

    fn deref(&self) -> &session_core::SessionGroup {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for SessionGroup {
    type Rejection = SessionRejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = Visit::of(request)?;
        let found = visit.find_or_create(|shared| shared.group(request))?;
        Ok(of(visit, &found).ok_or(Superseded)?)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SessionGroup {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        request: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let visit = Visit::of(request)?;
        Ok(visit.find()?.and_then(|found| of(visit, &found)))
    }
}

/// The group, or `None` if it may belong to another request's log-in.
fn of(visit: &Visit, found: &Found) -> Option<SessionGroup> {
    let group = found.session.group();
    (!visit.is_parted_from(&found.session)).then_some(SessionGroup(group))
}
