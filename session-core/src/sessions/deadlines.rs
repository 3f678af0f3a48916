//! The times at which sessions are due: one entry per session, in buckets.
//!
//! Invariants:
//! 1. An active session has an entry under its id, in a bucket no later than the first one after it is due.
//!    Activity does not move it: when the bucket comes up, the session is found to be active and is added again. An id
//!    that is dead by then is just dropped.
//! 2. A bucket comes up at its end, so a session ends within one bucket's width after it is due, and never before.
//! 3. The lock is a leaf, held for one batch at a time.
//! 4. Only the sweeper removes entries. While dead entries outnumber living ones it drops them, batch by batch, so
//!    timeouts that never come cost no memory for sessions that have ended.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;

use crate::id::SessionId;
use crate::life::clock::Ticks;
use crate::sync::{AtomicUsize, Mutex, Ordering};

/// The largest width of a bucket: a second. It is less if the timeouts are short.
const WIDEST: Ticks = Ticks(63);
const BUCKETS_PER_TIMEOUT: u64 = 64;

/// The number of entries that a compaction looks at in one step.
pub(crate) const BATCH: usize = 64;

/// The number of dead entries that is not yet a reason to compact. In a model, any dead entry is one.
const FEW: usize = if cfg!(session_shuttle) { 0 } else { 1_024 };

pub(crate) struct Deadlines {
    pub(crate) idle: Ticks,
    pub(crate) absolute: Ticks,
    width: u64,
    queue: Mutex<Queue>,
    /// The number of entries in the queue. Written under its lock.
    entries: AtomicUsize,
    /// Wakes the sweeper: there is an earlier bucket, or much to compact.
    pub(crate) woken: Notify,
}

/// Ids by the number of the bucket they are in.
type Queue = BTreeMap<u64, Vec<SessionId>>;

/// The position that a compaction has reached.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    bucket: u64,
    index: usize,
}

impl Cursor {
    fn at(bucket: u64, index: usize) -> Self {
        Self { bucket, index }
    }
}

impl Deadlines {
    pub(crate) fn new(idle: Duration, absolute: Duration) -> Self {
        let (idle, absolute) = (Ticks::of(idle), Ticks::of(absolute));
        let width = (idle.min(absolute).0 / BUCKETS_PER_TIMEOUT).clamp(1, WIDEST.0);
        Self {
            idle,
            absolute,
            width,
            queue: Mutex::new(Queue::new()),
            entries: AtomicUsize::new(0),
            woken: Notify::new(),
        }
    }

    /// Returns the time at which a session is due. It was created at `created`, and its last activity ended at `since`.
    pub(crate) fn due(&self, created: Ticks, since: Ticks) -> Ticks {
        since.plus(self.idle).min(created.plus(self.absolute))
    }

    pub(crate) fn add(&self, id: SessionId, due: Ticks) {
        let bucket = due.0.div_ceil(self.width);
        let first = {
            let mut queue = self.queue.lock();
            let first = queue
                .first_key_value()
                .is_none_or(|(first, _)| bucket < *first);
            queue.entry(bucket).or_default().push(id);
            // Relaxed, here and below: the number only decides when to look.
            self.entries.fetch_add(1, Ordering::Relaxed);
            first
        };
        if first {
            self.woken.notify_one();
        }
    }

    /// Returns the first bucket, and the time at which it comes up.
    pub(crate) fn first(&self) -> Option<(u64, Ticks)> {
        let queue = self.queue.lock();
        let (bucket, _) = queue.first_key_value()?;
        Some((*bucket, Ticks(bucket.saturating_mul(self.width))))
    }

    /// Takes an entry of this bucket out of the queue.
    pub(crate) fn take_one(&self, bucket: u64) -> Option<SessionId> {
        let mut queue = self.queue.lock();
        let ids = queue.get_mut(&bucket)?;
        let id = ids.pop();
        if ids.is_empty() {
            queue.remove(&bucket);
        }
        self.entries.fetch_sub(1, Ordering::Relaxed);
        id
    }

    /// Whether most entries are dead, given the number of active sessions.
    pub(crate) fn is_mostly_dead(&self, active: usize) -> bool {
        let entries = self.entries.load(Ordering::Relaxed);
        entries.saturating_sub(active) > active.saturating_add(FEW)
    }

    /// Wakes the sweeper if there are now too many dead entries.
    pub(crate) fn entry_died(&self, active: usize) {
        if self.is_mostly_dead(active) {
            self.woken.notify_one();
        }
    }

    /// Drops the dead entries of the next batch. Returns the position to go on from.
    pub(crate) fn compact(
        &self,
        cursor: Cursor,
        is_live: impl Fn(&SessionId) -> bool,
    ) -> Option<Cursor> {
        let (bucket, start, batch) = {
            let mut queue = self.queue.lock();
            let (&bucket, ids) = queue.range_mut(cursor.bucket..).next()?;
            let start = if bucket == cursor.bucket {
                cursor.index
            } else {
                0
            };
            let batch: Vec<_> = ids.iter().skip(start).take(BATCH).copied().collect();
            if batch.is_empty() {
                ids.shrink_to_fit();
                return Some(Cursor::at(bucket + 1, 0));
            }
            (bucket, start, batch)
        };
        let living: Vec<_> = batch.iter().copied().filter(is_live).collect();
        let mut queue = self.queue.lock();
        // The batch is where it was: new entries are added at the end.
        let ids = queue.get_mut(&bucket)?;
        let end = start + living.len();
        ids[start..end].copy_from_slice(&living);
        for dead in (end..start + batch.len()).rev() {
            ids.swap_remove(dead);
        }
        if ids.is_empty() {
            queue.remove(&bucket);
        }
        let dead = batch.len() - living.len();
        self.entries.fetch_sub(dead, Ordering::Relaxed);
        Some(Cursor::at(bucket, end))
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn entries(&self) -> usize {
        self.queue.lock().values().map(Vec::len).sum()
    }
}
