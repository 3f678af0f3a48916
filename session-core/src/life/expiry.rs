//! Expiry without scans: one timer entry per session, in buckets, re-armed when it comes up.
//!
//! Invariants:
//! 1. An active session has an entry under its id, in a bucket no later than the first one after it is due.
//!    Activity does not move it: the bucket comes up, the session is found to be active, and it is entered
//!    again. An id that is dead by then is just dropped.
//! 2. A bucket comes up at its end, so a session ends within one bucket's width after it is due, and never
//!    before.
//! 3. The lock is held for one entry at a time, and not while a session is looked up or completed.
//! 4. The sweeper alone takes entries out. While the dead ones outnumber the living it drops them, batch by batch, so
//!    timeouts that never come cost no memory for sessions that have ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::id::SessionId;
use crate::life::activity::Alive;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::session::Session;
use crate::shared::Shared;
use crate::sync::runtime::{Instant, sleep_until};
use crate::sync::{AtomicUsize, Mutex, Ordering};

/// A bucket's width: a second, or less where the timeouts are short.
const WIDEST: Ticks = Ticks(63);
const BUCKETS_PER_TIMEOUT: u64 = 64;

/// Entries that the sweeper looks at before it lets other tasks run.
const SWEEP_BATCH: usize = 64;

/// So many dead entries are no reason to compact; in a model any are.
const FEW: usize = if cfg!(session_shuttle) { 0 } else { 1_024 };

pub(crate) struct Expiry {
    idle: Ticks,
    absolute: Ticks,
    width: u64,
    queue: Mutex<Queue>,
    /// The number of entries in the queue. Written under its lock.
    entries: AtomicUsize,
    /// Wakes the sweeper: there is an earlier bucket, or much to compact.
    woken: Notify,
}

/// Where a compaction has got to.
#[derive(Clone, Copy, Default)]
struct Cursor {
    bucket: u64,
    index: usize,
}

impl Cursor {
    fn at(bucket: u64, index: usize) -> Self {
        Self { bucket, index }
    }
}

/// Ids by the number of the bucket they are in.
type Queue = BTreeMap<u64, Vec<SessionId>>;

impl Expiry {
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

    /// When a session is due if its last activity ended at `since`.
    pub(crate) fn due(&self, session: &Session, since: Ticks) -> Ticks {
        since
            .plus(self.idle)
            .min(session.created().plus(self.absolute))
    }

    pub(crate) fn add(&self, id: SessionId, due: Ticks) {
        let bucket = due.0.div_ceil(self.width);
        let first = {
            let mut queue = self.queue.lock();
            let first = queue
                .first_key_value()
                .is_none_or(|(first, _)| bucket < *first);
            queue.entry(bucket).or_default().push(id);
            // Relaxed, here and below: the number only says when to look.
            self.entries.fetch_add(1, Ordering::Relaxed);
            first
        };
        if first {
            self.woken.notify_one();
        }
    }

    /// Whether most entries are dead, where so many sessions are active.
    fn is_mostly_dead(&self, active: usize) -> bool {
        let entries = self.entries.load(Ordering::Relaxed);
        entries.saturating_sub(active) > active.saturating_add(FEW)
    }

    /// Wakes the sweeper if an entry that has died was one too many.
    pub(crate) fn entry_died(&self, active: usize) {
        if self.is_mostly_dead(active) {
            self.woken.notify_one();
        }
    }

    /// Ends sessions as they become due, for as long as the manager lives.
    pub(crate) async fn sweep(self: Arc<Self>, shared: Weak<Shared>) {
        let mut looks = 0;
        let mut compacting = None;
        loop {
            let next = self.queue.lock().first_key_value().map(|(next, _)| *next);
            let Some(manager) = shared.upgrade() else {
                return;
            };
            let comes_up =
                next.map(|bucket| manager.clock.when(Ticks(bucket.saturating_mul(self.width))));
            let past = manager.clock.past();
            if compacting.is_none() && self.is_mostly_dead(manager.active()) {
                compacting = Some(Cursor::default());
            }
            match (next, compacting) {
                (Some(bucket), _) if bucket.saturating_mul(self.width) <= past.0 => {
                    self.sweep_one(&manager, bucket, past);
                    looks += 1;
                }
                (_, Some(cursor)) => {
                    compacting = self.compact_batch(&manager, cursor);
                    looks += SWEEP_BATCH;
                }
                _ => {
                    drop(manager);
                    self.wait(comes_up).await;
                    continue;
                }
            }
            if looks >= SWEEP_BATCH {
                looks = 0;
                drop(manager);
                tokio::task::yield_now().await;
            }
        }
    }

    #[cfg(all(test, session_shuttle))]
    pub(crate) fn entries(&self) -> usize {
        self.queue.lock().values().map(Vec::len).sum()
    }

    async fn wait(&self, comes_up: Option<Instant>) {
        match comes_up {
            Some(comes_up) => tokio::select! {
                () = sleep_until(comes_up) => {}
                () = self.woken.notified() => {}
            },
            None => self.woken.notified().await,
        }
    }

    /// Drops the dead ones among the entries that are next. Returns where to go on.
    fn compact_batch(&self, shared: &Shared, cursor: Cursor) -> Option<Cursor> {
        let (bucket, start, batch) = {
            let mut queue = self.queue.lock();
            let (&bucket, ids) = queue.range_mut(cursor.bucket..).next()?;
            let start = if bucket == cursor.bucket {
                cursor.index
            } else {
                0
            };
            let batch: Vec<_> = ids.iter().skip(start).take(SWEEP_BATCH).copied().collect();
            if batch.is_empty() {
                ids.shrink_to_fit();
                return Some(Cursor::at(bucket + 1, 0));
            }
            (bucket, start, batch)
        };
        let living = batch.iter().copied().filter(|id| shared.ids.is_live(id));
        let living: Vec<_> = living.collect();
        let mut queue = self.queue.lock();
        // They stand where they stood: new ones come at the end.
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

    fn take_one(&self, bucket: u64) -> Option<SessionId> {
        let mut queue = self.queue.lock();
        let ids = queue.get_mut(&bucket)?;
        let id = ids.pop();
        if ids.is_empty() {
            queue.remove(&bucket);
        }
        self.entries.fetch_sub(1, Ordering::Relaxed);
        id
    }

    /// Looks at one entry of a bucket that has come up.
    fn sweep_one(&self, shared: &Shared, bucket: u64, past: Ticks) {
        let Some(id) = self.take_one(bucket) else {
            return;
        };
        let Some(session) = shared.find(&id) else {
            return;
        };
        if session.created().plus(self.absolute) <= past {
            session.complete(CompletionCause::AbsoluteTimeout);
            return;
        }
        let limit = past.0.checked_sub(self.idle.0).map(Ticks);
        let alive = match limit {
            Some(limit) => match session.complete_if_idle(CompletionCause::IdleTimeout, limit) {
                Ok(()) => return,
                Err(alive) => alive,
            },
            None => Alive::Active,
        };
        let since = match alive {
            Alive::Completed => return,
            Alive::Since(since) => since,
            // It can't have been idle before now.
            Alive::Active => past.plus(Ticks(1)),
        };
        self.add(id, self.due(&session, since));
    }
}
