//! The state of a visit, as its lock guards it.

use std::mem;
use std::sync::Arc;

use session_core::{GroupId, LocalSession as _, Pass, RequestGuard, Session};

use super::Found;
use crate::keyed::KeyedRequest;
use crate::notes::Notes;
use crate::rejection::{self, SessionRejection, Superseded, Unavailable};
use crate::shared::Shared;
use crate::transport::Origin;

pub(super) struct State {
    /// `None` once the visit has ended. It is not kept longer: a handler may store its session for long, and a
    /// manager that is kept alive from inside itself never shuts down on its own.
    pub(super) shared: Option<Arc<Shared>>,
    pub(super) at: At,
    /// The place in which the response tells its client.
    pub(super) origin: Origin,
    /// `None` for most requests.
    pub(super) notes: Option<Box<Notes>>,
    /// The request's rights to the sessions that it was inside before: handlers keep handles of these. Usually `None`.
    #[expect(clippy::box_collection, reason = "most requests have none")]
    pub(super) passes: Option<Box<Vec<Pass>>>,
}

/// Where a request is.
pub(super) enum At {
    /// In no session.
    Nowhere,
    /// The id that it presented was taken from its client a moment ago.
    Superseded,
    /// The framework that names its session can't tell at the moment.
    Unavailable,
    Inside(RequestGuard),
}

impl State {
    pub(super) fn find(&self) -> Result<Option<Found>, SessionRejection> {
        match &self.at {
            At::Nowhere => Ok(None),
            At::Unavailable => Err(Unavailable.into()),
            At::Superseded => Err(Superseded.into()),
            At::Inside(guard) if guard.is_parted() => Err(Superseded.into()),
            At::Inside(guard) if guard.session().is_completed() => Err(rejection::Ended.into()),
            At::Inside(guard) => Ok(Some(Found {
                session: guard.session().clone(),
                is_new: self.notes.as_ref().is_some_and(|notes| notes.is_new),
            })),
        }
    }

    pub(super) fn group_at_arrival(&self) -> Option<GroupId> {
        self.notes.as_ref()?.group.clone()
    }

    pub(super) fn keyed(&self) -> Option<KeyedRequest> {
        self.notes.as_ref()?.keyed.clone()
    }

    pub(super) fn notes_mut(&mut self) -> &mut Notes {
        self.notes.get_or_insert_default()
    }

    pub(super) fn is_at(&self, session: &Session) -> bool {
        self.guard_of(session).is_some()
    }

    /// The guard that keeps the request inside this session.
    pub(super) fn guard_of(&self, session: &Session) -> Option<&RequestGuard> {
        match &self.at {
            At::Inside(guard) if guard.session() == session => Some(guard),
            _ => None,
        }
    }

    /// The request's right to the session; `None` for one that it was never inside.
    pub(super) fn pass_of(&self, session: &Session) -> Option<Pass> {
        match &self.at {
            At::Inside(guard) if guard.session() == session => Some(guard.pass()),
            _ => {
                let serial = session.serial();
                let mut passes = self.passes.iter().flat_map(|passes| passes.iter());
                passes.find(|pass| pass.serial() == serial).copied()
            }
        }
    }

    pub(super) fn is_parted_from(&self, session: &Session) -> bool {
        self.pass_of(session)
            .is_none_or(|pass| session.is_parted_from(pass))
    }

    /// Leaves the session: the visit is in none from now on. The guard stays until the request is over.
    pub(super) fn leave(&mut self) {
        self.keep_pass();
        if let At::Inside(guard) = mem::replace(&mut self.at, At::Nowhere) {
            self.notes_mut().left.push(guard);
        }
    }

    /// Keeps the pass, for handles of the session that handlers keep.
    pub(super) fn keep_pass(&mut self) {
        if let At::Inside(guard) = &self.at {
            let pass = guard.pass();
            self.passes.get_or_insert_default().push(pass);
        }
    }

    pub(super) fn end(&mut self) -> Option<Ended> {
        let shared = self.shared.take()?;
        let guard = match mem::replace(&mut self.at, At::Nowhere) {
            At::Inside(guard) => Some(guard),
            At::Nowhere | At::Superseded | At::Unavailable => None,
        };
        Some(Ended {
            shared,
            origin: self.origin,
            guard,
            notes: self.notes.take(),
        })
    }
}

/// The remains of a visit at its end.
pub(super) struct Ended {
    pub(super) shared: Arc<Shared>,
    pub(super) origin: Origin,
    pub(super) guard: Option<RequestGuard>,
    pub(super) notes: Option<Box<Notes>>,
}
