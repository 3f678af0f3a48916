//! The registry under shuttle, which can't see into a `DashMap`'s locks: see `registry.rs`.

use std::collections::HashMap;

use super::{Borrow, BuildHasher, Hash, Registry};
use crate::sync::Mutex;

pub(super) type Map<K, V, S> = Mutex<HashMap<K, V, S>>;

impl<K: Eq + Hash, V: Clone, S: BuildHasher + Clone + Default> Registry<K, V, S> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::default()))
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.lock().get(key).cloned()
    }

    pub(crate) fn with<R>(&self, key: &K, look: impl FnOnce(&V) -> R) -> Option<R> {
        self.0.lock().get(key).map(look)
    }

    pub(crate) fn insert(&self, key: K, value: V) -> Option<V> {
        self.0.lock().insert(key, value)
    }

    pub(crate) fn remove(&self, key: &K) -> Option<V> {
        self.0.lock().remove(key)
    }

    pub(crate) fn remove_if(&self, key: &K, is: impl FnOnce(&V) -> bool) -> Option<V> {
        let mut map = self.0.lock();
        if is(map.get(key)?) {
            map.remove(key)
        } else {
            None
        }
    }

    pub(crate) fn get_or_insert(&self, key: K, make: impl FnOnce() -> V) -> V {
        self.0.lock().entry(key).or_insert_with(make).clone()
    }

    pub(crate) fn values(&self) -> Vec<V> {
        self.0.lock().values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}
