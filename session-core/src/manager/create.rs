//! Creation: a session takes a place, if one is free or can be freed, and is then registered.

use std::sync::Arc;

use crate::error::{CreateError, GroupFull, NotLive};
use crate::id::session_key::KeyHash;
use crate::id::{GroupId, SessionId};
use crate::life::cause::CompletionCause;
use crate::life::event::{LifecycleEvent, Subject};
use crate::life::owner::AsOwner as _;
use crate::manager::eviction;
use crate::sessions::evicted::Evicted;
use crate::sessions::guard::RequestGuard;
use crate::sessions::idle_order::Kind;
use crate::sessions::session::{DRAINING, OPEN, Session, Sessions};
use crate::sync::Ordering;

pub(crate) fn create(
    sessions: &Arc<Sessions>,
    group: Option<&GroupId>,
) -> Result<Session, CreateError> {
    // Before the place is taken, because this may panic.
    let id = SessionId::random(sessions.tag.get());
    make_room(sessions, group)?;
    let session = Session::new(sessions, id);
    register(&session, group)?;
    Ok(session)
}

/// Creates a session that has a request inside from the start, so that it is never idle before that.
pub(crate) fn create_entered(
    sessions: &Arc<Sessions>,
    group: Option<&GroupId>,
) -> Result<RequestGuard, CreateError> {
    // Before the place is taken, because this may panic.
    let id = SessionId::random(sessions.tag.get());
    make_room(sessions, group)?;
    let session = Session::new(sessions, id);
    if sessions.deadlines.unconfirmed.is_some() {
        session.record().expect_id();
    }
    let guard = session.try_enter().ok_or(CreateError::ShuttingDown)?;
    register(&session, group)?;
    Ok(guard)
}

/// Takes the session with this key, or creates it and takes that. Of any number of callers one creates it, and is told so
/// beside.
///
/// `take` returns `None` once completion has begun.
pub(crate) fn get_or_create_keyed<T>(
    sessions: &Arc<Sessions>,
    key: KeyHash,
    take: impl Fn(&Session) -> Option<T>,
) -> Result<(T, bool), CreateError> {
    let find = || match sessions.keyed(&key, &take) {
        Ok(taken) => Ok(Some(taken)),
        Err(NotLive::Superseded) => Err(CreateError::KeySuperseded),
        Err(NotLive::Unknown) => Ok(None),
    };
    if let Some(taken) = find()? {
        return Ok((taken, false));
    }
    // Before the lock is taken, because this may panic.
    let id = SessionId::random(sessions.tag.get());
    let (session, taken, evicted) = {
        let _adding = sessions.keys.adding.lock();
        if let Some(taken) = find()? {
            return Ok((taken, false));
        }
        check(sessions)?;
        let evicted = reserve(sessions, Kind::Anonymous)?;
        let session = Session::new(sessions, id);
        // Before others see it: a session that has a request inside is not evicted.
        let taken = take(&session).ok_or(CreateError::ShuttingDown)?;
        take_seat(&session, None, Some(key))?;
        (session, taken, evicted)
    };
    drop(evicted);
    registered(&session)?;
    Ok((taken, true))
}

/// Takes a place for a session in this group.
fn make_room(sessions: &Sessions, group: Option<&GroupId>) -> Result<(), CreateError> {
    check(sessions)?;
    let mut newcomer = Kind::Anonymous;
    if let Some(group) = group {
        newcomer = Kind::Named;
        // The group first: a session that it ends makes room in the manager as well.
        drop(sessions.make_room_in(group)?);
    }
    drop(reserve(sessions, newcomer)?);
    Ok(())
}

/// Whether the manager creates sessions.
fn check(sessions: &Sessions) -> Result<(), CreateError> {
    // Relaxed: each counter is exact by itself, and no other memory depends on it. This check comes first: a session
    // evicted below may take the last place in cleanup, and has then made room all the same.
    if sessions.in_cleanup.load(Ordering::Relaxed) >= sessions.env.settings.max_sessions {
        return Err(CreateError::Full);
    }
    match sessions.closing.load(Ordering::SeqCst) {
        OPEN => Ok(()),
        DRAINING => Err(CreateError::Draining),
        _ => Err(CreateError::ShuttingDown),
    }
}

/// Counts one more active session, if there is room or room can be made. Returns the session that made room.
fn reserve(sessions: &Sessions, newcomer: Kind) -> Result<Option<Evicted>, CreateError> {
    let take_place = || sessions.places.take(sessions.env.settings.max_sessions);
    if take_place() {
        return Ok(None);
    }
    match eviction::evict(sessions, newcomer) {
        Some(evicted) => Ok(Some(evicted)),
        // Room may have come about during the search.
        None if take_place() => Ok(None),
        None => check(sessions).and(Err(CreateError::Full)),
    }
}

/// Registers a new session that has a place.
fn register(session: &Session, group: Option<&GroupId>) -> Result<(), CreateError> {
    let sessions = session.sessions();
    while let (Err(GroupFull), Some(group)) = (take_seat(session, group, None), group) {
        // Another session has taken the room.
        let room = sessions.make_room_in(group);
        if room.is_err() {
            sessions.places.free();
            sessions.env.cleanups.ended.notify_waiters();
        }
        drop(room?);
    }
    registered(session)
}

/// Takes the steps after a new session is registered.
fn registered(session: &Session) -> Result<(), CreateError> {
    let sessions = session.sessions();
    // Relaxed: a statistic.
    sessions.created.fetch_add(1, Ordering::Relaxed);
    sessions.env.events.deliver();
    let serial = session.local().serial;
    tracing::debug!(session = serial, "session created");
    // A shutdown reads the registry after it has set `closing`. A session that is not registered by then has to
    // detect the shutdown here.
    if sessions.is_closing() {
        session.complete(CompletionCause::Shutdown);
        return Err(CreateError::ShuttingDown);
    }
    // Likewise for the tag.
    let id = session.id();
    if sessions.tag.is_not_of(&id) {
        session.complete(CompletionCause::OwnershipLost);
        return Ok(());
    }
    sessions.schedule(session, id);
    sessions.place(session);
    Ok(())
}

/// Adds the session to its group, if it is to have a named one, and to the registries.
fn take_seat(
    session: &Session,
    group: Option<&GroupId>,
    key: Option<KeyHash>,
) -> Result<(), GroupFull> {
    let sessions = session.sessions();
    // Under the session's own lock, as in `join`: the group may be terminated as soon as it has admitted the session.
    let mut state = session.local().lock();
    let mut seat = session.seat();
    if let Some(group) = group {
        let group = sessions.groups.admit(group, session.as_owner())?;
        group.has_arrived(session.local().serial);
        seat.group = Some(group);
    }
    let created = || LifecycleEvent::Created(Subject::Session(session.local().serial));
    sessions.env.events.record(created);
    sessions.ids.insert(seat.id, session.clone());
    if let Some(key) = key {
        state.set_key(Some(key));
        sessions.keys.slots.insert(key, session.clone());
    }
    Ok(())
}
