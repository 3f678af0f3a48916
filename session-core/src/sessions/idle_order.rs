//! The order in which idle sessions make room in a full manager. Anonymous sessions go before those whose group the
//! application named. Within a kind, the one that has been idle longest goes first; of two that are idle since the same
//! tick, the older one.

use std::collections::{BTreeSet, HashMap};

use crate::life::clock::Ticks;

/// Sessions by a time at which they were idle, and by kind.
pub(crate) struct IdleOrder<S> {
    places: HashMap<u64, Place<S>>,
    anonymous: BTreeSet<Rank>,
    named: BTreeSet<Rank>,
}

#[derive(Clone)]
pub(crate) struct Place<S> {
    pub(crate) session: S,
    pub(crate) since: Ticks,
    pub(crate) kind: Kind,
}

/// A time at which a session was idle, and its serial.
type Rank = (Ticks, u64);

/// Whether the application named the session's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Anonymous,
    Named,
}

impl<S: Clone> IdleOrder<S> {
    pub(crate) fn new() -> Self {
        Self {
            places: HashMap::new(),
            anonymous: BTreeSet::new(),
            named: BTreeSet::new(),
        }
    }

    fn of(&mut self, kind: Kind) -> &mut BTreeSet<Rank> {
        match kind {
            Kind::Anonymous => &mut self.anonymous,
            Kind::Named => &mut self.named,
        }
    }

    /// Inserts a place, and returns the one that it replaces.
    pub(crate) fn insert(&mut self, serial: u64, place: Place<S>) -> Option<Place<S>> {
        let replaced = self.remove(serial);
        self.of(place.kind).insert((place.since, serial));
        self.places.insert(serial, place);
        replaced
    }

    pub(crate) fn remove(&mut self, serial: u64) -> Option<Place<S>> {
        let place = self.places.remove(&serial)?;
        self.of(place.kind).remove(&(place.since, serial));
        Some(place)
    }

    /// Returns the first session that makes room for a newcomer of this kind. An anonymous newcomer ends only anonymous
    /// sessions.
    pub(crate) fn first(&self, newcomer: Kind) -> Option<Place<S>> {
        let named = self.named.first().filter(|_| newcomer == Kind::Named);
        let (_, serial) = self.anonymous.first().or(named)?;
        self.places.get(serial).cloned()
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.anonymous.is_empty() && self.named.is_empty()
    }
}
