//! A property set of a request's session, or of its group.

use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use session_core::SessionProperties;

use crate::rejection::{SessionRejection, Superseded};
use crate::visit::{Found, Visit};

/// A property set of the session that the request belongs to, or of that session's group if the set lives there;
/// asking for it creates the session if there is none. Where a handler takes a body as well, use
/// [`LazySession::props`](crate::LazySession::props).
///
/// `Option<Props<P>>` does not create a session. The set's properties are not created here, but each on its first use.
///
/// It derefs to core's [`Props`](session_core::Props) and through it to the set. It has no methods of its own, since
/// they would hide the set's; [`Props::into_inner`] is an associated function.
///
/// ```
/// use session_axum::{Props, SessionRejection};
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
/// async fn count(desk: Props<Desk>) -> Result<String, SessionRejection> {
///     Ok(desk.notes()?.lock().unwrap().len().to_string())
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

impl<P: SessionProperties> Props<P> {
    /// The set of the session or of its group, depending on its scope; `None` if that may be the group of another
    /// request's log-in.
    pub(crate) fn of(visit: &Visit, found: &Found) -> Result<Option<Self>, SessionRejection> {
        let props = session_core::Props::of(&found.session)?;
        // A set of the session itself needs no second check: the session was checked when it was found.
        let in_group = session_core::Props::<P>::lives_in_group();
        let parted = in_group && visit.is_parted_from(&found.session);
        Ok((!parted).then_some(Self(props)))
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
        let visit = Visit::of(request)?;
        let found = visit.find_or_create(|shared| shared.group(request))?;
        Ok(Self::of(visit, &found)?.ok_or(Superseded)?)
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
        let visit = Visit::of(request)?;
        match visit.find()? {
            Some(found) => Self::of(visit, &found),
            None => Ok(None),
        }
    }
}
