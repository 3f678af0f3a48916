//! The user that a request comes from.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use session_axum::{LazySession, Session};
use session_core::SessionGroup;

use super::problem::Problem;
use super::set::user;
use super::users::UserName;

/// The user that a request comes from, with the session and its group. It creates nothing: a stranger is refused with 401, and
/// a client whose session was replaced or ended a moment ago with 409.
pub(crate) struct Member {
    pub(crate) name: UserName,
    pub(crate) session: Session,
    pub(crate) group: SessionGroup,
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visitor = LazySession::from_request_parts(parts, state).await?;
        let session = visitor.try_get()?.ok_or(Problem::Stranger)?;
        let group = session.group();
        let name = user(&group).ok_or(Problem::Stranger)?;
        Ok(Self {
            name,
            session,
            group,
        })
    }
}
