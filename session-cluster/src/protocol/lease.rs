//! Until when a node may act: its lease, and whether it was asleep.

use std::time::Duration;

use crate::protocol::step::Moment;
use crate::times::Times;

#[derive(Debug, Default)]
pub(super) struct Lease {
    /// The time at which the last renewal that was answered went out.
    from: Option<Moment>,
    /// The node was asleep if no question has ended before this time.
    awake_until: Moment,
    /// The node may have been given up in a run of the store whose verdicts are lost. Until then they are repeated.
    held_back_until: Option<Moment>,
}

impl Lease {
    pub(super) fn end(&self, times: &Times) -> Option<Moment> {
        self.from.map(|from| from + times.lease)
    }

    pub(super) fn open_until(&self, times: &Times) -> Moment {
        match self.end(times) {
            Some(end) if self.held_back_until.is_none() => end.min(self.awake_until),
            _ => Moment::ZERO,
        }
    }

    pub(super) fn is_over(&self, now: Moment, times: &Times) -> bool {
        self.is_older(now, times.lease)
    }

    /// Whether the last answered renewal is at least this old.
    pub(super) fn is_older(&self, now: Moment, age: Duration) -> bool {
        self.from.is_some_and(|from| now >= from + age)
    }

    /// A question was answered. Returns whether the answer is too old to show that the node was awake.
    pub(super) fn answered(&mut self, sent: Moment, now: Moment, times: &Times) -> bool {
        self.awake_until = ended(sent, now, times) + times.asleep();
        now >= self.awake_until
    }

    /// A question was not answered. It shows that the node is awake, but does not wake one that was asleep.
    pub(super) fn failed(&mut self, sent: Moment, now: Moment, times: &Times) {
        if now < self.awake_until {
            self.awake_until = ended(sent, now, times) + times.asleep();
        }
    }

    /// The store has the renewal that was sent then.
    pub(super) fn renew(&mut self, sent: Moment) {
        self.from = Some(sent);
        self.held_back_until = self.held_back_until.filter(|until| sent < *until);
    }

    /// The node does not act before it was in touch for a lease.
    pub(super) fn hold_back(&mut self, now: Moment, times: &Times) {
        self.held_back_until = Some(now + times.lease);
    }

    pub(super) fn is_held_back(&self) -> bool {
        self.held_back_until.is_some()
    }
}

/// A question ends by the store's timeout. A node that notes it later was asleep in between.
fn ended(sent: Moment, now: Moment, times: &Times) -> Moment {
    now.min(sent + times.store_timeout)
}
