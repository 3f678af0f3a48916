//! The times at which sessions are due: one entry that counts per session, in buckets.
//!
//! Invariants:
//! 1. An active session has an entry under its id, in a bucket no later than the first one after it is due.
//!    Activity does not move it: when the bucket comes up, the session is found to be active and is added again. An id
//!    that is dead by then is just dropped. While the sweeper has the entry in hand, the session has none.
//! 2. A bucket comes up at its end, so a session ends within one bucket's width after it is due, and never before.
//! 3. The lock is a leaf, held for one batch at a time.
//! 4. Only the sweeper removes entries. While dead entries outnumber living ones it drops them, batch by batch, so
//!    timeouts that never come cost no memory for sessions that have ended.
//! 5. A session whose timeout is shortened gets an earlier entry. The one that it had does not count from then on, and
//!    is dropped like a dead one. `moved` tells them apart; a session is in it only while it has entries that don't
//!    count. Of two threads that add an entry, the one with the earlier bucket wins.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use tokio::sync::Notify;

use crate::id::{IdHasher, SessionId};
use crate::life::clock::Ticks;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};

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
    pub(crate) unconfirmed: Option<Ticks>,
    width: u64,
    queue: Mutex<Queue>,
    /// The number of entries in the queue. Written under its lock.
    entries: AtomicUsize,
    /// Wakes the sweeper: there is an earlier bucket, or much to compact.
    pub(crate) woken: Notify,
}

#[derive(Default)]
struct Queue {
    /// Ids by the number of the bucket they are in.
    buckets: BTreeMap<u64, Vec<SessionId>>,
    /// The sessions with more than one entry.
    moved: HashMap<SessionId, Moved, BuildHasherDefault<IdHasher>>,
}

/// The entries of a session whose timeout was shortened.
#[derive(Default)]
struct Moved {
    /// The bucket of the entry that counts; `None` while the sweeper has it in hand.
    bucket: Option<u64>,
    /// The number of the others, with one that the sweeper has in hand or that is about to be added.
    others: usize,
}

impl Queue {
    /// Adds an entry. Returns whether its bucket is now the first.
    fn push(&mut self, bucket: u64, id: SessionId) -> bool {
        let first = self.buckets.first_key_value();
        let is_first = first.is_none_or(|(first, _)| bucket < *first);
        self.buckets.entry(bucket).or_default().push(id);
        is_first
    }

    /// Whether the session's entry in this bucket counts.
    fn counts(&self, id: &SessionId, bucket: u64) -> bool {
        let moved = self.moved.get(id);
        moved.is_none_or(|moved| moved.bucket == Some(bucket))
    }

    /// Notes that an entry that does not count is gone.
    fn drop_other(&mut self, id: &SessionId) {
        if let Some(moved) = self.moved.get_mut(id) {
            moved.others -= 1;
            if moved.others == 0 {
                self.forget(id);
            }
        }
    }

    fn forget(&mut self, id: &SessionId) {
        self.moved.remove(id);
        if self.moved.is_empty() {
            self.moved.shrink_to_fit();
        }
    }
}

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
    pub(crate) fn new(idle: Duration, absolute: Duration, unconfirmed: Option<Duration>) -> Self {
        let (idle, absolute) = (Ticks::of(idle), Ticks::of(absolute));
        let unconfirmed = unconfirmed.map(Ticks::of);
        let shortest = idle.min(absolute).min(unconfirmed.unwrap_or(idle));
        let width = (shortest.0 / BUCKETS_PER_TIMEOUT).clamp(1, WIDEST.0);
        Self {
            idle,
            absolute,
            unconfirmed,
            width,
            queue: Mutex::new(Queue::default()),
            entries: AtomicUsize::new(0),
            woken: Notify::new(),
        }
    }

    fn bucket(&self, due: Ticks) -> u64 {
        due.0.div_ceil(self.width)
    }

    /// Adds the entry of a session that has none, or that the sweeper has in hand.
    pub(crate) fn add(&self, id: SessionId, due: Ticks) {
        let bucket = self.bucket(due);
        let mut queue = self.queue.lock();
        if let Some(moved) = queue.moved.get_mut(&id) {
            if moved.bucket.is_some_and(|earlier| earlier <= bucket) {
                // Its timeout was shortened meanwhile.
                queue.drop_other(&id);
                return;
            }
            moved.bucket = Some(bucket);
        }
        self.push(queue, bucket, id);
    }

    /// Adds an entry for a session whose timeout was shortened, unless there is one in time.
    pub(crate) fn move_up(&self, id: SessionId, due: Ticks) {
        let bucket = self.bucket(due);
        let mut queue = self.queue.lock();
        let moved = queue.moved.entry(id).or_default();
        if moved.bucket.is_none_or(|earlier| bucket < earlier) {
            moved.bucket = Some(bucket);
            moved.others += 1;
            self.push(queue, bucket, id);
        }
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, bucket: u64, id: SessionId) {
        let is_first = queue.push(bucket, id);
        // Relaxed, here and below: the number only decides when to look.
        self.entries.fetch_add(1, Ordering::Relaxed);
        drop(queue);
        if is_first {
            self.woken.notify_one();
        }
    }

    /// Returns the first bucket, and the time at which it comes up.
    pub(crate) fn first(&self) -> Option<(u64, Ticks)> {
        let queue = self.queue.lock();
        let (bucket, _) = queue.buckets.first_key_value()?;
        Some((*bucket, Ticks(bucket.saturating_mul(self.width))))
    }

    /// Takes an entry of this bucket out of the queue, and returns it if it counts.
    pub(crate) fn take_one(&self, bucket: u64) -> Option<SessionId> {
        let mut queue = self.queue.lock();
        let ids = queue.buckets.get_mut(&bucket)?;
        let id = ids.pop();
        if ids.is_empty() {
            queue.buckets.remove(&bucket);
        }
        self.entries.fetch_sub(1, Ordering::Relaxed);
        let id = id?;
        if !queue.counts(&id, bucket) {
            queue.drop_other(&id);
            return None;
        }
        if let Some(moved) = queue.moved.get_mut(&id) {
            moved.bucket = None;
        }
        Some(id)
    }

    /// Forgets a dead id, of which an entry was taken.
    pub(crate) fn forget(&self, id: &SessionId) {
        self.queue.lock().forget(id);
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
            let (&bucket, ids) = queue.buckets.range_mut(cursor.bucket..).next()?;
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
        let living: Vec<_> = batch.iter().map(is_live).collect();
        let mut queue = self.queue.lock();
        let keep = |&(id, living): &(SessionId, bool)| {
            let counts = queue.counts(&id, bucket);
            if !living {
                queue.forget(&id);
            } else if !counts {
                queue.drop_other(&id);
            }
            living && counts
        };
        let entries = batch.iter().copied().zip(living);
        let living: Vec<_> = entries.filter(keep).map(|(id, _)| id).collect();
        // The batch is where it was: new entries are added at the end.
        let ids = queue.buckets.get_mut(&bucket)?;
        let end = start + living.len();
        ids[start..end].copy_from_slice(&living);
        for dead in (end..start + batch.len()).rev() {
            ids.swap_remove(dead);
        }
        if ids.is_empty() {
            queue.buckets.remove(&bucket);
        }
        let dead = batch.len() - living.len();
        self.entries.fetch_sub(dead, Ordering::Relaxed);
        Some(Cursor::at(bucket, end))
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn entries(&self) -> usize {
        self.queue.lock().buckets.values().map(Vec::len).sum()
    }

    /// The number of sessions with more than one entry.
    #[cfg(all(test, session_shuttle))]
    pub(crate) fn moved(&self) -> usize {
        self.queue.lock().moved.len()
    }
}
