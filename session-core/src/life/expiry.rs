//! Expiry without scans: one timer entry per session, in buckets, re-armed when it comes up.
//!
//! Invariants:
//! 1. An active session has an entry under its id, in a bucket no later than the first one after it is due.
//!    Activity does not move it: the bucket comes up, the session is found to be active, and it is entered
//!    again. An id that is dead by then is just dropped.
//! 2. A bucket comes up at its end, so a session ends within one bucket's width after it is due, and never
//!    before.
//! 3. The lock is held for one entry at a time, and not while a session is looked up or completed.

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
use crate::sync::Mutex;
use crate::sync::runtime::{Instant, sleep_until};

/// A bucket's width: a second, or less where the timeouts are short.
const WIDEST: Ticks = Ticks(63);
const BUCKETS_PER_TIMEOUT: u64 = 64;

/// Entries that one creation looks at in search of a session to evict.
const EVICTION_LOOKS: usize = 64;

/// Sessions that the sweeper ends before it lets other tasks run.
const SWEEP_BATCH: usize = 64;

pub(crate) struct Expiry {
    idle: Ticks,
    absolute: Ticks,
    width: u64,
    queues: Mutex<Queues>,
    earlier: Notify,
}

#[derive(Default)]
struct Queues {
    /// Sessions whose group the application did not name: these are evicted first.
    anonymous: Queue,
    named: Queue,
}

/// What came of the search for a session to evict.
enum Search {
    Evicted,
    /// There is none without activity.
    Nobody,
    /// There may be one, further on.
    GaveUp,
}

/// Ids by the number of the bucket they are in.
type Queue = BTreeMap<u64, Vec<SessionId>>;

impl Queues {
    fn first(&self) -> Option<u64> {
        let firsts = [&self.anonymous, &self.named]
            .map(|queue| queue.first_key_value().map(|(bucket, _)| *bucket));
        firsts.into_iter().flatten().min()
    }
}

fn take_one(queue: &mut Queue, from: u64) -> Option<(u64, SessionId)> {
    let (bucket, ids) = queue.range_mut(from..).next()?;
    let bucket = *bucket;
    let id = ids.pop();
    if ids.is_empty() {
        queue.remove(&bucket);
    }
    Some((bucket, id?))
}

impl Expiry {
    pub(crate) fn new(idle: Duration, absolute: Duration) -> Self {
        let (idle, absolute) = (Ticks::of(idle), Ticks::of(absolute));
        let width = (idle.min(absolute).0 / BUCKETS_PER_TIMEOUT).clamp(1, WIDEST.0);
        Self {
            idle,
            absolute,
            width,
            queues: Mutex::new(Queues::default()),
            earlier: Notify::new(),
        }
    }

    /// When a session is due if its last activity ended at `since`.
    pub(crate) fn due(&self, session: &Session, since: Ticks) -> Ticks {
        since
            .plus(self.idle)
            .min(session.created().plus(self.absolute))
    }

    fn bucket(&self, due: Ticks) -> u64 {
        due.0.div_ceil(self.width)
    }

    pub(crate) fn add(&self, session: &Session, id: SessionId, due: Ticks) {
        let bucket = self.bucket(due);
        let anonymous = session.is_anonymous();
        let first = {
            let mut queues = self.queues.lock();
            let first = queues.first().is_none_or(|first| bucket < first);
            let queue = if anonymous {
                &mut queues.anonymous
            } else {
                &mut queues.named
            };
            queue.entry(bucket).or_default().push(id);
            first
        };
        if first {
            self.earlier.notify_one();
        }
    }

    /// Ends sessions as they become due, for as long as the manager lives.
    pub(crate) async fn sweep(self: Arc<Self>, shared: Weak<Shared>) {
        let mut ended = 0;
        loop {
            let next = self.queues.lock().first();
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let comes_up =
                next.map(|bucket| shared.clock.when(Ticks(bucket.saturating_mul(self.width))));
            let past = shared.clock.past();
            match next {
                Some(bucket) if bucket.saturating_mul(self.width) <= past.0 => {
                    self.sweep_one(&shared, bucket, past);
                    ended += 1;
                    if ended % SWEEP_BATCH == 0 {
                        drop(shared);
                        tokio::task::yield_now().await;
                    }
                }
                _ => {
                    drop(shared);
                    self.wait(comes_up).await;
                }
            }
        }
    }

    async fn wait(&self, comes_up: Option<Instant>) {
        match comes_up {
            Some(comes_up) => tokio::select! {
                () = sleep_until(comes_up) => {}
                () = self.earlier.notified() => {}
            },
            None => self.earlier.notified().await,
        }
    }

    /// Looks at one entry of a bucket that has come up.
    fn sweep_one(&self, shared: &Shared, bucket: u64, past: Ticks) {
        let id = {
            let mut queues = self.queues.lock();
            let queue = if queues.anonymous.contains_key(&bucket) {
                &mut queues.anonymous
            } else {
                &mut queues.named
            };
            take_one(queue, bucket)
        };
        let Some((_, id)) = id else { return };
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
        self.add(&session, id, self.due(&session, since));
    }

    /// Ends one among the longest idle sessions; anonymous ones come first. Gives whether there was one.
    pub(crate) fn evict(&self, shared: &Shared) -> bool {
        match self.evict_from(shared, true) {
            Search::Evicted => true,
            // Strangers who were not looked at may be idle: no reason to throw out anybody else.
            Search::GaveUp => false,
            Search::Nobody => matches!(self.evict_from(shared, false), Search::Evicted),
        }
    }

    fn evict_from(&self, shared: &Shared, anonymous: bool) -> Search {
        let evict = |session: &Session, since| {
            session
                .complete_if_idle(CompletionCause::Evicted, since)
                .is_ok()
        };
        let mut kept = Vec::new();
        let mut longest: Option<(Ticks, Session)> = None;
        let mut search = Search::GaveUp;
        let mut from = 0;
        // A dead id is gone after the look, so it counts for nothing.
        while kept.len() < EVICTION_LOOKS {
            let next = {
                let mut queues = self.queues.lock();
                take_one(
                    if anonymous {
                        &mut queues.anonymous
                    } else {
                        &mut queues.named
                    },
                    from,
                )
            };
            let Some((bucket, id)) = next else {
                search = Search::Nobody;
                break;
            };
            from = bucket;
            let Some(session) = shared.find(&id) else {
                continue;
            };
            let (since, idle) = match session.idle_since() {
                Ok(since) => (since, true),
                Err(Alive::Completed) => continue,
                Err(_) => (shared.clock.now(), false),
            };
            if session.is_anonymous() != anonymous {
                self.add(&session, id, self.due(&session, since));
                continue;
            }
            if idle {
                // What stands here for its absolute timeout, or for activity since, is perhaps not among the
                // longest idle: it goes if nothing better is found.
                if self.bucket(since.plus(self.idle)) > bucket {
                    if longest.as_ref().is_none_or(|(longest, _)| since < *longest) {
                        longest = Some((since, session.clone()));
                    }
                } else if evict(&session, since) {
                    search = Search::Evicted;
                    break;
                }
            }
            kept.push((session, id, since));
        }
        if !matches!(search, Search::Evicted)
            && let Some((since, session)) = longest
            && evict(&session, since)
        {
            search = Search::Evicted;
        }
        for (session, id, since) in kept {
            self.add(&session, id, self.due(&session, since));
        }
        search
    }
}
