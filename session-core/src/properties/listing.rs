//! Listings: every property of a session or group, in the dictionary and in sets.

use std::time::Duration;

use crate::life::owner::OwnerRef;
use crate::life::state::State;
use crate::store::any_set::{AnyCell, AnySet, Presence};
use crate::store::table::{SlotState, Table};
use crate::values::about::About;

/// Returns every property of the dictionary and of the sets in use. Creates nothing.
pub(crate) fn list(owner: OwnerRef<'_>) -> Vec<PropertyInfo> {
    let now = owner.env().clock.nanos();
    let state = owner.local().lock();
    let entries = state.dictionary().into_iter().flat_map(Table::slots);
    let entries = entries.map(|slot| match &slot.state {
        SlotState::Creating(creation) => {
            PropertyInfo::without_value(creation.about.clone(), PropertyState::BeingCreated)
        }
        SlotState::Present(held, _) => {
            PropertyInfo::present(held.tag().about.clone(), held.tag().born, now)
        }
    });
    let cells = state.sets().flat_map(|set| cells(&**set, &state, now));
    entries.chain(cells).collect()
}

/// Returns the set's properties.
pub(crate) fn cells(
    set: &dyn AnySet,
    state: &State,
    now: u64,
) -> impl Iterator<Item = PropertyInfo> {
    let set_type = set.set_type();
    (0..)
        .zip(set_type.description.cells)
        .map(move |(index, _)| {
            let about = About::Cell(set_type, index);
            let state = if state.cell_creation(set_type, index).is_some() {
                PropertyState::BeingCreated
            } else {
                match set.cell(index).map(AnyCell::presence) {
                    Some(Presence::Present { born }) => {
                        return PropertyInfo::present(about, born, now);
                    }
                    Some(Presence::BeingClosed) => PropertyState::BeingClosed,
                    Some(Presence::Absent) | None => PropertyState::Absent,
                }
            };
            PropertyInfo::without_value(about, state)
        })
}

/// A property as a listing shows it.
#[derive(Clone, Debug)]
pub struct PropertyInfo {
    about: About,
    age: Option<Duration>,
    state: PropertyState,
}

impl PropertyInfo {
    fn without_value(about: About, state: PropertyState) -> Self {
        Self {
            about,
            age: None,
            state,
        }
    }

    fn present(about: About, born: u64, now: u64) -> Self {
        Self {
            about,
            age: Some(Duration::from_nanos(now.saturating_sub(born))),
            state: PropertyState::Present,
        }
    }

    /// Its name: the key's, or the field's in its set.
    pub fn name(&self) -> &str {
        self.about.name()
    }

    /// The property set that it is in; `None` for an entry of the dictionary.
    pub fn set(&self) -> Option<&'static str> {
        self.about.set()
    }

    /// Its type, as [`std::any::type_name`] returns it.
    pub fn type_name(&self) -> &'static str {
        self.about.type_name()
    }

    /// How long it has been present; `None` if it is not.
    pub fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Whether it is present.
    pub fn state(&self) -> PropertyState {
        self.state
    }
}

/// Whether a property is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PropertyState {
    /// A cell of a set that no caller has asked for yet, or whose value was discarded and closed.
    Absent,
    /// Its initializer is running.
    BeingCreated,
    /// It is present.
    Present,
    /// It has been [discarded](crate::ExclusiveGuard::discard), and its close hook is running.
    BeingClosed,
}
