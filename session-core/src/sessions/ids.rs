//! The ids, or keys, of sessions as the manager knows them: live, taken from their clients a moment ago, or unknown.
//!
//! Invariants:
//! 1. An id turns from live into superseded in one step, in its own slot. A look-up finds one or the other.
//! 2. A request enters by an id under the lock of that id's shard, so no request enters by an id that has been
//!    superseded or removed.
//! 3. `pending + timed.len()` is the number of superseded ids, and at most `max`.
//! 4. The queue's lock is a leaf, and is not held together with a shard's.
//! 5. A superseded slot has one place among those, and only its end there changes the slot. So a key that becomes live
//!    again has no earlier time running.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::NotLive;
use crate::id::IdHasher;
use crate::life::clock::{Clock, Ticks};
use crate::sync::Mutex;
use crate::sync::registry::Registry;
use crate::sync::runtime::sleep_until;

/// Sessions by an id or key `K`, whose bits are random.
pub(crate) struct Ids<K, S> {
    slots: Registry<K, Slot<S>, BuildHasherDefault<IdHasher>>,
    queue: Mutex<Queue<K>>,
    superseded_for: Ticks,
    max: usize,
    /// Wakes the sweeper when the queue is no longer empty.
    begun: Notify,
}

/// As large as a session's handle.
#[derive(Clone)]
enum Slot<S> {
    Live(S),
    Superseded,
}

/// The superseded ids.
struct Queue<K> {
    /// The number of ids whose time has not begun, because their clients have not been told yet.
    pending: usize,
    /// The times at which the others become unknown, the earliest first.
    timed: VecDeque<(Ticks, K)>,
}

impl<K: Copy + Eq + Hash, S: Clone> Ids<K, S> {
    pub(crate) fn new(superseded_for: Duration, max: usize) -> Self {
        Self {
            slots: Registry::new(),
            queue: Mutex::new(Queue {
                pending: 0,
                timed: VecDeque::new(),
            }),
            superseded_for: Ticks::of(superseded_for),
            max,
            begun: Notify::new(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: &K) -> Option<S> {
        self.slots.with(id, Slot::live).flatten()
    }

    pub(crate) fn is_live(&self, id: &K) -> bool {
        let live = self.slots.with(id, |slot| matches!(slot, Slot::Live(_)));
        live.unwrap_or(false)
    }

    /// Enters the live session with this id, in one step with the look-up. `enter` returns `None` once the session is
    /// being completed, and `wait` waits until it is completed.
    #[inline]
    pub(crate) fn enter<G>(
        &self,
        id: &K,
        enter: impl Fn(&S) -> Option<G>,
        wait: impl Fn(S),
    ) -> Result<G, NotLive> {
        loop {
            let entered = self.slots.with(id, |slot| match slot {
                Slot::Live(session) => enter(session).ok_or_else(|| Some(session.clone())),
                Slot::Superseded => Err(None),
            });
            match entered {
                None => return Err(NotLive::Unknown),
                Some(Ok(guard)) => return Ok(guard),
                Some(Err(None)) => return Err(NotLive::Superseded),
                // The step that completes it also changes its slot.
                Some(Err(Some(ending))) => wait(ending),
            }
        }
    }

    pub(crate) fn insert(&self, id: K, session: S) {
        self.slots.insert(id, Slot::Live(session));
    }

    pub(crate) fn remove(&self, id: &K) {
        self.slots.remove(id);
    }

    /// Turns a live id into a superseded one, whose time begins later. Returns `false` if this manager does not
    /// supersede ids, or too many are pending: the id is then unknown.
    pub(crate) fn supersede(&self, id: &K) -> bool {
        let room = self.superseded_for > Ticks(0) && {
            let mut queue = self.queue.lock();
            let full = queue.pending + queue.timed.len() >= self.max;
            let oldest = if full { queue.timed.pop_front() } else { None };
            let room = !full || oldest.is_some();
            queue.pending += usize::from(room);
            drop(queue);
            if let Some((_, oldest)) = oldest {
                self.remove(&oldest);
            }
            room
        };
        if room {
            self.slots.insert(*id, Slot::Superseded);
        } else {
            self.remove(id);
        }
        room
    }

    /// Starts the time of a superseded id: the client has been told.
    pub(crate) fn begin(&self, id: K, now: Ticks) {
        let mut queue = self.queue.lock();
        queue.pending -= 1;
        // Times that several threads have read may arrive out of order.
        let last = queue.timed.back().map_or(now, |(until, _)| *until);
        let until = now.plus(self.superseded_for).max(last);
        queue.timed.push_back((until, id));
        drop(queue);
        self.begun.notify_one();
    }

    /// Makes a superseded id unknown from now on: the client will not be told.
    pub(crate) fn forget(&self, id: &K) {
        self.queue.lock().pending -= 1;
        self.remove(id);
    }

    /// Returns the live sessions. One whose id is being changed may be there twice, under both ids.
    pub(crate) fn live(&self) -> Vec<S> {
        let slots = self.slots.values();
        slots.iter().filter_map(Slot::live).collect()
    }

    /// Makes the ids unknown whose time has passed. Returns the time of the next one.
    pub(crate) fn expire(&self, past: Ticks) -> Option<Ticks> {
        loop {
            let id = {
                let mut queue = self.queue.lock();
                let (until, id) = *queue.timed.front()?;
                if until > past {
                    return Some(until);
                }
                queue.timed.pop_front();
                id
            };
            self.remove(&id);
        }
    }

    /// Makes superseded ids unknown as their time passes. Never returns.
    pub(crate) async fn sweep(self: Arc<Self>, clock: Clock) {
        loop {
            match self.expire(clock.past()) {
                Some(next) => sleep_until(clock.when(next)).await,
                None => self.begun.notified().await,
            }
        }
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn superseded(&self) -> usize {
        let queue = self.queue.lock();
        queue.pending + queue.timed.len()
    }
}

impl<S: Clone> Slot<S> {
    fn live(&self) -> Option<S> {
        match self {
            Self::Live(session) => Some(session.clone()),
            Self::Superseded => None,
        }
    }
}
