//! Session groups.
//!
//! Invariants:
//! 1. A session is a member from when it joins until it leaves or has been cleaned up.
//! 2. A group is closed once, under the lock of its members, when its last member leaves or when it is terminated. A
//!    closed group admits no session; a session that is to join a group with its id creates a new one.
//! 3. A group completes after it was closed and its last member has left, and only then.

use std::collections::HashMap;
use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;

use crate::id::GroupId;
use crate::life::activity::{Epoch, Left};
use crate::life::cause::CompletionCause;
use crate::life::cleanups::Owed;
use crate::life::clock::Ticks;
use crate::life::env::Env;
use crate::life::event::{LifecycleEvent, Subject};
use crate::life::lifecycle;
use crate::life::owner::{AnyLocal, AsOwner, Local, Owner, OwnerRef, WeakOwner};
use crate::life::state::State;
use crate::sync::registry::Registry;
use crate::sync::{Counted, Mutex};

/// The named groups of a manager.
pub(crate) struct Groups {
    env: Arc<Env>,
    named: Registry<GroupId, SessionGroup, RandomState>,
}

impl Groups {
    pub(crate) fn new(env: Arc<Env>) -> Self {
        Self {
            env,
            named: Registry::new(),
        }
    }

    pub(crate) fn get(&self, id: &GroupId) -> Option<SessionGroup> {
        self.named.get(id)
    }

    pub(crate) fn all(&self) -> Vec<SessionGroup> {
        self.named.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.named.len()
    }

    /// Makes the session a member of the named group, and creates the group if there is none.
    pub(crate) fn admit(self: &Arc<Self>, id: &GroupId, session: OwnerRef<'_>) -> SessionGroup {
        // Records the event before any thread can find the group and end it.
        let found = || SessionGroup::found(self, Some(id.clone()));
        loop {
            let group = self.named.get_or_insert(id.clone(), found);
            if group.admit(session) {
                return group;
            }
            // The group is closed, and about to be removed: create a new one.
            group.0.leave_registry();
        }
    }
}

/// The sessions that share one group id: one user, one tenant, one browser.
///
/// It is created with its first session and ends when its last session has ended. Like a session it has
/// properties, tasks, owned values and a completion: see [`LocalSession`](crate::LocalSession). It has no
/// timeouts of its own.
#[derive(Clone)]
pub struct SessionGroup(Counted<Inner>);

struct Inner {
    id: Option<GroupId>,
    local: Local,
    members: Mutex<Members>,
    groups: Arc<Groups>,
}

#[derive(Default)]
struct Members {
    sessions: HashMap<u64, WeakOwner>,
    /// The cause for which it will complete. Once set, no session is admitted.
    closed: Option<CompletionCause>,
}

impl SessionGroup {
    /// Creates a group, and records the event.
    pub(crate) fn found(groups: &Arc<Groups>, id: Option<GroupId>) -> Self {
        let group = Self(Counted::new(Inner {
            id,
            local: Local::new(groups.env.clone(), Ticks(0)),
            members: Mutex::new(Members::default()),
            groups: groups.clone(),
        }));
        let created = || LifecycleEvent::Created(group.0.subject());
        groups.env.events.record(created);
        group
    }

    /// Returns the group, if the owner is one.
    pub(crate) fn of(owner: Owner) -> Option<Self> {
        owner.downcast().map(Self)
    }

    pub(crate) fn local(&self) -> &Local {
        &self.0.local
    }

    /// Returns the name from the application; `None` for an anonymous group.
    pub fn id(&self) -> Option<&GroupId> {
        self.0.id.as_ref()
    }

    /// Returns the members; one in cleanup is still a member.
    pub(crate) fn members(&self) -> Vec<Owner> {
        let members = self.0.members.lock();
        members
            .sessions
            .values()
            .filter_map(WeakOwner::upgrade)
            .collect()
    }

    /// Makes the session a member, unless the group is closed.
    pub(crate) fn admit(&self, session: OwnerRef<'_>) -> bool {
        let mut members = self.0.members.lock();
        if members.closed.is_some() {
            return false;
        }
        let serial = session.local().serial;
        members.sessions.insert(serial, session.downgrade());
        true
    }

    /// Removes the session with this serial from the members. Returns the cause if the group has to complete now.
    pub(crate) fn release(&self, session: u64) -> Option<CompletionCause> {
        let mut members = self.0.members.lock();
        members.sessions.remove(&session)?;
        if !members.sessions.is_empty() {
            return None;
        }
        let closed = members
            .closed
            .get_or_insert(CompletionCause::LastSessionEnded);
        Some(*closed)
    }

    /// Completes a group that has no members.
    pub(crate) fn complete(&self) {
        let cause = *self
            .0
            .members
            .lock()
            .closed
            .get_or_insert(CompletionCause::LastSessionEnded);
        lifecycle::complete(self.as_owner(), cause);
    }
}

impl AsOwner for SessionGroup {
    #[inline]
    fn as_owner(&self) -> OwnerRef<'_> {
        OwnerRef::new(&self.0)
    }

    /// Closes the group to newcomers, then ends its sessions. The last of them to be cleaned up ends the group.
    fn end(&self) {
        {
            let mut members = self.0.members.lock();
            if members.closed.is_some() {
                return;
            }
            members.closed = Some(CompletionCause::Terminated);
        }
        let sessions = self.members();
        self.0.leave_registry();
        if sessions.is_empty() {
            // Created a moment ago, for a session that it has not admitted yet. That session creates another group.
            self.complete();
        }
        for session in sessions {
            lifecycle::complete(session.as_ref(), CompletionCause::Terminated);
        }
    }
}

impl Inner {
    /// Removes the group from the registry, if it is still the one registered under its id.
    fn leave_registry(&self) {
        if let Some(id) = &self.id {
            let named = &self.groups.named;
            named.remove_if(id, |group| std::ptr::eq(&raw const *group.0, self));
        }
    }
}

impl AnyLocal for Inner {
    fn local(&self) -> &Local {
        &self.local
    }

    fn subject(&self) -> Subject {
        Subject::Group {
            serial: self.local.serial,
            id: self.id.clone(),
        }
    }

    fn unregister(&self, _locked: &mut State) {
        self.leave_registry();
    }

    fn leave(&self) -> Option<(Owner, CompletionCause)> {
        None
    }

    fn cleaned_up(&self) {}
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
            .field("serial", &self.local().serial)
            .field("id", &self.id())
            .field("cause", &self.local().cause())
            .finish_non_exhaustive()
    }
}

/// The end of a group that its last session has left. It is owed from then on. Dropping this ends the group: drop it
/// outside all locks.
pub(crate) struct OwedEnd {
    group: SessionGroup,
    _owed: Owed,
}

impl OwedEnd {
    pub(crate) fn new(group: SessionGroup) -> Self {
        Self {
            _owed: Owed::new(&group.local().env.cleanups, group.0.subject()),
            group,
        }
    }
}

impl Drop for OwedEnd {
    fn drop(&mut self) {
        self.group.complete();
    }
}

/// A request that was inside a session when the session left the group. The group's drain waits for it.
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
