//! Membership of sessions in groups.

use crate::error::{GroupFull, JoinError};
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
            group.has_arrived(self.local().serial);
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
    /// for them again after the log-in. If this was its last session, the old group ends or lingers. Its drain waits for the
    /// requests that are inside the session now.
    ///
    /// # Errors
    ///
    /// [`JoinError::Full`] if as many sessions are active in the group as the manager
    /// [allows](crate::SessionManagerBuilder::max_sessions_per_group), and [`JoinError::SessionEnded`] if the session
    /// has completed. On an error the session stays in its group.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers create the id for this call, and it reads better"
    )]
    pub fn join(&self, group: GroupId) -> Result<(), JoinError> {
        while let Err(GroupFull) = self.try_join(&group)? {
            drop(self.sessions().make_room_in(&group)?);
        }
        Ok(())
    }

    fn try_join(&self, group: &GroupId) -> Result<Result<(), GroupFull>, JoinError> {
        let left = {
            let mut state = self.local().lock();
            if state.is_completed() {
                return Err(JoinError::SessionEnded);
            }
            let mut seat = self.seat();
            match self.admitted_to(&seat, group) {
                Ok(new) => new.and_then(|new| self.move_to(&mut state, &mut seat, new)),
                Err(full) => return Ok(Err(full)),
            }
        };
        self.local().env.events.deliver();
        drop(left);
        Ok(Ok(()))
    }

    /// Has the session admitted to this group. Returns `None` if it is the session's own.
    pub(crate) fn admitted_to(
        &self,
        seat: &Seat,
        group: &GroupId,
    ) -> Result<Option<SessionGroup>, GroupFull> {
        let own = seat.group.as_ref().and_then(SessionGroup::id);
        if own == Some(group) {
            return Ok(None);
        }
        let groups = &self.sessions().groups;
        groups.admit(group, self.as_owner()).map(Some)
    }

    /// Moves the session to a group that has admitted it. Returns the end of a group, if one has to end. Drop it after
    /// the lock.
    pub(crate) fn move_to(
        &self,
        locked: &mut State,
        seat: &mut Seat,
        group: SessionGroup,
    ) -> Option<OwedEnd> {
        let serial = self.local().serial;
        group.has_arrived(serial);
        let old = seat.group.replace(group)?;
        seat.depart(&old, &self.local().activity, locked);
        let (ended, _) = old.release(serial)?;
        Some(OwedEnd::new(ended))
    }
}

impl SessionGroup {
    /// Returns the current member sessions, the first to join first; one in cleanup is still a member.
    pub fn sessions(&self) -> Vec<Session> {
        let members = self.members(|member| member.has_arrived);
        members.into_iter().filter_map(Session::of).collect()
    }
}
