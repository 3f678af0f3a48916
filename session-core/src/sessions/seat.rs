//! A session's registration and its group.

use crate::id::SessionId;
use crate::life::activity::{Activity, Epoch, Left};
use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sessions::group::SessionGroup;

/// The place where a session is registered. Its lock is taken after the session's state, and before a group's members.
pub(crate) struct Seat {
    pub(crate) id: SessionId,
    pub(crate) group: Option<SessionGroup>,
    /// Behind a pointer, because few sessions ever have any.
    #[expect(
        clippy::box_collection,
        reason = "a vector takes three words of every session"
    )]
    departures: Option<Box<Vec<Departure>>>,
}

/// A group that a session left while requests were inside. The group's drain waits for these requests.
struct Departure {
    hold: GroupHold,
    epoch: Epoch,
    inside: u64,
}

impl Seat {
    pub(crate) fn new(id: SessionId) -> Self {
        Self {
            id,
            group: None,
            departures: None,
        }
    }

    /// Makes the group's drain wait for the requests inside.
    pub(crate) fn depart(&mut self, group: &SessionGroup, activity: &Activity, locked: &mut State) {
        // If a session changes groups so often during a request that the epochs would wrap around, the last of these
        // groups do not wait for the request.
        let before = self.departures.as_ref().map_or(0, |before| before.len());
        if before + 1 == Epoch::COUNT {
            return;
        }
        let (epoch, inside) = activity.next_epoch(locked);
        if inside > 0
            && let Some(hold) = GroupHold::new(group)
        {
            let departures = self.departures.get_or_insert_default();
            departures.push(Departure {
                hold,
                epoch,
                inside,
            });
        }
    }

    /// Counts a request that has left against the departures it was inside for: those after it entered and before it
    /// left.
    pub(crate) fn left(
        &mut self,
        activity: &Activity,
        entered: Epoch,
        left: Epoch,
    ) -> Vec<GroupHold> {
        let now = activity.epoch();
        let since = now.after(left) + 1..=now.after(entered);
        let Some(departures) = &mut self.departures else {
            return Vec::new();
        };
        for departure in departures.iter_mut() {
            if since.contains(&now.after(departure.epoch)) {
                departure.inside -= 1;
            }
        }
        let released = departures.extract_if(.., |departure| departure.inside == 0);
        released.map(|departure| departure.hold).collect()
    }
}

/// A request that was inside a session when the session left the group. The group's drain waits for it.
pub(crate) struct GroupHold {
    group: SessionGroup,
    epoch: Epoch,
}

impl GroupHold {
    fn new(group: &SessionGroup) -> Option<Self> {
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
