//! Typed keys of the dictionary.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::values::about::{About, Name};
use crate::values::description::SetType;

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

    pub(crate) fn untyped(&self) -> NamedKey
    where
        T: 'static,
    {
        NamedKey {
            hash: self.hash,
            name: self.name.to_name(),
            value: TypeId::of::<T>(),
        }
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

/// The key of an entry of the dictionary.
#[derive(Clone, Debug)]
pub(crate) struct NamedKey {
    /// The name's hash.
    pub(crate) hash: u64,
    pub(crate) name: Name,
    pub(crate) value: TypeId,
}

impl NamedKey {
    /// Whether this is the key with that name and type.
    #[inline]
    pub(crate) fn is(&self, name: &str, value: TypeId) -> bool {
        // Usually it is the same constant: its address shows that without reading the text.
        self.value == value
            && (std::ptr::eq(self.name.as_str(), name) || self.name.as_str() == name)
    }
}

/// The place where a property is, or will be.
#[derive(Clone)]
pub(crate) enum Place {
    Named(NamedKey, About),
    /// A cell of a property set, by its place in the set.
    Cell(&'static SetType, u16),
}

impl Place {
    pub(crate) fn named<T: 'static, N: KeyName>(key: &PropertyKey<T, N>) -> Self {
        Self::Named(key.untyped(), About::new::<T>(key.name.to_name()))
    }

    pub(crate) fn about(&self) -> About {
        match self {
            Self::Named(_, about) => about.clone(),
            Self::Cell(set, index) => About::Cell(set, *index),
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
        let key = KEY.untyped();
        assert!(key.is(named.name(), TypeId::of::<u8>()));
        assert!(!key.is("a", TypeId::of::<u16>()));
        assert!(!key.is("b", TypeId::of::<u8>()));
    }
}
