//! Room in a group whose active sessions are bounded.
//!
//! A thread that makes room holds no lock of a session or group, because it takes that of the session it ends. So two
//! sessions that change places between two full groups do not wait for each other. The bound is asked again by the
//! caller: another session may have come first.

use crate::error::GroupFull;
use crate::id::GroupId;
use crate::life::activity::{Activity, Alive};
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::life::lifecycle::{self, Completion};
use crate::life::owner::AsOwner as _;
use crate::life::state::State;
use crate::sessions::evicted::Evicted;
use crate::sessions::group::SessionGroup;
use crate::sessions::session::{Session, Sessions};
use crate::settings::WhenFull;

impl Sessions {
    /// Makes room for a session in the named group. Returns the session that was ended for it; `None` if there is room.
    pub(crate) fn make_room_in(&self, id: &GroupId) -> Result<Option<Evicted>, GroupFull> {
        let Some((_, when_full)) = self.env.settings.max_per_group else {
            return Ok(None);
        };
        loop {
            let Some(group) = self.groups.get(id).filter(SessionGroup::is_full) else {
                return Ok(None);
            };
            if when_full == WhenFull::Reject {
                return Err(GroupFull);
            }
            if let Some((session, since)) = group.first_to_go()
                && let Ok(completion) = session.evict_from(&group, since)
            {
                return Ok(Some(Evicted::new(session, completion)));
            }
        }
    }
}

impl SessionGroup {
    /// Returns the active session that has been idle longest, and since when; if none is idle, the one that joined first.
    /// Returns `None` if a member has left or completed meanwhile, which leaves room: those that remain were no choice.
    fn first_to_go(&self) -> Option<(Session, Option<Ticks>)> {
        let active = self.members(|member| member.is_active);
        if self.max().is_some_and(|max| active.len() < max) {
            return None;
        }
        let mut first: Option<(Session, Option<Ticks>)> = None;
        for session in active.into_iter().filter_map(Session::of) {
            let since = match session.local().activity.alive() {
                Alive::Completed => {
                    session.await_completion();
                    return None;
                }
                Alive::Active => None,
                Alive::Since(since) => Some(since),
            };
            let goes_before = match (since, &first) {
                (_, None) | (Some(_), Some((_, None))) => true,
                (Some(since), Some((_, Some(first)))) => since < *first,
                (None, Some(_)) => false,
            };
            if goes_before {
                first = Some((session, since));
            }
        }
        first
    }
}

impl Session {
    /// The step of eviction, if the session is a member of the group, which is still full, and if there was no activity
    /// after `since`.
    fn evict_from(&self, group: &SessionGroup, since: Option<Ticks>) -> Result<Completion, Alive> {
        let mark = |activity: &Activity, state: &mut State| {
            if self.seat().group.as_ref() != Some(group) {
                return Err(Alive::Active);
            }
            let ended = group.if_full(|| match since {
                Some(since) => activity.complete_if_idle(state, since),
                None => activity.complete(state),
            });
            ended.unwrap_or(Err(Alive::Active))
        };
        let unregister = |state: &mut State| self.as_owner().any().unregister(state);
        let cause = CompletionCause::Evicted;
        let begun = lifecycle::begin(self.as_owner(), cause, mark, unregister);
        begun.map(|((), completion)| completion)
    }
}
