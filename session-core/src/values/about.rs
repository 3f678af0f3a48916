//! The name of a value, a task or a request in reports and listings.

use std::fmt;
use std::sync::Arc;

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

/// The subject of a problem or of an entry of a listing.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) set: Option<&'static str>,
    pub(crate) name: Name,
    pub(crate) type_name: &'static str,
}

impl About {
    pub(crate) fn new<T: ?Sized>(name: Name) -> Self {
        Self {
            set: None,
            name,
            type_name: std::any::type_name::<T>(),
        }
    }

    pub(crate) const fn kind(name: &'static str, type_name: &'static str) -> Self {
        Self {
            set: None,
            name: Name::Static(name),
            type_name,
        }
    }

    /// Returns it as a cell of that property set.
    pub(crate) fn in_set(self, set: &'static str) -> Self {
        Self {
            set: Some(set),
            ..self
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name.as_str())?;
        if self.type_name.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.type_name)
        }
    }
}
