//! Listings: every property of a session or group, in the dictionary and in sets.

use std::time::Duration;

use crate::life::owner::OwnerRef;
use crate::store::any_set::AnySet;
use crate::store::key::SlotKey;
use crate::store::table::{SlotState, Table};
use crate::values::about::About;

/// Returns every property of the dictionary and of the sets in use. Creates nothing.
pub(crate) fn list(owner: OwnerRef<'_>) -> Vec<PropertyInfo> {
    let now = owner.env().clock.instant();
    let state = owner.local().lock();
    let table = state.used().map(|used| &used.table);
    let slots = table.into_iter().flat_map(Table::slots).map(|slot| {
        let (about, age) = match &slot.state {
            SlotState::Creating(creation) => (&creation.about, None),
            SlotState::Present { held, .. } => {
                let tag = held.tag();
                (&tag.about, Some(now.duration_since(tag.born)))
            }
        };
        PropertyInfo {
            about: about.clone(),
            age,
            state: PropertyState::of(&slot.state),
        }
    });
    let cells = state.sets().flat_map(|set| states(&**set, table));
    let absent = cells.filter(|(_, state)| *state == PropertyState::Absent);
    let absent = absent.map(|(about, state)| PropertyInfo {
        about,
        age: None,
        state,
    });
    slots.chain(absent).collect()
}

/// Returns the set's properties, and which of them are present.
pub(crate) fn states(
    set: &dyn AnySet,
    table: Option<&Table>,
) -> impl Iterator<Item = (About, PropertyState)> {
    let (set, description) = (set.set(), set.description());
    let cells = description.cells.iter().zip(0..);
    cells.map(move |(cell, index)| {
        let key = SlotKey::Cell { set, index };
        let slot = table.and_then(|table| table.get(key.hash(), &key));
        let state = slot.map_or(PropertyState::Absent, PropertyState::of);
        (cell.about().in_set(description.name), state)
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
    /// Its name: the key's, or the field's in its set.
    pub fn name(&self) -> &str {
        self.about.name.as_str()
    }

    /// The property set that it is in; `None` for an entry of the dictionary.
    pub fn set(&self) -> Option<&'static str> {
        self.about.set
    }

    /// Its type, as [`std::any::type_name`] returns it.
    pub fn type_name(&self) -> &'static str {
        self.about.type_name
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
    /// A cell of a set that no caller has asked for yet.
    Absent,
    /// Its initializer is running.
    BeingCreated,
    /// It is present.
    Present,
}

impl PropertyState {
    pub(crate) fn of(slot: &SlotState) -> Self {
        match slot {
            SlotState::Creating(_) => Self::BeingCreated,
            SlotState::Present { .. } => Self::Present,
        }
    }
}
