//! Eviction: the idle sessions of a full manager, in the order in which they make room.
//!
//! The order: anonymous sessions go before those whose group the application named, and of either the one that has been
//! idle longest; of two that are idle since the same tick, the elder.
//!
//! Invariants:
//! 1. An active session is in the order, or parked, or about to be placed by one thread: the one that created it, ended
//!    its activity, or searches. So a search that finds none has missed none.
//! 2. A session stands under a time at which it was idle. It may have been active since, and then has been idle since a
//!    later time. So the first one that has not been active is the longest idle of all, and a look at one that has is
//!    paid for by its activity.
//! 3. One search at a time. Its lock is the first in the order of locks, and the order's own lock is a leaf.

use std::collections::{BTreeSet, HashMap};

use crate::builder::WhenFull;
use crate::life::activity::Alive;
use crate::life::clock::Ticks;
use crate::session::Session;
use crate::sync::Mutex;

pub(crate) struct Eviction {
    search: Mutex<()>,
    /// `None` where sessions are not evicted.
    order: Option<Mutex<Order>>,
}

#[derive(Default)]
struct Order {
    places: HashMap<u64, Place>,
    anonymous: BTreeSet<Rank>,
    named: BTreeSet<Rank>,
}

struct Place {
    session: Session,
    rank: Rank,
    kind: Kind,
}

/// The time since when the session was idle, and its serial.
type Rank = (Ticks, u64);

/// Whether the application named the session's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Anonymous,
    Named,
}

impl Eviction {
    pub(crate) fn new(when_full: WhenFull) -> Self {
        Self {
            search: Mutex::new(()),
            order: (when_full == WhenFull::EvictIdlest).then(|| Mutex::new(Order::default())),
        }
    }

    /// Puts the session into the order, or parks it if it is active: it is placed again when its activity ends.
    pub(crate) fn place(&self, session: &Session) {
        let Some(order) = &self.order else { return };
        let kind = session.kind();
        let mut order = order.lock();
        // Under the lock: a completion takes out what it finds, or is seen here.
        if let Err(Alive::Since(since)) = session.local().activity.park() {
            order.insert(session, since, kind);
        }
    }

    pub(crate) fn remove(&self, session: &Session) {
        let Some(order) = &self.order else { return };
        let removed = order.lock().remove(session.serial_number());
        drop(removed);
    }

    /// Ends the first session in the order, so that its place among the active ones is the caller's. Returns `false` if
    /// there is none that a session of this kind may end: an anonymous one ends only anonymous ones.
    pub(crate) fn evict(&self, newcomer: Kind) -> bool {
        let Some(order) = &self.order else {
            return false;
        };
        let ended = {
            let _search = self.search.lock();
            loop {
                let Some((session, (since, _), kind)) = order.lock().first(newcomer) else {
                    return false;
                };
                if let Ok(completion) = session.evict(since, kind) {
                    break (session, completion);
                }
                self.remove(&session);
                self.place(&session);
            }
        };
        let (session, completion) = ended;
        completion.carry_out(session.as_owner());
        true
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn is_empty(&self) -> bool {
        self.order
            .as_ref()
            .is_none_or(|order| order.lock().places.is_empty())
    }
}

impl Order {
    fn of(&mut self, kind: Kind) -> &mut BTreeSet<Rank> {
        match kind {
            Kind::Anonymous => &mut self.anonymous,
            Kind::Named => &mut self.named,
        }
    }

    fn insert(&mut self, session: &Session, since: Ticks, kind: Kind) {
        let rank = (since, session.serial_number());
        self.of(kind).insert(rank);
        let place = Place {
            session: session.clone(),
            rank,
            kind,
        };
        self.places.insert(session.serial_number(), place);
    }

    fn remove(&mut self, serial: u64) -> Option<Place> {
        let place = self.places.remove(&serial)?;
        self.of(place.kind).remove(&place.rank);
        Some(place)
    }

    fn first(&self, newcomer: Kind) -> Option<(Session, Rank, Kind)> {
        let named = self.named.first().filter(|_| newcomer == Kind::Named);
        let (_, serial) = self.anonymous.first().or(named)?;
        let place = self.places.get(serial)?;
        Some((place.session.clone(), place.rank, place.kind))
    }
}
