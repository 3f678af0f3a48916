//! The entries of the dictionary, by key.
//!
//! Invariants:
//! 1. A slot is `Creating` from when an initializer is chosen until it has ended, and `creating` counts these slots.
//! 2. Nothing here runs user code: the caller drops the values taken out, outside the session's lock.

use std::any::TypeId;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::store::creation::Creation;
use crate::store::key::NamedKey;
use crate::values::value::Held;

#[derive(Default)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    spread: Spread,
    creating: usize,
}

/// Turns the hashes of keys, which a client can compute, into hashes that a client can't predict.
///
/// Names can still be crafted to have the same hash. Once two such names have met in a table, it hashes the text of
/// its names under a secret.
struct Spread {
    seed: u64,
    /// Few tables ever need it: behind a pointer.
    text: Option<Box<RandomState>>,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            seed: RandomState::new().build_hasher().finish(),
            text: None,
        }
    }
}

impl Spread {
    #[inline]
    fn of_named(&self, hash: u64, name: &str) -> u64 {
        match &self.text {
            None => self.of_hash(hash),
            Some(text) => text.hash_one(name),
        }
    }

    fn of(&self, key: &NamedKey) -> u64 {
        self.of_named(key.hash, key.name.as_str())
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are folded into one"
    )]
    fn of_hash(&self, hash: u64) -> u64 {
        let product = u128::from(hash ^ self.seed) * 0x9e37_79b9_7f4a_7c15;
        product as u64 ^ (product >> 64) as u64
    }
}

pub(crate) struct Slot {
    key: NamedKey,
    pub(crate) state: SlotState,
}

pub(crate) enum SlotState {
    Creating(Arc<Creation>),
    /// With its place in the list of published values, if it is there.
    Present(Held, Option<u64>),
}

impl Table {
    #[inline]
    pub(crate) fn named(&self, hash: u64, name: &str, value: TypeId) -> Option<&SlotState> {
        self.slots
            .find(self.spread.of_named(hash, name), |slot| {
                slot.key.is(name, value)
            })
            .map(|slot| &slot.state)
    }

    pub(crate) fn get(&self, key: &NamedKey) -> Option<&SlotState> {
        self.named(key.hash, key.name.as_str(), key.value)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    /// Marks an absent property as being created.
    pub(crate) fn begin(&mut self, key: NamedKey, creation: Arc<Creation>) {
        self.creating += 1;
        self.put(Slot {
            key,
            state: SlotState::Creating(creation),
        });
    }

    /// Ends the creation without a value.
    pub(crate) fn give_up(&mut self, key: &NamedKey) {
        if self.take(key).is_some() {
            self.creating -= 1;
        }
    }

    /// Ends the creation with this value.
    pub(crate) fn publish(&mut self, key: &NamedKey, held: Held, place: Option<u64>) {
        let spread = self.spread.of(key);
        let is = |slot: &Slot| slot.key.is(key.name.as_str(), key.value);
        if let Some(slot) = self.slots.find_mut(spread, is) {
            slot.state = SlotState::Present(held, place);
            self.creating -= 1;
        }
    }

    /// Adds a value that a caller inserts; the key must be absent.
    pub(crate) fn insert(&mut self, key: NamedKey, held: Held, place: Option<u64>) {
        let state = SlotState::Present(held, place);
        self.put(Slot { key, state });
    }

    /// Takes out a property that is present, with its place among the published values.
    pub(crate) fn remove(&mut self, key: &NamedKey) -> Option<(Held, Option<u64>)> {
        if matches!(self.get(key)?, SlotState::Creating(_)) {
            return None;
        }
        match self.take(key)?.state {
            SlotState::Present(held, place) => Some((held, place)),
            SlotState::Creating(_) => None,
        }
    }

    /// Returns the creations under way.
    pub(crate) fn creations(&self) -> impl Iterator<Item = &Arc<Creation>> {
        let slots = (self.creating > 0).then(|| self.slots.iter());
        slots
            .into_iter()
            .flatten()
            .filter_map(|slot| match &slot.state {
                SlotState::Creating(creation) => Some(creation),
                SlotState::Present(..) => None,
            })
    }

    pub(crate) fn is_creating(&self) -> bool {
        self.creating > 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes all entries out of the table. For cleanup.
    pub(crate) fn take_slots(&mut self) -> impl Iterator<Item = Slot> + use<> {
        self.creating = 0;
        std::mem::take(&mut self.slots).into_iter()
    }

    fn take(&mut self, key: &NamedKey) -> Option<Slot> {
        let is = |slot: &Slot| slot.key.is(key.name.as_str(), key.value);
        let slot = self.slots.find_entry(self.spread.of(key), is).ok()?;
        let (slot, _vacant) = slot.remove();
        Some(slot)
    }

    fn put(&mut self, slot: Slot) {
        if self.spread.text.is_none() && self.is_crowded(&slot) {
            self.spread.text = Some(Box::default());
            let slots = std::mem::take(&mut self.slots);
            self.slots.reserve(slots.len(), |_| 0);
            for slot in slots {
                self.add(slot);
            }
        }
        self.add(slot);
    }

    /// Whether another name in the table has the hash of the slot's name.
    fn is_crowded(&self, new: &Slot) -> bool {
        let is_other = |slot: &Slot| {
            slot.key.hash == new.key.hash && slot.key.name.as_str() != new.key.name.as_str()
        };
        let place = self.spread.of_hash(new.key.hash);
        self.slots.find(place, is_other).is_some()
    }

    fn add(&mut self, slot: Slot) {
        let spread = &self.spread;
        let place = |slot: &Slot| spread.of(&slot.key);
        self.slots.insert_unique(place(&slot), slot, place);
    }
}

#[cfg(all(test, not(session_shuttle)))]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::store::key::PropertyKey;
    use crate::{LocalSession as _, SessionManager};

    #[test]
    fn r10_keys_whose_hashes_are_alike_are_spread() {
        let spread = Spread::default();
        // A table looks at the low bits first.
        let places: HashSet<u64> = (0..1 << 12)
            .map(|key| spread.of_hash(key << 32) & 0xfff)
            .collect();
        assert!(places.len() > 1 << 11, "{}", places.len());
    }

    /// Pairs of texts: the hash is the same after either of a pair. Found with the help of a lattice.
    const PAIRS: [[&str; 2]; 6] = [
        ["R:Xv:zOq5gVgGw", "PeU6[VuQ1f_1yJ"],
        ["Scy2:IWfugQ_Vq", "U>6zK_ihyfj=Jt"],
        ["wY7eHZiLMDJ^L<", "yHp1Kb7>AAM:L?"],
        ["4=Xd@ODTNir9Vz", "2JE05QPZHd;S6y"],
        ["j8sR]S?;BnJZwn", "li8B:1qGDmC2Ym"],
        ["_nnGUB@c6oq7Mo", "Y57G8FTg8n6QOl"],
    ];

    #[tokio::test]
    async fn r10_names_that_were_made_to_have_one_hash_are_spread_and_found() {
        let sessions = SessionManager::builder().build().unwrap();
        let session = sessions.create().unwrap();
        let properties = session.properties();
        let key = |number: usize| {
            let parts = PAIRS.iter().enumerate();
            let name: String = parts.map(|(at, pair)| pair[number >> at & 1]).collect();
            PropertyKey::<usize, _>::named(name)
        };
        let keys: Vec<_> = (0..1 << PAIRS.len()).map(key).collect();
        let hashes: HashSet<_> = keys.iter().map(PropertyKey::hash).collect();
        assert_eq!(hashes.len(), 1);

        let before = PropertyKey::<u8>::new("before");
        properties.insert(&before, 1).unwrap();
        for (number, key) in keys.iter().enumerate() {
            properties.insert(key, number).unwrap();
            properties.insert(key, number).unwrap_err();
        }
        {
            let state = session.local().lock();
            let table = state.dictionary().unwrap();
            let spread = |slot: &Slot| table.spread.of(&slot.key);
            let places: HashSet<_> = table.slots().map(spread).collect();
            assert_eq!(places.len(), keys.len() + 1);
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(*properties.get(key).unwrap(), number);
            assert_eq!(*properties.remove(key).unwrap().unwrap(), number);
            assert!(properties.get(key).is_none());
        }
        assert_eq!(*properties.get(&before).unwrap(), 1);
    }
}
