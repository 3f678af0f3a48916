//! Ids that were taken from their clients, and the new ids that replaced them.

use std::fmt;
use std::sync::Arc;

use crate::id::SessionId;
use crate::life::clock::Clock;
use crate::sessions::ids::Ids;
use crate::sessions::session::Session;

/// The new id of a session after [`cycle_id`] or a log-in. The client has to be told.
///
/// As long as this exists, the old id is *superseded*: a request that presents it is neither let in nor treated as a
/// stranger's ([`NotLive::Superseded`]). Dropping this starts the time after which the old id becomes unknown
/// ([`superseded_for`]): drop it as the response's head goes out. If there will be no response, call
/// [`SupersededId::forget`].
///
/// [`cycle_id`]: crate::Session::cycle_id
/// [`NotLive::Superseded`]: crate::NotLive::Superseded
/// [`superseded_for`]: crate::SessionManagerBuilder::superseded_for
#[derive(Debug)]
#[must_use = "the old id is dead: send the new one to the client"]
pub struct NewId {
    id: SessionId,
    old: SupersededId,
}

impl NewId {
    pub(crate) fn new(id: SessionId, old: SupersededId) -> Self {
        Self { id, old }
    }

    /// Returns the new id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the old id, for a caller that tells the client later.
    pub fn into_superseded(self) -> SupersededId {
        self.old
    }
}

/// An id that was taken from its client, by a change of its session's id, a log-in or a log-out.
///
/// Its time runs from when this is dropped: see [`NewId`].
#[must_use = "dropping it starts the time of the superseded id"]
pub struct SupersededId {
    id: SessionId,
    /// `None` if the id is already unknown.
    ids: Option<(Arc<Ids<SessionId, Session>>, Clock)>,
}

impl SupersededId {
    pub(crate) fn new(id: SessionId, ids: Option<(Arc<Ids<SessionId, Session>>, Clock)>) -> Self {
        Self { id, ids }
    }

    /// Returns the id, as its client still has it.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Makes the id unknown at once. Its client never learns that it was taken.
    pub fn forget(mut self) {
        if let Some((ids, _)) = self.ids.take() {
            ids.forget(&self.id);
        }
    }
}

impl Drop for SupersededId {
    fn drop(&mut self) {
        if let Some((ids, clock)) = self.ids.take() {
            ids.begin(self.id, clock.now());
        }
    }
}

impl fmt::Debug for SupersededId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SupersededId(..)")
    }
}
