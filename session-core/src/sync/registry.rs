//! A map that all threads share: the active sessions by id, and the groups by name.
//!
//! It returns clones, so that no guard of a shard outlives a call.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

pub(crate) struct Registry<K, V, S>(imp::Map<K, V, S>);

#[cfg(not(session_shuttle))]
mod imp {
    use super::{Borrow, BuildHasher, Hash, Registry};

    pub(super) type Map<K, V, S> = dashmap::DashMap<K, V, S>;

    impl<K: Eq + Hash, V: Clone, S: BuildHasher + Clone + Default> Registry<K, V, S> {
        pub(crate) fn new() -> Self {
            Self(Map::default())
        }

        #[inline]
        pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
        where
            K: Borrow<Q>,
        {
            self.0.get(key).map(|entry| entry.value().clone())
        }

        /// Calls `look` with the value, under the shard's lock.
        #[inline]
        pub(crate) fn with<R>(&self, key: &K, look: impl FnOnce(&V) -> R) -> Option<R> {
            self.0.get(key).map(|entry| look(entry.value()))
        }

        pub(crate) fn insert(&self, key: K, value: V) -> Option<V> {
            self.0.insert(key, value)
        }

        pub(crate) fn remove(&self, key: &K) -> Option<V> {
            self.0.remove(key).map(|(_, value)| value)
        }

        pub(crate) fn remove_if(&self, key: &K, is: impl FnOnce(&V) -> bool) -> Option<V> {
            let removed = self.0.remove_if(key, |_, value| is(value));
            removed.map(|(_, value)| value)
        }

        /// Returns the existing value, or inserts the one that `make` returns, under the shard's lock.
        pub(crate) fn get_or_insert(&self, key: K, make: impl FnOnce() -> V) -> V {
            self.0.entry(key).or_insert_with(make).clone()
        }

        pub(crate) fn values(&self) -> Vec<V> {
            self.0.iter().map(|entry| entry.value().clone()).collect()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }
    }
}

#[cfg(session_shuttle)]
#[path = "registry_shuttle.rs"]
mod imp;
