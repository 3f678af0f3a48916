//! The description of a property set, apart from its instances.

use std::any::TypeId;
use std::fmt;

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

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn type_name(&self) -> &'static str {
        (self.type_name)()
    }
}

/// A set's type with its description. One reference to it names the set.
#[derive(Debug)]
pub(crate) struct SetType {
    pub(crate) id: TypeId,
    pub(crate) description: SetDescription,
}

impl PartialEq for SetType {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for CellDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.name, (self.type_name)())
    }
}
