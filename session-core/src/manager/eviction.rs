//! Eviction: the session that makes room in a full manager, found without a look at all.
//!
//! Invariants:
//! 1. An active session is in the order, or parked, or about to be placed by one thread: the one that created it, ended
//!    its activity, or searches. So a search that finds none has missed none.
//! 2. A session stands under a time at which it was idle. It may have been active since, and then has been idle since a
//!    later time. So the first one that has not been active is the longest idle of all, and a look at one that has is
//!    paid for by its activity.
//! 3. One search at a time. Its lock is the first in the order of locks.

use crate::life::owner::AsOwner as _;
use crate::sessions::idle_order::Kind;
use crate::sessions::session::Sessions;

/// Ends the first session in the order, so that its place among the active ones is the caller's. Returns `false` if
/// there is none that a session of this kind may end.
pub(crate) fn evict(sessions: &Sessions, newcomer: Kind) -> bool {
    let Some(idle) = &sessions.idle else {
        return false;
    };
    let (session, completion) = {
        let _search = idle.search.lock();
        loop {
            let Some(first) = idle.order.lock().first(newcomer) else {
                return false;
            };
            let session = first.session;
            if let Ok(completion) = session.evict(first.since, first.kind) {
                break (session, completion);
            }
            sessions.displace(session.local().serial);
            sessions.place(&session);
        }
    };
    completion.carry_out(session.as_owner());
    true
}
