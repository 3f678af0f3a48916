//! The description of a property set, apart from its instances.

use std::fmt;

use crate::values::about::About;

/// The description of a set, apart from its instances.
#[derive(Clone, Copy, Debug)]
pub struct SetDescription {
    pub(crate) name: &'static str,
    pub(crate) cells: &'static [CellDescription],
}

impl SetDescription {
    /// Returns the description of a set with this name and these cells.
    #[must_use]
    pub const fn new(name: &'static str, cells: &'static [CellDescription]) -> Self {
        Self { name, cells }
    }
}

/// The description of a cell, apart from its instances.
#[derive(Clone, Copy)]
pub struct CellDescription {
    name: &'static str,
    type_name: fn() -> &'static str,
}

impl CellDescription {
    /// Returns the description of a cell with this name and type.
    #[must_use]
    pub const fn new(name: &'static str, type_name: fn() -> &'static str) -> Self {
        Self { name, type_name }
    }

    pub(crate) fn about(&self) -> About {
        About::kind(self.name, (self.type_name)())
    }
}

impl fmt::Debug for CellDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.name, (self.type_name)())
    }
}
