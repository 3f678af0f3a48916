//! The cells of property sets that are being created.
//!
//! Their number is bounded by that of the program's sets, so they are in no order.

use std::sync::Arc;

use crate::store::creation::Creation;
use crate::values::description::SetType;

/// A pointer, because few sessions create any at a given time.
#[derive(Default)]
#[expect(
    clippy::box_collection,
    reason = "a vector takes three words of every session"
)]
pub(crate) struct CellCreations(Option<Box<Vec<Cell>>>);

struct Cell {
    set: &'static SetType,
    index: u16,
    creation: Arc<Creation>,
}

impl Cell {
    fn is(&self, set: &SetType, index: u16) -> bool {
        self.set == set && self.index == index
    }
}

impl CellCreations {
    pub(crate) fn get(&self, set: &SetType, index: u16) -> Option<&Arc<Creation>> {
        let mut cells = self.0.as_ref()?.iter();
        cells
            .find(|cell| cell.is(set, index))
            .map(|cell| &cell.creation)
    }

    pub(crate) fn begin(&mut self, set: &'static SetType, index: u16, creation: Arc<Creation>) {
        self.0.get_or_insert_default().push(Cell {
            set,
            index,
            creation,
        });
    }

    /// Ends a creation, with a value or without.
    pub(crate) fn end(&mut self, set: &SetType, index: u16) {
        if let Some(cells) = &mut self.0 {
            cells.retain(|cell| !cell.is(set, index));
        }
        self.0.take_if(|cells| cells.is_empty());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Creation>> {
        let cells = self.0.iter().flat_map(|cells| cells.iter());
        cells.map(|cell| &cell.creation)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}
