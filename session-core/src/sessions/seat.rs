//! A session's registration and its group.

use std::collections::BTreeMap;

use crate::id::SessionId;
use crate::life::activity::{Activity, Epoch, Left};
use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sessions::group::SessionGroup;

/// The place where a session is registered. Its lock is taken after the session's state, and before a group's members.
pub(crate) struct Seat {
    pub(crate) id: SessionId,
    pub(crate) group: Option<SessionGroup>,
    rare: Option<Box<Rare>>,
}

/// The parts that few sessions ever have.
#[derive(Default)]
struct Rare {
    departures: Vec<Departure>,
    /// By number.
    shared: BTreeMap<u64, Shared>,
    /// The number of requests that have been shared so far. A number is not used again, since a value that ends with the
    /// session may have it for longer than its request.
    numbers: u64,
}

/// A request that several guards share.
pub(crate) struct Shared {
    pub(crate) guards: usize,
    /// How often the session's id had changed when it came in, or when it changed the id itself.
    pub(crate) id_changes: u64,
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
            rare: None,
        }
    }

    /// Returns the shared request with this number.
    pub(crate) fn shared(&mut self, number: u64) -> Option<&mut Shared> {
        self.rare.as_mut()?.shared.get_mut(&number)
    }

    /// Adds a request that two guards share from now on. Returns its number.
    pub(crate) fn share(&mut self, id_changes: u64) -> u64 {
        let rare = self.rare.get_or_insert_default();
        rare.numbers += 1;
        let shared = Shared {
            guards: 2,
            id_changes,
        };
        rare.shared.insert(rare.numbers, shared);
        rare.numbers
    }

    /// Lets go of one guard of a shared request. Returns whether it was the last.
    pub(crate) fn let_go(&mut self, number: u64) -> bool {
        let Some(shared) = self.shared(number) else {
            return true;
        };
        shared.guards -= 1;
        let is_last = shared.guards == 0;
        if is_last && let Some(rare) = &mut self.rare {
            rare.shared.remove(&number);
        }
        is_last
    }

    /// Makes the group's drain wait for the requests inside.
    pub(crate) fn depart(&mut self, group: &SessionGroup, activity: &Activity, locked: &mut State) {
        // If a session changes groups so often during a request that the epochs would wrap around, the last of these
        // groups do not wait for the request.
        let before = self.rare.as_ref().map_or(0, |rare| rare.departures.len());
        if before + 1 == Epoch::COUNT {
            return;
        }
        let (epoch, inside) = activity.next_epoch(locked);
        if inside > 0
            && let Some(hold) = GroupHold::new(group)
        {
            let departures = &mut self.rare.get_or_insert_default().departures;
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
        let Some(Rare { departures, .. }) = self.rare.as_deref_mut() else {
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
