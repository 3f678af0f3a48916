//! The notes that few requests need: changes they made that their clients must be told, and what came of an arrival
//! that was out of the ordinary.

use std::mem;
use std::sync::Weak;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use session_core::{GroupId, LocalSession, NewId, RequestGuard, Session, SessionId, SupersededId};

use crate::keyed::KeyedRequest;
use crate::transport::{Origin, SessionTransport};

/// The notes of one visit.
#[derive(Default)]
pub(crate) struct Notes {
    /// The ids that the request presented after that of its session.
    pub(crate) others: Vec<SessionId>,
    /// The group that the resolver found at the request's arrival.
    pub(crate) group: Option<GroupId>,
    /// Another framework names the request's session.
    pub(crate) keyed: Option<KeyedRequest>,
    /// The request created its session.
    pub(crate) is_new: bool,
    /// The new id of the session, from its creation or from a change of id by this request.
    untold: Option<SessionId>,
    /// The request ended a session that the client knew.
    removes: bool,
    /// The ids that the request has taken from its client.
    taken: Vec<SupersededId>,
    /// Keep the request inside the sessions that it was in before.
    pub(crate) left: Vec<RequestGuard>,
    hung_up: bool,
    /// Upgrades while the response's body, which itself ends with the session, exists.
    pub(crate) bound: Weak<()>,
}

impl Notes {
    /// Whether the response's body needs no guards: it has its own.
    pub(crate) fn binds_body(&self) -> bool {
        self.bound.upgrade().is_some()
    }

    pub(crate) fn creates(&mut self, session: &Session) {
        self.is_new = true;
        self.untold = Some(session.id());
        if let Some(keyed) = &self.keyed {
            keyed.creates(session);
        }
    }

    pub(crate) fn cycles(&mut self, new: NewId) {
        let id = new.id();
        self.takes(new.into_superseded());
        // The client of a keyed session knows its key, unless the request has created it without one.
        if self.keyed.is_none() || self.untold.is_some() {
            self.untold = Some(id);
        }
    }

    /// The request has ended a session, unless others have, and those whose ids its client presented as well.
    pub(crate) fn ends(
        &mut self,
        session: Option<SupersededId>,
        others: Vec<SupersededId>,
        is_current: bool,
    ) {
        self.removes |= !others.is_empty();
        self.taken.extend(others);
        if let Some(id) = session {
            self.removes |= is_current && !self.is_new;
            self.takes(id);
            if is_current {
                self.is_new = false;
                self.untold = None;
            }
        }
    }

    /// The client hung up in the middle of its request's body.
    pub(crate) fn hung_up(&mut self) {
        self.hung_up = true;
    }

    /// A session's id is taken from its client.
    fn takes(&mut self, id: SupersededId) {
        if self.untold == Some(id.id()) {
            // The client never knew it.
            id.forget();
        } else {
            self.taken.push(id);
        }
    }

    /// Tells the client its changes in the response's head; `guard` belongs to the session that the request is in now.
    /// Returns the guards that keep the request inside its earlier sessions.
    pub(crate) fn tell(
        mut self: Box<Self>,
        guard: Option<&RequestGuard>,
        transport: &dyn SessionTransport,
        origin: Origin,
        head: &mut HeaderMap,
    ) -> Vec<RequestGuard> {
        let left = mem::take(&mut self.left);
        if self.hung_up {
            self.keep_untold(guard);
            return left;
        }
        let telling = Telling {
            notes: Some(self),
            guard,
        };
        if telling.tell(transport, origin, head) {
            head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        telling.done();
        left
    }

    /// Tells the client nothing: it is a stranger from now on, and a session whose id it was to be told ends.
    pub(crate) fn keep_untold(self, guard: Option<&RequestGuard>) {
        if let Some(guard) = guard
            && self.current(guard).is_some()
        {
            guard.session().terminate();
        }
        for taken in self.taken {
            taken.forget();
        }
    }

    /// The id to tell, if it is still the session's.
    fn current(&self, guard: &RequestGuard) -> Option<SessionId> {
        let session = guard.session();
        self.untold
            .filter(|id| session.id() == *id && !session.is_completed())
    }
}

/// Notes that count as untold unless the client is told: a transport may panic.
struct Telling<'g> {
    notes: Option<Box<Notes>>,
    guard: Option<&'g RequestGuard>,
}

impl Telling<'_> {
    /// Returns whether there was something to tell.
    fn tell(&self, transport: &dyn SessionTransport, origin: Origin, head: &mut HeaderMap) -> bool {
        let Some(notes) = &self.notes else {
            return false;
        };
        let current = self.guard.and_then(|guard| notes.current(guard));
        let unknown = notes.is_new && notes.untold.is_some();
        if let (None, true, Some(guard)) = (current, unknown, self.guard) {
            // Its id was changed through core's handle, or it has ended: no client knows it.
            guard.session().terminate();
        }
        match current {
            Some(id) => transport.write(origin, head, id),
            None if notes.removes => transport.remove(origin, head),
            None => return false,
        }
        true
    }

    /// Starts the time for which the ids that were taken count as superseded.
    fn done(mut self) {
        self.notes = None;
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if let Some(notes) = self.notes.take() {
            notes.keep_untold(self.guard);
        }
    }
}
