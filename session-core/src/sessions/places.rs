//! The places of a manager's active sessions: how many are taken, and whether more may be.

use crate::sync::{AtomicUsize, Ordering};

/// Is set once no more places are taken.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// The number of places taken, and `CLOSED`. Both are in one word, so that a place is either taken before the drain, and
/// the drain waits for it, or not at all.
pub(crate) struct Places(AtomicUsize);

impl Places {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed) & !CLOSED
    }

    /// Takes a place, if fewer than `max` are taken and they are not closed.
    pub(crate) fn take(&self, max: usize) -> bool {
        let max = max.min(CLOSED);
        let take = |taken| (taken < max).then_some(taken + 1);
        // Relaxed: the count is exact by itself, and no other memory depends on it.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Frees a place.
    pub(crate) fn free(&self) {
        // Release, for `are_drained`.
        self.0.fetch_sub(1, Ordering::Release);
    }

    pub(crate) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Whether none is taken, or ever will be.
    pub(crate) fn are_drained(&self) -> bool {
        // Acquire: a caller that sees a place free also sees its session in cleanup.
        self.0.load(Ordering::Acquire) == CLOSED
    }
}
