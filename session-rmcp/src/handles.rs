//! The handles of a client: how tools mint and list them.

use std::fmt;

use rmcp::ErrorData;
use rmcp::handler::server::common::{AsRequestContext, FromContextPart};
use rmcp::model::ErrorCode;
use schemars::JsonSchema;
use serde::Serialize;
use session_core::{CreateError, LocalSession as _, Props, SessionProperties};

use crate::caller::{self, Caller, MINTED, Minted};
use crate::handle::Handle;
use crate::props::no_set;

/// The handles of a call's client, as an argument of a tool or prompt: see [`Handle`].
///
/// They are for protocol 2026-07-28, which has no sessions, and work with earlier versions, too.
pub struct Handles(Caller);

impl Handles {
    /// Creates a property set in a session of its own, which belongs to the owner of this call. Returns its handle. The
    /// call is inside that session as long as it holds the handle.
    ///
    /// # Errors
    ///
    /// An error with the code -32000 if the server or the owner has as many sessions and handles as it may, or if the
    /// server is shutting down; an internal error if the set needs a state that the manager does not have.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bits.
    pub fn mint<P: SessionProperties>(&self) -> Result<Handle<P>, ErrorData> {
        let Caller { live, owner } = &self.0;
        let name = caller::name_of::<P>();
        let guard = live.sessions().create_entered(owner.as_ref());
        let guard = guard.map_err(|error| no_room(error, name))?;
        let session = guard.session();
        let props = Props::of(session)
            .map_err(no_set)
            .inspect_err(|_| session.terminate())?;
        let inserted = session
            .properties()
            .insert(&MINTED, Minted::of::<P>(owner.clone()));
        inserted.map_err(|_| no_room(CreateError::ShuttingDown, name))?;
        Ok(Handle::new(props, guard))
    }

    /// Returns the handles of this call's owner, the oldest first. Clients without an owner have to remember theirs:
    /// nothing tells them from each other, so the list is empty.
    pub fn list(&self) -> Vec<HandleInfo> {
        let Caller { live, owner } = &self.0;
        let group = owner
            .as_ref()
            .and_then(|owner| live.sessions().group(owner));
        let mut sessions = group.map(|group| group.sessions()).unwrap_or_default();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.age()));
        let minted = sessions.iter().filter_map(|session| {
            let minted = session.properties().get(&MINTED)?;
            (minted.owner == *owner && !session.is_completed()).then(|| HandleInfo {
                handle: session.id().encode(),
                kind: minted.name,
                age_seconds: session.age().as_secs(),
                expires_in_seconds: session.expires_in().as_secs(),
            })
        });
        minted.collect()
    }
}

/// A handle in a [list](Handles::list). A tool can return it: `Json(handles.list())`. In JSON the names of the fields are
/// in camel case: `ageSeconds`.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HandleInfo {
    /// The text of the handle.
    pub handle: String,
    /// The name of the property set's type.
    pub kind: &'static str,
    /// The time since it was minted, in seconds.
    pub age_seconds: u64,
    /// The time after which it ends if no call uses it, in seconds.
    pub expires_in_seconds: u64,
}

impl fmt::Debug for HandleInfo {
    /// Does not show the handle, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleInfo")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handles").field(&self.0.owner).finish()
    }
}

impl<C: AsRequestContext> FromContextPart<C> for Handles {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        Caller::of(context).map(Self)
    }
}

fn no_room(error: CreateError, name: &str) -> ErrorData {
    let advice = match error {
        CreateError::Full => format!("no room for another `{name}`: close one, or try again later"),
        _ => format!("no new `{name}`: the server is shutting down"),
    };
    ErrorData::new(ErrorCode(-32000), advice, None)
}
