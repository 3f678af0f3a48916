//! The things that are to be known of few requests: what they have done and their clients have to hear of.

use std::mem;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use session_core::{LocalSession, NewId, RequestGuard, SessionId, SupersededId};

use crate::transport::SessionTransport;

/// The notes of one visit.
#[derive(Default)]
pub(crate) struct Notes {
    /// The ids that the request presented after that of its session.
    pub(crate) others: Vec<SessionId>,
    /// The request created its session.
    pub(crate) is_new: bool,
    /// The id that the request made for its session, by creating it or by changing its id.
    untold: Option<SessionId>,
    /// The request ended a session that the client knew.
    removes: bool,
    /// The ids that the request has taken from its client.
    taken: Vec<SupersededId>,
    /// Keep the request inside the sessions that it was in before.
    pub(crate) left: Vec<RequestGuard>,
    hung_up: bool,
}

impl Notes {
    pub(crate) fn creates(&mut self, id: SessionId) {
        self.is_new = true;
        self.untold = Some(id);
    }

    pub(crate) fn cycles(&mut self, new: NewId) {
        let id = new.id();
        self.takes(new.into_superseded());
        self.untold = Some(id);
    }

    /// The request has ended a session, if others have not, and those whose ids its client presented beside.
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

    /// The client has gone in the middle of its request's body.
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

    /// Writes into the response's head what the client has to know; `guard` is of the session that it is in now.
    /// Returns what keeps the request inside the sessions before.
    pub(crate) fn tell(
        mut self: Box<Self>,
        guard: Option<&RequestGuard>,
        transport: &dyn SessionTransport,
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
        if telling.tell(transport, head) {
            head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        telling.done();
        left
    }

    /// The client learns nothing: it is a stranger from now on, and a session whose id it was to be told ends.
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

    /// The id that is to be told, if it is still the session's.
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
    fn tell(&self, transport: &dyn SessionTransport, head: &mut HeaderMap) -> bool {
        let Some(notes) = &self.notes else {
            return false;
        };
        let current = self.guard.and_then(|guard| notes.current(guard));
        if let (None, true, Some(guard)) = (current, notes.is_new, self.guard) {
            // By core's handle its id was changed, or it has ended: no client knows it.
            guard.session().terminate();
        }
        match current {
            Some(id) => transport.write(head, id),
            None if notes.removes => transport.remove(head),
            None => return false,
        }
        true
    }

    /// The time of the ids that were taken begins.
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
