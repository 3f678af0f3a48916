//! Eviction: the session that makes room in a full manager, found without a look at all sessions.
//!
//! Invariants:
//! 1. An active session is in the order, or parked, or about to be placed by one thread: the one that created it, ended
//!    its activity, or searches. So a search that finds none has missed none.
//! 2. A session is listed under a time at which it was idle. If it has been active since, it has been idle since a
//!    later time. So the first session that has not been active since is the longest idle of all. The cost of a look
//!    at one that has been active is accounted to that activity.
//! 3. One search runs at a time. Its lock is the first in the lock order.

use crate::sessions::evicted::Evicted;
use crate::sessions::idle_order::Kind;
use crate::sessions::session::Sessions;

/// Ends the first session in the order. Its place among the active ones goes to the caller. Returns `None` if there is
/// no session that a newcomer of this kind may end.
pub(crate) fn evict(sessions: &Sessions, newcomer: Kind) -> Option<Evicted> {
    let idle = sessions.idle.as_ref()?;
    let _search = idle.search.lock();
    loop {
        let first = idle.order.lock().first(newcomer)?;
        let session = first.session;
        if let Ok(completion) = session.evict(first.since, first.kind) {
            return Some(Evicted::new(session, completion));
        }
        sessions.displace(session.local().serial);
        sessions.place(&session);
    }
}
