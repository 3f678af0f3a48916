//! A visit: one request's dealings with its session, from its arrival to its response's head.
//!
//! The extractors of a request and its response meet here. What must hold:
//!
//! 1. A visit has one session, whichever extractor asked first, until this request itself ends that session;
//!    whoever asks then gets a new one. One that others ended stays the visit's: what the request has checked
//!    in one session must not be done in another.
//! 2. The response tells the client an id only where this request created the session or cycled its id, and
//!    removes it only where this request ended a session that the client knew.
//! 3. A visit ends once, with a head or without; what comes later can't tell the client anything, so it neither
//!    creates nor cycles.
//! 4. The lock is never held while transport or group resolver run, nor while a session ends.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use session_core::{LocalSession, RequestGuard, Session, SessionEnded};

use crate::layer::Shared;
use crate::rejection::{MissingSessionLayer, ResponseStarted, SessionRejection};

/// In a request's extensions, one for each that passes the layer.
pub(crate) struct Visit(Mutex<State>);

struct State {
    /// `None` once the visit has ended. Not kept beyond: a handler may store its session for long, and a
    /// manager that something in it keeps alive never shuts down by itself.
    shared: Option<Arc<Shared>>,
    session: Option<Session>,
    client: Client,
    /// This request ended a session that the client knew.
    removes: bool,
    /// Keep the request inside the sessions that it created.
    guards: Vec<RequestGuard>,
}

/// What the client knows of the session's id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    /// It presented it.
    Knows,
    /// It presented the one before: this request cycled it.
    KnowsTheOld,
    /// Nothing: this request created the session.
    KnowsNothing,
}

impl Visit {
    pub(crate) fn new(shared: Arc<Shared>, session: Option<Session>) -> Self {
        Self(Mutex::new(State {
            shared: Some(shared),
            session,
            client: Client::Knows,
            removes: false,
            guards: Vec::new(),
        }))
    }

    /// The visit of the request with this head.
    pub(crate) fn of(request: &Parts) -> Result<&Arc<Self>, MissingSessionLayer> {
        request.extensions.get().ok_or(MissingSessionLayer)
    }

    /// The session and whether this request created it; `None` if there is none, or it has ended.
    pub(crate) fn find(&self) -> Option<(Session, bool)> {
        self.lock().find().ok().flatten()
    }

    /// The session and whether this request created it, as it does now if there is none.
    pub(crate) fn find_or_create(
        &self,
        request: &Parts,
    ) -> Result<(Session, bool), SessionRejection> {
        let shared = {
            let state = self.lock();
            if let Some(found) = state.find()? {
                return Ok(found);
            }
            state.shared.clone().ok_or(ResponseStarted)?
        };
        let group = shared
            .groups
            .as_ref()
            .and_then(|groups| groups.group(request));

        // Outside the lock: to make room the manager may end another session, and that wakes its waiters.
        let session = match group {
            Some(group) => shared.sessions.create_in(group)?,
            None => shared.sessions.create()?,
        };
        let settled = self.settle_on(&session);
        if settled
            .as_ref()
            .map_or(true, |(found, _)| *found != session)
        {
            // Another extractor was quicker, or the visit has ended: nobody will ever know of this one.
            session.terminate();
        }
        settled
    }

    /// Makes the new session the visit's, unless that has one by now.
    fn settle_on(&self, session: &Session) -> Result<(Session, bool), SessionRejection> {
        let mut state = self.lock();
        if let Some(found) = state.find()? {
            return Ok(found);
        }
        if state.shared.is_none() {
            return Err(ResponseStarted.into());
        }
        state.guards.push(session.enter()?);
        state.session = Some(session.clone());
        state.client = Client::KnowsNothing;
        Ok((session.clone(), true))
    }

    pub(crate) fn terminate(&self, session: &Session) {
        // Had others ended it, this response might be late: the removal would hit the session's successor.
        if !session_core::__private::terminate(session) {
            return;
        }
        let mut state = self.lock();
        if state.is_at(session) {
            state.removes |= state.client != Client::KnowsNothing;
            state.session = None;
        }
    }

    pub(crate) fn cycle_id(&self, session: &Session) -> Result<(), SessionRejection> {
        // The lock is held throughout, so that the head goes out before the id is cycled or tells the new one.
        let mut state = self.lock();
        if state.shared.is_none() {
            return Err(ResponseStarted.into());
        }
        let _told_by_the_head = session.cycle_id()?;
        if state.is_at(session) && state.client == Client::Knows {
            state.client = Client::KnowsTheOld;
        }
        Ok(())
    }

    /// Ends the visit and tells the client what it has to know; gives the guards of what was created.
    pub(crate) fn end_with_head(self: Arc<Self>, head: &mut HeaderMap) -> Vec<RequestGuard> {
        // Mostly the request has gone by now, and nobody else has the visit.
        let ended = match Arc::try_unwrap(self) {
            Ok(Self(state)) => state
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .end(),
            Err(visit) => visit.lock().end(),
        };
        let Some(ended) = ended else {
            return Vec::new();
        };
        let told = Told(ended.session);
        let transport = &ended.shared.transport;
        match &told.0 {
            Some(session) => transport.write(head, session.id()),
            None if ended.removes => transport.remove(head),
            None => return ended.guards,
        }
        told.indeed();
        head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        ended.guards
    }

    /// Ends the visit of which the client learns nothing.
    pub(crate) fn end_without_head(&self) {
        let mut state = self.lock();
        if state.shared.take().is_none() {
            return;
        }
        let guards = mem::take(&mut state.guards);
        let unknown = match state.client {
            Client::KnowsNothing => state.session.clone(),
            Client::Knows | Client::KnowsTheOld => None,
        };
        drop(state);

        if let Some(session) = unknown {
            session.terminate();
        }
        drop(guards);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic comes between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self) -> Option<Ended> {
        let untold = self.client != Client::Knows;
        let session = self
            .session
            .as_ref()
            .filter(|session| untold && !session.is_completed());
        Some(Ended {
            shared: self.shared.take()?,
            guards: mem::take(&mut self.guards),
            session: session.cloned(),
            removes: self.removes,
        })
    }

    fn find(&self) -> Result<Option<(Session, bool)>, SessionEnded> {
        match &self.session {
            Some(session) if session.is_completed() => Err(SessionEnded),
            Some(session) => Ok(Some((session.clone(), self.client == Client::KnowsNothing))),
            None => Ok(None),
        }
    }

    fn is_at(&self, session: &Session) -> bool {
        self.session.as_ref() == Some(session)
    }
}

/// What a visit leaves when its response's head goes out.
struct Ended {
    shared: Arc<Shared>,
    guards: Vec<RequestGuard>,
    /// Its id is to be told to the client.
    session: Option<Session>,
    removes: bool,
}

/// A session that is ended unless its client is told: a transport may panic.
struct Told(Option<Session>);

impl Told {
    fn indeed(mut self) {
        self.0 = None;
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.terminate();
        }
    }
}
