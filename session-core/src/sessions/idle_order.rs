//! The order in which idle sessions make room in a full manager: anonymous sessions go before those whose group the
//! application named, and of either the one that has been idle longest; of two that are idle since the same tick, the
//! elder.

use std::collections::{BTreeSet, HashMap};

use crate::life::clock::Ticks;

/// Sessions by the time at which they were idle, and by kind.
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

/// The time at which a session was idle, and its serial.
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

    pub(crate) fn insert(&mut self, serial: u64, place: Place<S>) {
        self.of(place.kind).insert((place.since, serial));
        self.places.insert(serial, place);
    }

    pub(crate) fn remove(&mut self, serial: u64) -> Option<Place<S>> {
        let place = self.places.remove(&serial)?;
        self.of(place.kind).remove(&(place.since, serial));
        Some(place)
    }

    /// The first that makes room for a newcomer of this kind: an anonymous one ends only anonymous ones.
    pub(crate) fn first(&self, newcomer: Kind) -> Option<Place<S>> {
        let named = self.named.first().filter(|_| newcomer == Kind::Named);
        let (_, serial) = self.anonymous.first().or(named)?;
        self.places.get(serial).cloned()
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}
