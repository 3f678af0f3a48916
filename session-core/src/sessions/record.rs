//! A session's record, in one word: the number of changes of its id, whether the id was never presented, and the time of
//! its creation.

use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sync::{AtomicU64, Ordering};

const BIRTH_BITS: u32 = 36;
const BIRTH_MASK: u64 = (1 << BIRTH_BITS) - 1;
/// No request has presented the session's id so far.
const UNCONFIRMED: u64 = 1 << BIRTH_BITS;
const CHANGES_SHIFT: u32 = BIRTH_BITS + 1;

/// The number of changes of an id is counted modulo this.
pub(crate) const ID_CHANGES: u64 = 1 << (u64::BITS - CHANGES_SHIFT);

/// The word. The number of changes is written under the session's lock.
pub(crate) struct Record(AtomicU64);

impl Record {
    pub(crate) fn new(created: Ticks) -> Self {
        Self(AtomicU64::new(created.0.min(BIRTH_MASK)))
    }

    pub(crate) fn created(&self) -> Ticks {
        // Relaxed: these bits never change.
        Ticks(self.0.load(Ordering::Relaxed) & BIRTH_MASK)
    }

    /// Returns the number of times the id has changed, modulo [`ID_CHANGES`].
    #[inline]
    pub(crate) fn id_changes(&self) -> u64 {
        // Acquire: a request that sees a change also sees what the log-in did before it. If a request sees no change,
        // its earlier reads came before the change.
        self.0.load(Ordering::Acquire) >> CHANGES_SHIFT
    }

    /// Counts a change of the id.
    pub(crate) fn has_changed_id(&self, _locked: &mut State) {
        // Release: see `id_changes`.
        self.0.fetch_add(1 << CHANGES_SHIFT, Ordering::Release);
    }

    /// Marks a new session, which no other thread sees yet, as unconfirmed.
    pub(crate) fn expect_id(&self) {
        // Relaxed: the session is shared later.
        self.0.fetch_or(UNCONFIRMED, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_unconfirmed(&self) -> bool {
        // Relaxed: see `confirm`.
        self.0.load(Ordering::Relaxed) & UNCONFIRMED != 0
    }

    /// Notes that a request has presented the id. The caller is inside the session.
    #[cold]
    pub(crate) fn confirm(&self) {
        // Relaxed: a thread that misses this takes the shorter timeout for a moment longer, but it ends the session
        // only if the activity's word shows no request since the time that it compares with. A thread that sees in
        // that word that the request has left sees this, too.
        self.0.fetch_and(!UNCONFIRMED, Ordering::Relaxed);
    }
}
