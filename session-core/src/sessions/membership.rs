//! Membership of sessions in groups.

use crate::error::SessionEnded;
use crate::id::GroupId;
use crate::life::owner::AsOwner as _;
use crate::life::state::State;
use crate::sessions::group::{OwedEnd, SessionGroup};
use crate::sessions::seat::Seat;
use crate::sessions::session::Session;

impl Session {
    /// Returns the session's group. A session without a named group has an anonymous one of its own, created on first
    /// use.
    pub fn group(&self) -> SessionGroup {
        let state = self.local().lock();
        let mut seat = self.seat();
        if let Some(group) = &seat.group {
            return group.clone();
        }
        let group = SessionGroup::found(&self.sessions().groups, None);
        if !state.is_cleaned_up() {
            let _admitted = group.admit(self.as_owner());
        }
        seat.group = Some(group.clone());
        drop(seat);
        let ended = state.is_cleaned_up();
        drop(state);
        self.local().env.events.deliver();
        if ended {
            group.complete();
        }
        group
    }

    /// Moves the session to the group with this name, which is created if there is none. Joining its own group changes
    /// nothing.
    ///
    /// The id stays the same. For a log-in, use [`RequestGuard::log_in`](crate::RequestGuard::log_in): it changes both.
    ///
    /// The old group's properties stay with the old group, and so do its sets that a request or task already holds: ask
    /// for them again after the log-in. If this was its last session, the old group ends. Its drain waits for the
    /// requests that are inside the session now.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers create the id for this call, and it reads better"
    )]
    pub fn join(&self, group: GroupId) -> Result<(), SessionEnded> {
        let left = {
            let mut state = self.local().lock();
            if state.is_completed() {
                return Err(SessionEnded);
            }
            self.move_to(&mut state, &mut self.seat(), &group)
        };
        self.local().env.events.deliver();
        drop(left);
        Ok(())
    }

    /// Makes the session a member of this group. Returns the end of the group that it left, if that group has to end.
    /// Drop it after the lock.
    pub(crate) fn move_to(
        &self,
        locked: &mut State,
        seat: &mut Seat,
        group: &GroupId,
    ) -> Option<OwedEnd> {
        let own = seat.group.as_ref().and_then(SessionGroup::id);
        if own == Some(group) {
            return None;
        }
        let old = seat
            .group
            .replace(self.sessions().groups.admit(group, self.as_owner()))?;
        seat.depart(&old, &self.local().activity, locked);
        old.release(self.local().serial)?;
        Some(OwedEnd::new(old))
    }
}

impl SessionGroup {
    /// Returns the current member sessions, in no order; one in cleanup is still a member.
    pub fn sessions(&self) -> Vec<Session> {
        self.members().into_iter().filter_map(Session::of).collect()
    }
}
