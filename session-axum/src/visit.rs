//! A visit: one request's dealings with its session, from its arrival to its response's head.
//!
//! The extractors of a request and its response meet here. These must hold:
//!
//! 1. A visit has one session, whichever extractor asked first, until this request itself ends that session; an
//!    extractor that asks afterwards gets a new one. A session that others ended, or took from this request by a
//!    log-in, stays the visit's and is refused: a check that the request made in one session must not count in
//!    another. Only `LazySession` may ask for another one then, since it documents that.
//! 2. The response tells the client an id only if this request created it, with the session or by changing the
//!    session's id, and only while it is the session's. It removes an id only if this request ended a session that
//!    the client knew.
//! 3. A visit ends once, with a head or without. Later calls can't tell the client anything, so they neither
//!    create nor cycle.
//! 4. The lock is never held while the transport or the group resolver runs, nor while a session ends.

mod state;

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http::{Extensions, HeaderMap};
use session_core::{GroupId, LocalSession, RequestGuard, Session, SupersededId};

use self::state::{At, Ended, State};
use crate::body::Guards;
use crate::keyed::KeyedRequest;
use crate::notes::Notes;
use crate::rejection::{self, MissingSessionLayer, ResponseStarted, SessionRejection, Superseded};
use crate::shared::{Arrival, Shared};
use crate::transport::Origin;

/// Kept in a request's extensions, one per request that passes the layer.
pub(crate) struct Visit(Mutex<State>);

/// A session as a request has found it.
pub(crate) struct Found {
    pub(crate) session: Session,
    /// This request created it.
    pub(crate) is_new: bool,
}

impl Visit {
    pub(crate) fn new(shared: Arc<Shared>, arrival: Arrival, origin: Origin) -> Self {
        let (at, notes) = match arrival {
            Arrival::Stranger => (At::Nowhere, None),
            Arrival::Superseded => (At::Superseded, None),
            Arrival::Unavailable => (At::Unavailable, None),
            Arrival::Inside(guard, notes) => (At::Inside(guard), notes),
        };
        Self(Mutex::new(State {
            shared: Some(shared),
            at,
            origin,
            notes,
            passes: None,
        }))
    }

    /// The visit of the request with this head.
    pub(crate) fn of(request: &Parts) -> Result<&Arc<Self>, MissingSessionLayer> {
        Self::in_extensions(&request.extensions)
    }

    /// The visit of the request with these extensions.
    pub(crate) fn in_extensions(
        extensions: &Extensions,
    ) -> Result<&Arc<Self>, MissingSessionLayer> {
        extensions.get().ok_or(MissingSessionLayer)
    }

    /// Another framework names the request's session.
    pub(crate) fn is_keyed(&self, request: KeyedRequest) {
        self.lock().notes_mut().keyed = Some(request);
    }

    /// The resolver has found the group at the request's arrival.
    pub(crate) fn finds_group(&self, group: GroupId) {
        self.lock().notes_mut().group = Some(group);
    }

    /// The group in which a session for this request is created. Without a head the resolver can't be asked again.
    pub(crate) fn resolve_group(&self, head: Option<&Parts>) -> Option<GroupId> {
        let (shared, group) = {
            let state = self.lock();
            (state.shared.clone(), state.group_at_arrival())
        };
        group.or_else(|| shared?.group(head?))
    }

    /// The session, if there is one and this request may have it.
    pub(crate) fn find(&self) -> Result<Option<Found>, SessionRejection> {
        match self.try_find() {
            Err(SessionRejection::Ended(_) | SessionRejection::Superseded(_)) => Ok(None),
            found => found,
        }
    }

    /// The session, if there is one; an error if this request may not have it.
    pub(crate) fn try_find(&self) -> Result<Option<Found>, SessionRejection> {
        let state = self.lock();
        match state.find()? {
            None if state.shared.is_none() => Err(ResponseStarted.into()),
            found => Ok(found),
        }
    }

    /// The session, which is created if there is none: in the group that was found at the request's arrival, otherwise
    /// in this one.
    pub(crate) fn find_or_create(
        &self,
        group: impl FnOnce(&Shared) -> Option<GroupId>,
    ) -> Result<Found, SessionRejection> {
        let (shared, at_arrival, keyed) = {
            let state = self.lock();
            if let Some(found) = state.find()? {
                return Ok(found);
            }
            let shared = state.shared.clone().ok_or(ResponseStarted)?;
            (shared, state.group_at_arrival(), state.keyed())
        };
        let group = at_arrival.or_else(|| group(&shared));
        self.enter_or_create(&shared, keyed.as_ref(), group.as_ref(), State::find)
    }

    /// The session, or a new one, even if this request may not have its session any more.
    pub(crate) fn find_or_replace(
        &self,
        group: Option<&GroupId>,
    ) -> Result<Found, SessionRejection> {
        let find = |state: &State| match state.find() {
            Err(SessionRejection::Ended(_) | SessionRejection::Superseded(_)) => Ok(None),
            found => found,
        };
        let (shared, keyed) = {
            let state = self.lock();
            if let Some(found) = find(&state)? {
                return Ok(found);
            }
            (state.shared.clone().ok_or(ResponseStarted)?, state.keyed())
        };
        match self.enter_or_create(&shared, keyed.as_ref(), group, find) {
            // The key was taken from the client a moment ago: the session is to have another.
            Err(SessionRejection::Superseded(_)) => self.create(&shared, group, find),
            entered => entered,
        }
    }

    fn enter_or_create(
        &self,
        shared: &Shared,
        keyed: Option<&KeyedRequest>,
        group: Option<&GroupId>,
        find: impl FnOnce(&State) -> Result<Option<Found>, SessionRejection>,
    ) -> Result<Found, SessionRejection> {
        let Some((keyed, key)) = keyed.and_then(|keyed| Some((keyed, keyed.key()?))) else {
            return self.create(shared, group, find);
        };
        if !keyed.is_current() {
            return Err(Superseded.into());
        }
        let entry = shared.sessions.enter_or_create_keyed(key)?;
        let session = entry.request.session();
        // Checked again afterwards: see `KeyedRequest::named_while`.
        let entered = match group {
            _ if !keyed.is_current() => Err(Superseded.into()),
            Some(group) if entry.is_new => session.join(group.clone()).map_err(Into::into),
            _ => Ok(()),
        };
        if let Err(rejection) = entered {
            if entry.is_new {
                session.terminate();
            }
            return Err(rejection);
        }
        // Its client knows the key, so the session stays even if the visit has ended.
        let mut found =
            self.settle_in(entry.request, |notes, _| notes.is_new = entry.is_new, find)?;
        if entry.is_new && !found.is_new {
            // Another extractor of the request has found it first.
            self.lock().notes_mut().is_new = true;
            found.is_new = true;
        }
        Ok(found)
    }

    fn create(
        &self,
        shared: &Shared,
        group: Option<&GroupId>,
        find: impl FnOnce(&State) -> Result<Option<Found>, SessionRejection>,
    ) -> Result<Found, SessionRejection> {
        // Outside the lock: to make room the manager may end another session, and that wakes its waiters.
        let guard = shared.sessions.create_entered(group)?;
        let session = guard.session().clone();
        let settled = self.settle_in(guard, Notes::creates, find);
        if settled
            .as_ref()
            .map_or(true, |found| found.session != session)
        {
            // Another extractor was quicker, or the visit has ended: no client will learn of this session.
            session.terminate();
        }
        settled
    }

    /// Makes the session the visit's, unless that has one by now.
    fn settle_in(
        &self,
        guard: RequestGuard,
        note: impl FnOnce(&mut Notes, &Session),
        find: impl FnOnce(&State) -> Result<Option<Found>, SessionRejection>,
    ) -> Result<Found, SessionRejection> {
        let mut state = self.lock();
        if let Some(found) = find(&state)? {
            return Ok(found);
        }
        if state.shared.is_none() {
            return Err(ResponseStarted.into());
        }
        let session = guard.session().clone();
        state.leave();
        state.at = At::Inside(guard);
        let notes = state.notes_mut();
        note(notes, &session);
        Ok(Found {
            session,
            is_new: notes.is_new,
        })
    }

    /// Returns a guard for a value that the response's head does not end. A change of id by this request parts nothing
    /// from it.
    pub(crate) fn enter(&self, session: &Session) -> Result<RequestGuard, SessionRejection> {
        if session.is_completed() {
            return Err(rejection::Ended.into());
        }
        let guard = match self.lock().guard_of(session) {
            Some(guard) => guard.clone(),
            None => session.enter()?,
        };
        // Checked afterwards: a log-in in between would not part the session from a new guard.
        let parted = self.is_parted_from(session);
        (!parted).then_some(guard).ok_or(Superseded.into())
    }

    /// Whether a page of the request's origin may open a WebSocket.
    #[cfg(feature = "ws")]
    pub(crate) fn allows_origin(&self, request: &Parts) -> bool {
        let shared = self.lock().shared.clone();
        shared
            .is_some_and(|shared| crate::page_origin::is_allowed(request, &shared.allowed_origins))
    }

    /// Makes the layer leave the response's body alone, which itself ends with the session, while the token is kept.
    pub(crate) fn bind_body(&self) -> Arc<()> {
        let mut state = self.lock();
        let bound = &mut state.notes_mut().bound;
        bound.upgrade().unwrap_or_else(|| {
            let token = Arc::new(());
            *bound = Arc::downgrade(&token);
            token
        })
    }

    /// Whether a log-in by another request has taken the session from this one. Data that was read from the
    /// session before may be handed out if this is `false` afterwards.
    pub(crate) fn is_parted_from(&self, session: &Session) -> bool {
        self.lock().is_parted_from(session)
    }

    /// Ends the session, and all others whose ids the request presented. An empty reason is none.
    pub(crate) fn terminate(&self, session: &Session, reason: &str) {
        let (pass, shared, others) = {
            let mut state = self.lock();
            if state.is_parted_from(session) {
                return;
            }
            let notes = state.notes.as_mut();
            let others = notes.map(|notes| mem::take(&mut notes.others));
            let shared = state.shared.clone();
            (state.pass_of(session), shared, others.unwrap_or_default())
        };
        // If others ended it, this response may be late, and a removal would hit the session's successor.
        let end = |session: &Session, pass| session.log_out_because(pass, reason.to_owned()).ok();
        let own = pass.and_then(|pass| end(session, pass));
        let live = shared.iter().flat_map(|shared| {
            others
                .iter()
                .filter_map(|id| shared.sessions.enter(id).ok())
        });
        let others: Vec<SupersededId> = live
            .filter_map(|other| end(other.session(), other.pass()))
            .collect();

        let mut state = self.lock();
        if state.shared.is_none() {
            // No response tells the client: it is a stranger.
            own.into_iter().chain(others).for_each(SupersededId::forget);
            return;
        }
        let is_current = state.is_at(session);
        if own.is_none() && others.is_empty() {
            return;
        }
        let has_ended = own.is_some();
        state.notes_mut().ends(own, others, is_current);
        if has_ended && is_current {
            state.leave();
        }
    }

    /// Changes the session's id, and its group if one is named.
    pub(crate) fn cycle_id(
        &self,
        session: &Session,
        group: Option<GroupId>,
    ) -> Result<(), SessionRejection> {
        // The lock is held throughout, so that the head goes out before the id is cycled or tells the new one.
        let mut state = self.lock();
        if state.shared.is_none() {
            return Err(ResponseStarted.into());
        }
        let new = match &mut state.at {
            At::Inside(guard) if guard.session() == session => match group {
                Some(group) => guard.log_in(group)?,
                None => guard.cycle_id()?,
            },
            _ => return Err(rejection::Ended.into()),
        };
        state.notes_mut().cycles(new);
        Ok(())
    }

    /// The client hung up in the middle of its request's body: it will not read the response.
    pub(crate) fn hung_up(&self) {
        self.lock().notes_mut().hung_up();
    }

    /// Ends the visit and tells the client its changes.
    pub(crate) fn end_with_head(self: Arc<Self>, head: &mut HeaderMap) -> Guards {
        // Usually the request is gone by now, and this is the last reference.
        let ended = match Arc::try_unwrap(self) {
            Ok(Self(state)) => state
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .end(),
            Err(visit) => {
                let mut state = visit.lock();
                state.keep_pass();
                state.end()
            }
        };
        let Some(Ended {
            shared,
            origin,
            guard,
            notes,
        }) = ended
        else {
            return Guards::default();
        };
        let bound = notes.as_ref().is_some_and(|notes| notes.binds_body());
        let left = notes.map(|notes| notes.tell(guard.as_ref(), &*shared.transport, origin, head));
        if bound {
            return Guards::default();
        }
        Guards::new(guard, left.unwrap_or_default())
    }

    /// Ends the visit without telling the client anything.
    pub(crate) fn end_without_head(&self) {
        let ended = {
            let mut state = self.lock();
            state.keep_pass();
            state.end()
        };
        if let Some(Ended {
            guard,
            notes: Some(notes),
            ..
        }) = ended
        {
            notes.keep_untold(guard.as_ref());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic comes between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
