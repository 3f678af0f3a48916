//! Session groups.
//!
//! Invariants:
//! 1. A session is a member from when it joins until it leaves or has been cleaned up.
//! 2. A group is closed once, under the lock of its members: by its last leave, or by termination. A closed
//!    group admits nobody; who asks for its id founds a new one.
//! 3. A group completes after it was closed and its last member has left, and only then.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::cleanups::Owed;
use crate::id::GroupId;
use crate::life::activity::{Activity, Epoch, Left};
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::life::lifecycle::{self, Local};
use crate::owner::OwnerRef;
use crate::session::{Session, WeakSession};
use crate::shared::Shared;
use crate::sync::{Counted, Mutex, WeakCounted};

/// The sessions that share one group id: one user, one tenant, one browser.
///
/// It is born with its first session and ends when its last session has ended. Like a session it has
/// properties, tasks, owned values and a completion: see [`LocalSession`](crate::LocalSession). It has no
/// timeouts of its own.
#[derive(Clone)]
pub struct SessionGroup(Counted<Inner>);

#[derive(Clone)]
pub(crate) struct WeakGroup(WeakCounted<Inner>);

struct Inner {
    serial: u64,
    id: Option<GroupId>,
    local: Local,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    sessions: HashMap<u64, WeakSession>,
    /// Why it will complete; admits nobody from then on.
    closed: Option<CompletionCause>,
}

impl SessionGroup {
    pub(crate) fn new(shared: &Arc<Shared>, id: Option<GroupId>) -> Self {
        Self(Counted::new(Inner {
            serial: shared.next_serial(),
            id,
            local: Local::new(shared.clone(), Ticks(0)),
            members: Mutex::new(Members::default()),
        }))
    }

    pub(crate) fn local(&self) -> &Local {
        &self.0.local
    }

    pub(crate) fn serial_number(&self) -> u64 {
        self.0.serial
    }

    /// The name that the application gave it; an anonymous group has none.
    pub fn id(&self) -> Option<&GroupId> {
        self.0.id.as_ref()
    }

    /// The sessions that are its members now, in no order; one in cleanup is still a member.
    pub fn sessions(&self) -> Vec<Session> {
        self.0
            .members
            .lock()
            .sessions
            .values()
            .filter_map(WeakSession::upgrade)
            .collect()
    }

    pub(crate) fn downgrade(&self) -> WeakGroup {
        WeakGroup(Counted::downgrade(&self.0))
    }

    /// Makes the session a member, unless the group is closed.
    pub(crate) fn admit(&self, session: &Session) -> bool {
        let mut members = self.0.members.lock();
        if members.closed.is_some() {
            return false;
        }
        members
            .sessions
            .insert(session.serial_number(), session.downgrade());
        true
    }

    /// The session is a member no more. Gives the group if it has to complete now.
    pub(crate) fn release(&self, session: &Session) -> Option<Self> {
        let mut members = self.0.members.lock();
        members.sessions.remove(&session.serial_number())?;
        if !members.sessions.is_empty() {
            return None;
        }
        members
            .closed
            .get_or_insert(CompletionCause::LastSessionEnded);
        drop(members);
        Some(self.clone())
    }

    /// Completes a group whose last member has left.
    pub(crate) fn complete(&self) {
        let cause = *self
            .0
            .members
            .lock()
            .closed
            .get_or_insert(CompletionCause::LastSessionEnded);
        let owner = OwnerRef::Group(self);
        let _ = lifecycle::complete(owner, cause, Activity::complete, || self.unregister());
    }

    /// Closes it to newcomers, then ends its sessions; the last of them to be cleaned up ends the group.
    pub(crate) fn end(&self) {
        let sessions = {
            let mut members = self.0.members.lock();
            if members.closed.is_some() {
                return;
            }
            members.closed = Some(CompletionCause::Terminated);
            members
                .sessions
                .values()
                .filter_map(WeakSession::upgrade)
                .collect::<Vec<_>>()
        };
        self.unregister();
        if sessions.is_empty() {
            // Founded a moment ago, for a session that it has not admitted yet: that one founds another.
            self.complete();
        }
        for session in sessions {
            session.complete(CompletionCause::Terminated);
        }
    }

    /// Takes it out of the registry, if that still knows this one under its id.
    pub(crate) fn unregister(&self) {
        if let Some(id) = self.id() {
            self.local()
                .shared
                .groups
                .remove_if(id, |group| group == self);
        }
    }
}

impl WeakGroup {
    pub(crate) fn upgrade(&self) -> Option<SessionGroup> {
        self.0.upgrade().map(SessionGroup)
    }
}

impl PartialEq for SessionGroup {
    fn eq(&self, other: &Self) -> bool {
        Counted::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SessionGroup {}

impl fmt::Debug for SessionGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGroup")
            .field("serial", &self.serial_number())
            .field("id", &self.id())
            .field("cause", &self.local().cause())
            .finish_non_exhaustive()
    }
}

/// The end of a group that its last session has left. It is owed from then on, and comes about when this is dropped:
/// outside all locks.
pub(crate) struct OwedEnd {
    group: SessionGroup,
    _owed: Owed,
}

impl OwedEnd {
    pub(crate) fn new(group: SessionGroup) -> Self {
        Self {
            _owed: Owed::new(OwnerRef::Group(&group)),
            group,
        }
    }
}

impl Drop for OwedEnd {
    fn drop(&mut self) {
        self.group.complete();
    }
}

/// A request that was inside a session when that left the group: the group's drain waits for it.
pub(crate) struct GroupHold {
    group: SessionGroup,
    epoch: Epoch,
}

impl GroupHold {
    pub(crate) fn new(group: &SessionGroup) -> Option<Self> {
        let epoch = group.local().activity.enter()?;
        Some(Self {
            group: group.clone(),
            epoch,
        })
    }
}

impl Drop for GroupHold {
    fn drop(&mut self) {
        let local = self.group.local();
        if local.activity.leave(self.epoch, || Ticks(0)) != Left::Quietly {
            local.check_drained();
        }
    }
}
