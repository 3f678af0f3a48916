//! The properties in a session's state: entries of the dictionary, cells of sets, and the list of values to close.
//!
//! Nothing here runs user code: the caller drops the values taken out, outside the session's lock.

use std::any::TypeId;
use std::sync::Arc;

use crate::life::state::{State, Used};
use crate::store::any_set::{AnyCell, Presence};
use crate::store::creation::Creation;
use crate::store::key::Place;
use crate::store::table::{Slot, SlotState, Table};
use crate::values::description::SetType;
use crate::values::value::{Held, PropertyRef};

/// A property as a place has it.
pub(crate) enum Found<'a> {
    Creating(&'a Arc<Creation>),
    /// An entry of the dictionary.
    Entry(&'a Held),
    /// A cell, which has its own handle of the value.
    Cell,
    /// A cell whose value is being closed.
    BeingClosed,
}

/// Holds taken out of the state: drop them outside the session's lock.
#[must_use = "drop it outside the lock"]
pub(crate) struct Removed {
    slot: Held,
    _published: Option<Held>,
}

impl Removed {
    pub(crate) fn handle<T: Send + Sync + 'static>(self) -> Option<PropertyRef<T>> {
        self.slot.handle()
    }
}

impl State {
    /// Returns the entry of the dictionary with this name and type.
    #[inline]
    pub(crate) fn entry(&self, hash: u64, name: &str, value: TypeId) -> Option<&SlotState> {
        self.used()?.table.named(hash, name, value)
    }

    pub(crate) fn dictionary(&self) -> Option<&Table> {
        self.used().map(|used| &used.table)
    }

    /// Returns the creation of that cell, if it is under way.
    pub(crate) fn cell_creation(&self, set: &SetType, index: u16) -> Option<&Arc<Creation>> {
        self.used()?.cells.get(set, index)
    }

    /// Returns the property, or its creation.
    pub(crate) fn find(&self, place: &Place) -> Option<Found<'_>> {
        match place {
            Place::Named(key, _) => match self.used()?.table.get(key)? {
                SlotState::Creating(creation) => Some(Found::Creating(creation)),
                SlotState::Present(held, _) => Some(Found::Entry(held)),
            },
            Place::Cell(set, index) => {
                if let Some(creation) = self.cell_creation(set, *index) {
                    return Some(Found::Creating(creation));
                }
                match self.cell(set, *index)?.presence() {
                    Presence::Absent => None,
                    Presence::Present { .. } => Some(Found::Cell),
                    Presence::BeingClosed => Some(Found::BeingClosed),
                }
            }
        }
    }

    /// Marks an absent property as being created.
    pub(crate) fn begin(&mut self, place: Place, creation: Arc<Creation>) {
        let used = self.used_mut();
        match place {
            Place::Named(key, _) => used.table.begin(key, creation),
            Place::Cell(set, index) => used.cells.begin(set, index, creation),
        }
    }

    /// Ends the creation without a value.
    pub(crate) fn give_up(&mut self, place: &Place) {
        if let Some(used) = &mut self.used {
            match place {
                Place::Named(key, _) => used.table.give_up(key),
                Place::Cell(set, index) => used.cells.end(set, *index),
            }
        }
        self.drop_unused();
    }

    /// Ends the creation with this value.
    pub(crate) fn publish(&mut self, place: &Place, held: &Held) {
        let used = self.used_mut();
        let number = used.list(held);
        match place {
            Place::Named(key, _) => used.table.publish(key, held.again(), number),
            Place::Cell(set, index) => {
                used.cells.end(set, *index);
                self.fill(set, *index, held, number);
            }
        }
    }

    /// Adds a value that a caller inserts; its place must be absent.
    pub(crate) fn insert(&mut self, place: Place, held: &Held) {
        let number = self.used_mut().list(held);
        match place {
            Place::Named(key, _) => self.used_mut().table.insert(key, held.again(), number),
            Place::Cell(set, index) => self.fill(set, index, held, number),
        }
    }

    /// Takes out an entry of the dictionary that is present. A cell keeps its value.
    pub(crate) fn remove(&mut self, place: &Place) -> Option<Removed> {
        let Place::Named(key, _) = place else {
            return None;
        };
        let used = self.used.as_deref_mut()?;
        let (slot, number) = used.table.remove(key)?;
        Some(Removed {
            slot,
            _published: number.and_then(|number| used.published.remove(number)),
        })
    }

    /// Publishes the value in its cell. The cell is empty, since all callers look under the lock before they create.
    fn fill(&mut self, set: &SetType, index: u16, held: &Held, number: Option<u64>) {
        if let Some(cell) = self.cell(set, index) {
            cell.publish(held, number);
        }
        self.drop_unused();
    }

    fn cell(&self, set: &SetType, index: u16) -> Option<&dyn AnyCell> {
        let set = self.sets().find(|own| own.set_type() == set)?;
        set.cell(index)
    }

    /// Drops the used parts again once they are not: few sessions need them for longer than a creation.
    fn drop_unused(&mut self) {
        if self.used().is_some_and(Used::is_unused) {
            self.used = None;
        }
    }
}

impl Used {
    /// Lists the value, unless nothing happens when it is closed. Returns its number in the list.
    fn list(&mut self, held: &Held) -> Option<u64> {
        if held.is_trivial() {
            return None;
        }
        let number = self.number();
        self.published.push(number, held.again());
        Some(number)
    }

    /// Takes the value with this number out of the list.
    pub(crate) fn unlist(&mut self, number: u64) -> Option<Held> {
        self.published.remove(number)
    }

    /// Returns the creations under way.
    pub(crate) fn creations(&self) -> Vec<Arc<Creation>> {
        let all = self.table.creations().chain(self.cells.iter());
        all.cloned().collect()
    }

    pub(crate) fn is_creating(&self) -> bool {
        self.table.is_creating() || !self.cells.is_empty()
    }

    /// Takes out the entries of the dictionary, whose values stay in the list, and the creations of cells. For cleanup.
    pub(crate) fn take_entries(
        &mut self,
    ) -> (
        impl Iterator<Item = Slot> + use<>,
        impl Sized + Send + use<>,
    ) {
        (self.table.take_slots(), std::mem::take(&mut self.cells))
    }

    /// Takes the value published last out of the list.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        self.published.pop()
    }
}
