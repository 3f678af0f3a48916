//! A property set in use and its cells, whatever their types.

use std::any::Any;

use crate::values::description::SetType;
use crate::values::value::Tag;

pub(crate) trait AnySet: Any + Send + Sync {
    fn set_type(&self) -> &'static SetType;

    /// Returns the cell at this place.
    fn cell(&self, index: u16) -> Option<&dyn AnyCell>;
}

/// A cell of a property set, whatever the type of its value. Its bounds are the weakest, so that a value that can't be
/// shared is an error of its accessor alone.
pub trait AnyCell {
    /// Returns the tag of the value, if the property is present.
    #[doc(hidden)]
    fn tag(&self) -> Option<&Tag>;

    /// Returns the `OnceLock` that the value's handle is published in.
    #[doc(hidden)]
    fn handle(&self) -> &dyn Any;
}
