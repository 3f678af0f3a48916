//! Typed keys of the dictionary.

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::id::IdHasher;
use crate::values::about::Name;

/// A name and a type under which the dictionary of a session holds a property.
///
/// The same name with another type is another property. A key created by [`new`](Self::new) is a constant and
/// is copied freely; one created by [`named`](PropertyKey::named) has a name known only at run time.
///
/// ```
/// use session_core::PropertyKey;
/// # struct Cursor;
/// const CURSOR: PropertyKey<Cursor> = PropertyKey::new("cursor");
/// let of_table: PropertyKey<Cursor, _> = PropertyKey::named(format!("cursor of {}", "airports"));
/// assert_eq!(of_table.name(), "cursor of airports");
/// ```
pub struct PropertyKey<T, N = &'static str> {
    name: N,
    hash: u64,
    value: PhantomData<fn() -> T>,
}

impl<T> PropertyKey<T> {
    /// Returns the key with this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            hash: hash(name),
            value: PhantomData,
        }
    }
}

impl<T> PropertyKey<T, Arc<str>> {
    /// Returns the key with a name known at run time. It is the same key as [`new`](PropertyKey::new) of that name.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self {
            hash: hash(&name),
            name,
            value: PhantomData,
        }
    }
}

impl<T, N: KeyName> PropertyKey<T, N> {
    /// Returns its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn to_name(&self) -> Name {
        self.name.to_name()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

impl<T, N: Clone> Clone for PropertyKey<T, N> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            hash: self.hash,
            value: PhantomData,
        }
    }
}

impl<T, N: Copy> Copy for PropertyKey<T, N> {}

impl<T, N: KeyName> fmt::Debug for PropertyKey<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.name(), std::any::type_name::<T>())
    }
}

/// The type of a key's name: `&'static str`, or `Arc<str>` for names known at run time. Sealed.
pub trait KeyName: sealed::ToName {}

impl KeyName for &'static str {}
impl KeyName for Arc<str> {}

mod sealed {
    use super::Name;

    pub trait ToName: Clone {
        fn as_str(&self) -> &str;
        fn to_name(&self) -> Name;
    }

    impl ToName for &'static str {
        fn as_str(&self) -> &str {
            self
        }
        fn to_name(&self) -> Name {
            Name::Static(self)
        }
    }

    impl ToName for std::sync::Arc<str> {
        fn as_str(&self) -> &str {
            self
        }
        fn to_name(&self) -> Name {
            Name::Shared(self.clone())
        }
    }
}

/// The key of a property in its session's table.
#[derive(Clone, Debug)]
pub(crate) enum SlotKey {
    /// An entry of the dictionary.
    Named { name: Name, value: TypeId },
    /// A cell of a property set, by its place in the set.
    Cell { set: TypeId, index: u16 },
}

impl SlotKey {
    /// Returns the hash by which it is found.
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Named { name, .. } => hash(name.as_str()),
            Self::Cell { set, index } => {
                // A type id is already a hash.
                let mut hasher = IdHasher::default();
                set.hash(&mut hasher);
                (hasher.finish() ^ u64::from(*index)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            }
        }
    }

    /// Whether this is the dictionary's entry with that name and type.
    #[inline]
    pub(crate) fn is_named(&self, name: &str, value: TypeId) -> bool {
        match self {
            // Usually it is the same constant: its address shows that without reading the text.
            Self::Named {
                name: own,
                value: own_value,
            } => *own_value == value && (std::ptr::eq(own.as_str(), name) || own.as_str() == name),
            Self::Cell { .. } => false,
        }
    }

    /// Whether this is that cell.
    #[inline]
    pub(crate) fn is_cell(&self, set: TypeId, index: u16) -> bool {
        matches!(self, Self::Cell { set: own, index: place } if *own == set && *place == index)
    }

    pub(crate) fn matches(&self, other: &Self) -> bool {
        match other {
            Self::Named { name, value } => self.is_named(name.as_str(), *value),
            Self::Cell { set, index } => self.is_cell(*set, *index),
        }
    }
}

/// FNV-1a, which a constant can compute.
pub(crate) const fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r10_a_key_of_a_name_known_at_run_time_is_the_same_key() {
        const KEY: PropertyKey<u8> = PropertyKey::new("a");
        let named = PropertyKey::<u8, _>::named(String::from("a"));
        assert_eq!(KEY.hash(), named.hash());
        let slot = SlotKey::Named {
            name: KEY.to_name(),
            value: TypeId::of::<u8>(),
        };
        assert!(slot.is_named(named.name(), TypeId::of::<u8>()));
        assert!(!slot.is_named("a", TypeId::of::<u16>()));
        assert!(!slot.is_named("b", TypeId::of::<u8>()));
    }
}
