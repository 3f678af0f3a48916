//! Creation: a session takes a place, if one is free or can be freed, and is then registered.

use std::sync::Arc;

use crate::error::CreateError;
use crate::id::{GroupId, SessionId};
use crate::life::cause::CompletionCause;
use crate::life::event::{LifecycleEvent, Subject};
use crate::life::owner::AsOwner as _;
use crate::manager::eviction;
use crate::sessions::guard::RequestGuard;
use crate::sessions::idle_order::Kind;
use crate::sessions::session::{DRAINING, OPEN, Session, Sessions};
use crate::sync::Ordering;

pub(crate) fn create(
    sessions: &Arc<Sessions>,
    group: Option<&GroupId>,
) -> Result<Session, CreateError> {
    // Before the place is taken, because this may panic.
    let id = SessionId::random();
    reserve(sessions, group)?;
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
    let id = SessionId::random();
    reserve(sessions, group)?;
    let session = Session::new(sessions, id);
    if sessions.deadlines.unconfirmed.is_some() {
        session.record().expect_id();
    }
    let guard = session.try_enter().ok_or(CreateError::ShuttingDown)?;
    register(&session, group)?;
    Ok(guard)
}

/// Counts one more active session, if there is room or room can be made.
fn reserve(sessions: &Sessions, group: Option<&GroupId>) -> Result<(), CreateError> {
    // Relaxed: each counter is exact by itself, and no other memory depends on it. This check comes first: a session
    // evicted below may take the last place in cleanup, and has then made room all the same.
    if sessions.in_cleanup.load(Ordering::Relaxed) >= sessions.env.settings.max_sessions {
        return Err(CreateError::Full);
    }
    match sessions.closing.load(Ordering::SeqCst) {
        OPEN => {}
        DRAINING => return Err(CreateError::Draining),
        _ => return Err(CreateError::ShuttingDown),
    }
    let newcomer = match group {
        Some(_) => Kind::Named,
        None => Kind::Anonymous,
    };
    // The last `take_room`, because room may have come about during the search.
    if take_room(sessions) || eviction::evict(sessions, newcomer) || take_room(sessions) {
        Ok(())
    } else {
        Err(CreateError::Full)
    }
}

fn take_room(sessions: &Sessions) -> bool {
    let max = sessions.env.settings.max_sessions;
    let room = |active| (active < max).then_some(active + 1);
    sessions
        .active
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
        .is_ok()
}

/// Registers a new session.
fn register(session: &Session, group: Option<&GroupId>) -> Result<(), CreateError> {
    let sessions = session.sessions();
    // Relaxed: a statistic.
    sessions.created.fetch_add(1, Ordering::Relaxed);
    take_seat(session, group);
    sessions.env.events.deliver();
    let serial = session.local().serial;
    tracing::debug!(session = serial, "session created");
    // A shutdown reads the registry after it has set `closing`. A session that is not registered by then has to
    // detect the shutdown here.
    if sessions.is_closing() {
        session.complete(CompletionCause::Shutdown);
        return Err(CreateError::ShuttingDown);
    }
    sessions.schedule(session, session.id());
    sessions.place(session);
    Ok(())
}

/// Adds the session to its group, if it is to have a named one, and to the registry.
fn take_seat(session: &Session, group: Option<&GroupId>) {
    let sessions = session.sessions();
    // Under the session's own lock, as in `join`: the group may be terminated as soon as it has admitted the session.
    let _state = session.local().lock();
    let mut seat = session.seat();
    seat.group = group.map(|group| sessions.groups.admit(group, session.as_owner()));
    let created = || LifecycleEvent::Created(Subject::Session(session.local().serial));
    sessions.env.events.record(created);
    sessions.ids.insert(seat.id, session.clone());
}
