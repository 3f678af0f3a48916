//! A property set of a request's session, or of its group.

use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use session_core::__private::Home;
use session_core::{PropsError, SessionProperties};

use crate::SessionRejection;
use crate::visit::Visit;

/// A property set of the session that the request belongs to, or of that session's group if the set lives there;
/// asking for it creates the session if there is none.
///
/// `Option<Props<P>>` creates no session. The set's properties are not created by this, but each on its first use.
///
/// It derefs to core's [`Props`](session_core::Props) and by that to the set. It has no methods of its own, which
/// would hide the set's; [`Props::into_inner`] is called by its path.
///
/// ```
/// use session_axum::{Props, SessionRejection};
/// use session_core::{Property, SessionProperties};
/// use std::sync::Mutex;
///
/// #[derive(SessionProperties)]
/// struct Desk {
///     /// What the visitor has written so far.
///     #[property(default)]
///     notes: Property<Mutex<Vec<String>>>,
/// }
///
/// async fn add(desk: Props<Desk>, note: String) -> Result<(), SessionRejection> {
///     desk.notes()?.lock().unwrap().push(note);
///     Ok(())
/// }
/// ```
///
/// # Rejections
///
/// Those of [`Session`](crate::Session), and 500 if the manager was built without the state that the set needs.
pub struct Props<P: SessionProperties>(session_core::Props<P>);

impl<P: SessionProperties> Props<P> {
    /// Core's handle of the set.
    pub fn into_inner(this: Self) -> session_core::Props<P> {
        this.0
    }
}

impl<P: SessionProperties> Clone for Props<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: SessionProperties> Deref for Props<P> {
    type Target = session_core::Props<P>;

    fn deref(&self) -> &session_core::Props<P> {
        &self.0
    }
}

impl<P: SessionProperties> fmt::Debug for Props<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P, S> FromRequestParts<S> for Props<P>
where
    P: SessionProperties,
    S: Sync,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let (session, _) = Visit::of(request)?.find_or_create(request)?;
        Ok(Self(of(&session)?))
    }
}

impl<P, S> OptionalFromRequestParts<S> for Props<P>
where
    P: SessionProperties,
    S: Sync,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(
        request: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let Some((session, _)) = Visit::of(request)?.find() else {
            return Ok(None);
        };
        Ok(Some(Self(of(&session)?)))
    }
}

/// The set of the session or of its group, wherever it lives.
fn of<P: SessionProperties>(
    session: &session_core::Session,
) -> Result<session_core::Props<P>, PropsError> {
    P::Home::props_of(session)
}
