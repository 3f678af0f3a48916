//! A property set in use and its cells, whatever their types.

use std::any::Any;

use crate::values::description::SetType;
use crate::values::value::Held;

pub(crate) trait AnySet: Any + Send + Sync {
    fn set_type(&self) -> &'static SetType;

    /// Returns the cell at this place.
    fn cell(&self, index: u16) -> Option<&dyn AnyCell>;
}

/// A cell of a property set, whatever the type of its value. Its bounds are the weakest, so that a value that can't be
/// shared is an error of its accessor alone.
pub trait AnyCell {
    #[doc(hidden)]
    fn presence(&self) -> Presence;

    /// Publishes the value, which has this number in the list of values to close. The cell is empty.
    #[doc(hidden)]
    fn publish(&self, held: &Held, listed: Option<u64>);
}

/// Whether a cell has a value.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    Absent,
    Present {
        /// As in the value's tag.
        born: u64,
    },
    /// Its value has been discarded, and is being closed.
    BeingClosed,
}
