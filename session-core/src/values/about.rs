//! The name of a value, a task or a request in reports and listings.

use std::fmt;
use std::sync::Arc;

use crate::values::description::{CellDescription, SetType};

/// A property's name, as reports and listings keep it.
#[derive(Clone)]
pub enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The subject of a problem or of an entry of a listing. Two words, since every value has one.
#[derive(Clone, Debug)]
pub(crate) enum About {
    /// A cell of a property set, by its place in the set.
    Cell(&'static SetType, u16),
    Named(Arc<Named>),
}

/// The subject that is not a cell.
#[derive(Debug)]
pub(crate) struct Named {
    name: Name,
    type_name: &'static str,
}

impl About {
    /// Returns the subject of the dictionary's property with this name and type.
    pub(crate) fn new<T: ?Sized>(name: Name) -> Self {
        let type_name = std::any::type_name::<T>();
        Self::Named(Arc::new(Named { name, type_name }))
    }

    pub(crate) fn kind(name: &'static str, type_name: &'static str) -> Self {
        let name = Name::Static(name);
        Self::Named(Arc::new(Named { name, type_name }))
    }

    /// Returns the name of its property set, if it is a cell.
    pub(crate) fn set(&self) -> Option<&'static str> {
        match self {
            Self::Cell(set, _) => Some(set.description.name),
            Self::Named(_) => None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Cell(set, index) => description(set, *index).map_or("?", CellDescription::name),
            Self::Named(named) => named.name.as_str(),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Cell(set, index) => {
                description(set, *index).map_or("?", CellDescription::type_name)
            }
            Self::Named(named) => named.type_name,
        }
    }
}

fn description(set: &SetType, index: u16) -> Option<&'static CellDescription> {
    set.description.cells.get(usize::from(index))
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name())?;
        if self.type_name().is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.type_name())
        }
    }
}
