//! The groups that linger: their last session has left, and they stay active for a time.
//!
//! Invariants:
//! 1. A group comes in, and leaves for a session that it admits or by its termination, under the lock of its members.
//!    The thread that takes it out for its end has only its ticket: the group ends if it still lingers by that ticket.
//! 2. At most `max` groups linger. One more takes the place of the first.
//! 3. Once this is closed no group comes in.
//! 4. The lock is taken under that of a group's members, and only that of the cleanups is taken under it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;

use crate::life::clock::Ticks;
use crate::sync::Mutex;

pub(crate) struct Lingering<G> {
    time: Ticks,
    max: usize,
    queue: Mutex<Queue<G>>,
    /// Wakes the sweeper when a group has come in.
    pub(crate) begun: Notify,
}

struct Queue<G> {
    /// With the time at which each ends. The first has lingered longest.
    groups: BTreeMap<Ticket, (Ticks, G)>,
    next: u64,
    closed: bool,
}

/// One stay of a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl<G> Lingering<G> {
    pub(crate) fn new(time: Duration, max: usize) -> Self {
        let time = Ticks::of(time);
        Self {
            time,
            max,
            queue: Mutex::new(Queue {
                groups: BTreeMap::new(),
                next: 0,
                closed: time == Ticks(0),
            }),
            begun: Notify::new(),
        }
    }

    /// Adds a group, unless this is closed. Returns its ticket, and the group whose place it has taken, which the caller
    /// has to end.
    pub(crate) fn begin(&self, group: G, now: Ticks) -> Option<(Ticket, Option<(Ticket, G)>)> {
        let mut queue = self.queue.lock();
        if queue.closed {
            return None;
        }
        let full = queue.groups.len() >= self.max;
        let first = if full { queue.groups.pop_first() } else { None };
        let ticket = Ticket(queue.next);
        queue.next += 1;
        let until = now.plus(self.time);
        queue.groups.insert(ticket, (until, group));
        drop(queue);
        self.begun.notify_one();
        Some((ticket, first.map(|(ticket, (_, group))| (ticket, group))))
    }

    /// Removes a group that does not linger any longer.
    pub(crate) fn remove(&self, ticket: Ticket) {
        let removed = self.queue.lock().groups.remove(&ticket);
        drop(removed);
    }

    /// Takes out the first group if its time is `due`, for its end. Calls `take` under the lock.
    pub(crate) fn take_first<R>(
        &self,
        due: impl FnOnce(Ticks) -> bool,
        take: impl FnOnce(Ticket, G) -> R,
    ) -> Option<R> {
        let mut queue = self.queue.lock();
        let first = queue.groups.first_entry()?;
        if !due(first.get().0) {
            return None;
        }
        let (ticket, (_, group)) = first.remove_entry();
        Some(take(ticket, group))
    }

    /// Returns the time at which the first group ends.
    pub(crate) fn next(&self) -> Option<Ticks> {
        let queue = self.queue.lock();
        queue.groups.values().next().map(|(until, _)| *until)
    }

    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn len(&self) -> usize {
        self.queue.lock().groups.len()
    }
}
