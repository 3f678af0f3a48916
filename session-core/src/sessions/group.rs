//! Session groups.
//!
//! Invariants:
//! 1. A session is a member from when it joins until it leaves or has been cleaned up.
//! 2. A group is closed once, under the lock of its members, when its last member leaves, when it has lingered after
//!    that, or when it is terminated. A closed group admits no session; a session that is to join a group with its id
//!    creates a new one.
//! 3. A group completes after it was closed and its last member has left, and only then.

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;

use crate::error::GroupFull;
use crate::id::GroupId;
use crate::life::cause::{CompletionCause, Ending};
use crate::life::cleanups::Owed;
use crate::life::clock::Ticks;
use crate::life::env::Env;
use crate::life::event::{LifecycleEvent, Subject};
use crate::life::lifecycle;
use crate::life::owner::{AnyLocal, AsOwner, Local, Owner, OwnerRef};
use crate::life::state::State;
use crate::sessions::lingering::{Lingering, Ticket};
use crate::sessions::members::{Member, Members};
use crate::sync::registry::Registry;
use crate::sync::{Counted, Mutex};

/// The named groups of a manager.
pub(crate) struct Groups {
    env: Arc<Env>,
    named: Registry<GroupId, SessionGroup, RandomState>,
    pub(crate) lingering: Arc<Lingering<SessionGroup>>,
}

impl Groups {
    pub(crate) fn new(env: Arc<Env>) -> Self {
        let settings = &env.settings;
        let lingering = Lingering::new(settings.group_linger, settings.max_sessions);
        Self {
            named: Registry::new(),
            lingering: Arc::new(lingering),
            env,
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

    /// Makes the session a member of the named group, and creates the group if there is none. It is listed once it has
    /// [arrived](SessionGroup::has_arrived).
    pub(crate) fn admit(
        self: &Arc<Self>,
        id: &GroupId,
        session: OwnerRef<'_>,
    ) -> Result<SessionGroup, GroupFull> {
        // Records the event before any thread can find the group and end it.
        let found = || SessionGroup::found(self, Some(id.clone()));
        loop {
            let group = self.named.get_or_insert(id.clone(), found);
            if group.admit(session)? {
                return Ok(group);
            }
            // The group is closed, and about to be removed: create a new one.
            group.0.leave_registry();
        }
    }

    /// Ends the group that has lingered longest, if its time is `due`. Returns whether there was one.
    pub(crate) fn end_lingering(&self, due: impl FnOnce(Ticks) -> bool) -> bool {
        // Owed under the lock, so that a shutdown finds the group in one place or the other.
        let owe = |ticket, group: SessionGroup| {
            let owed = Owed::new(&self.env.cleanups, group.0.subject());
            (ticket, group, owed)
        };
        let Some((ticket, group, _owed)) = self.lingering.take_first(due, owe) else {
            return false;
        };
        if group.stops_lingering(ticket) {
            group.complete();
        }
        true
    }

    /// Ends the groups that linger. None begins to after this.
    pub(crate) fn end_all_lingering(&self) {
        self.lingering.close();
        while self.end_lingering(|_| true) {}
    }
}

/// The sessions that share one group id: one user, one tenant, one browser.
///
/// It is created with its first session and ends when its last session has ended, or after it has
/// [lingered](crate::SessionManagerBuilder::group_linger). Like a session it has properties, tasks, owned values and a
/// completion: see [`LocalSession`](crate::LocalSession). It has no timeouts of its own.
#[derive(Clone)]
pub struct SessionGroup(Counted<Inner>);

struct Inner {
    id: Option<GroupId>,
    local: Local,
    members: Mutex<Members>,
    groups: Arc<Groups>,
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

    /// Returns the members that `are` so, the first to join first; one in cleanup is still a member.
    pub(crate) fn members(&self, are: impl Fn(&Member) -> bool) -> Vec<Owner> {
        let mut members = self.0.members.lock().find(are);
        members.sort_unstable_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, owner)| owner).collect()
    }

    /// Returns the maximum of active members, if there is one.
    pub(crate) fn max(&self) -> Option<usize> {
        let (max, _) = self.0.groups.env.settings.max_per_group?;
        self.0.id.is_some().then_some(max)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.if_full(|| ()).is_some()
    }

    /// Calls `end` under the lock of the members, if the group is full.
    pub(crate) fn if_full<R>(&self, end: impl FnOnce() -> R) -> Option<R> {
        let members = self.0.members.lock();
        let full = members.check_room(self.max()).is_err();
        full.then(end)
    }

    /// Makes the session a member. Returns `false` if the group is closed.
    pub(crate) fn admit(&self, session: OwnerRef<'_>) -> Result<bool, GroupFull> {
        let mut members = self.0.members.lock();
        if members.is_closed() {
            return Ok(false);
        }
        members.check_room(self.max())?;
        self.take_from_lingering(&mut members);
        members.insert(session);
        Ok(true)
    }

    fn take_from_lingering(&self, members: &mut Members) {
        if let Some(ticket) = members.lingering.take() {
            self.0.groups.lingering.remove(ticket);
        }
    }

    /// Lists the member with this serial from now on.
    pub(crate) fn has_arrived(&self, session: u64) {
        self.0.members.lock().has_arrived(session);
    }

    /// Counts the completion of the member with this serial, if there is a maximum.
    pub(crate) fn has_completed(&self, session: u64) {
        if self.max().is_some() {
            self.0.members.lock().has_completed(session);
        }
    }

    /// Removes the session with this serial from the members. Returns the group that has to complete now, if any, and its
    /// ending: this one, or one whose place among the lingering it has taken.
    pub(crate) fn release(&self, session: u64) -> Option<(Self, Ending)> {
        let displaced = {
            let mut members = self.0.members.lock();
            members.remove(session)?;
            if !members.is_empty() {
                return None;
            }
            let may_linger = self.0.id.is_some() && !members.is_closed();
            let begun = may_linger.then(|| self.begin_to_linger()).flatten();
            let Some((ticket, displaced)) = begun else {
                return Some((
                    self.clone(),
                    members.close(CompletionCause::LastSessionEnded),
                ));
            };
            members.lingering = Some(ticket);
            displaced
        };
        let (ticket, group) = displaced?;
        group
            .stops_lingering(ticket)
            .then(|| (group, CompletionCause::LastSessionEnded.into()))
    }

    /// Returns the group's ticket, and the group whose place it has taken; `None` if groups do not linger.
    fn begin_to_linger(&self) -> Option<(Ticket, Option<(Ticket, Self)>)> {
        let groups = &self.0.groups;
        let now = groups.env.clock.now();
        groups.lingering.begin(self.clone(), now)
    }

    /// Closes the group if it still lingers by this ticket. The caller completes it.
    fn stops_lingering(&self, ticket: Ticket) -> bool {
        let mut members = self.0.members.lock();
        let lingers = members.lingering == Some(ticket);
        if lingers {
            members.lingering = None;
            members.close(CompletionCause::LastSessionEnded);
        }
        lingers
    }

    /// Completes a group that has no members.
    pub(crate) fn complete(&self) {
        let mut members = self.0.members.lock();
        let ending = members.close(CompletionCause::LastSessionEnded);
        drop(members);
        lifecycle::complete(self.as_owner(), ending);
    }
}

impl AsOwner for SessionGroup {
    #[inline]
    fn as_owner(&self) -> OwnerRef<'_> {
        OwnerRef::new(&self.0)
    }

    /// Closes the group to newcomers, then ends its sessions. The last of them to be cleaned up ends the group.
    fn end(&self, ending: Ending) {
        let _owed = Owed::new(&self.local().env.cleanups, self.0.subject());
        {
            let mut members = self.0.members.lock();
            if members.is_closed() {
                return;
            }
            members.close(ending.clone());
            self.take_from_lingering(&mut members);
        }
        let sessions = self.members(|_| true);
        self.0.leave_registry();
        if sessions.is_empty() {
            // It lingered, or was created a moment ago for a session that it has not admitted yet. That session creates
            // another group.
            self.complete();
        }
        for session in sessions {
            lifecycle::complete(session.as_ref(), ending.clone());
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

    fn leave(&self) -> Option<(Owner, Ending)> {
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
