//! The properties of a session by key, and all their values in the order of publication.
//!
//! Invariants:
//! 1. A slot is `Creating` from when an initializer is chosen until it has ended, and `creating` counts these slots.
//! 2. A published value that has to be closed is in `published` until the session lets go of it; its slot
//!    knows its place there. A value with nothing to close has no place.
//! 3. Nothing here runs user code: the caller drops the values taken out, outside the session's lock.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::store::creation::Creation;
use crate::store::key::SlotKey;
use crate::values::value::{Held, PropertyRef};

#[derive(Default)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    spread: Spread,
    published: BTreeMap<u64, Held>,
    next: u64,
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

    fn of(&self, hash: u64, key: &SlotKey) -> u64 {
        match key {
            SlotKey::Named { name, .. } => self.of_named(hash, name.as_str()),
            SlotKey::Cell { .. } => self.of_hash(hash),
        }
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
    hash: u64,
    pub(crate) key: SlotKey,
    pub(crate) state: SlotState,
}

pub(crate) enum SlotState {
    Creating(Arc<Creation>),
    Present { held: Held, place: Option<u64> },
}

/// Holds taken out of a table: drop them outside the session's lock.
#[must_use = "drop it outside the lock"]
pub(crate) struct Removed {
    slot: Held,
    _published: Option<Held>,
}

impl Removed {
    pub(crate) fn handle<T: Send + Sync + 'static>(self) -> Option<PropertyRef<T>> {
        self.slot.handle()
    }
}

impl Table {
    #[inline]
    pub(crate) fn named(&self, hash: u64, name: &str, value: TypeId) -> Option<&SlotState> {
        self.slots
            .find(self.spread.of_named(hash, name), |slot| {
                slot.key.is_named(name, value)
            })
            .map(|slot| &slot.state)
    }

    pub(crate) fn get(&self, hash: u64, key: &SlotKey) -> Option<&SlotState> {
        self.slots
            .find(self.spread.of(hash, key), |slot| slot.key.matches(key))
            .map(|slot| &slot.state)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    /// Marks an absent property as being created.
    pub(crate) fn begin(&mut self, hash: u64, key: SlotKey, creation: Arc<Creation>) {
        self.creating += 1;
        self.put(Slot {
            hash,
            key,
            state: SlotState::Creating(creation),
        });
    }

    /// Ends the creation without a value.
    pub(crate) fn give_up(&mut self, hash: u64, key: &SlotKey) {
        if let Ok(slot) = self
            .slots
            .find_entry(self.spread.of(hash, key), |slot| slot.key.matches(key))
        {
            let _slot = slot.remove();
            self.creating -= 1;
        }
    }

    /// Ends the creation with this value.
    pub(crate) fn publish(&mut self, hash: u64, key: &SlotKey, held: &Held) {
        let state = self.present(held);
        if let Some(slot) = self
            .slots
            .find_mut(self.spread.of(hash, key), |slot| slot.key.matches(key))
        {
            slot.state = state;
            self.creating -= 1;
        }
    }

    /// Adds a value that a caller inserts; the key must be absent.
    pub(crate) fn insert(&mut self, hash: u64, key: SlotKey, held: &Held) {
        let state = self.present(held);
        self.put(Slot { hash, key, state });
    }

    /// Takes out a property that is present.
    pub(crate) fn remove(&mut self, hash: u64, key: &SlotKey) -> Option<Removed> {
        let slot = self
            .slots
            .find_entry(self.spread.of(hash, key), |slot| slot.key.matches(key))
            .ok()?;
        if matches!(slot.get().state, SlotState::Creating(_)) {
            return None;
        }
        let (slot, _vacant) = slot.remove();
        match slot.state {
            SlotState::Present { held, place } => Some(Removed {
                slot: held,
                _published: place.and_then(|place| self.published.remove(&place)),
            }),
            SlotState::Creating(_) => None,
        }
    }

    /// Returns the creations under way.
    pub(crate) fn creations(&self) -> Vec<Arc<Creation>> {
        if self.creating == 0 {
            return Vec::new();
        }
        let creations = self.slots.iter().filter_map(|slot| match &slot.state {
            SlotState::Creating(creation) => Some(creation.clone()),
            SlotState::Present { .. } => None,
        });
        creations.collect()
    }

    pub(crate) fn is_creating(&self) -> bool {
        self.creating > 0
    }

    pub(crate) fn has_published(&self) -> bool {
        !self.published.is_empty()
    }

    /// Takes the properties by key out of the table; their values stay in the list. For cleanup.
    pub(crate) fn take_slots(&mut self) -> impl Iterator<Item = Slot> + use<> {
        self.creating = 0;
        std::mem::take(&mut self.slots).into_iter()
    }

    /// Takes the value published last out of the list.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        self.published.pop_last().map(|(_place, held)| held)
    }

    fn present(&mut self, held: &Held) -> SlotState {
        let place = (!held.is_trivial()).then(|| {
            let place = self.next;
            self.next += 1;
            self.published.insert(place, held.again());
            place
        });
        SlotState::Present {
            held: held.again(),
            place,
        }
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
        let SlotKey::Named { name: new_name, .. } = &new.key else {
            return false;
        };
        let is_other = |slot: &Slot| match &slot.key {
            SlotKey::Named { name, .. } => {
                slot.hash == new.hash && name.as_str() != new_name.as_str()
            }
            SlotKey::Cell { .. } => false,
        };
        let place = self.spread.of_hash(new.hash);
        self.slots.find(place, is_other).is_some()
    }

    fn add(&mut self, slot: Slot) {
        let spread = &self.spread;
        let place = |slot: &Slot| spread.of(slot.hash, &slot.key);
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
            let table = &state.used().unwrap().table;
            let spread = |slot: &Slot| table.spread.of(slot.hash, &slot.key);
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
