//! The ends of groups that this node tells the others: entries of the log, in order, and the callers that wait until all
//! nodes have read them.
//!
//! Invariants:
//! - The entries are appended in the order of their numbers, one at a time, since the store ignores a number below its
//!   last one.
//! - An entry that the store has taken is kept until all nodes have read it, so that it is appended again if the store
//!   loses it. One that it has not taken before the caller's time was up is dropped: the caller was told, and the group
//!   may have new sessions by the time the store is back.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use session_core::NodeTag;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::directory::{DirectoryError, Position, VERDICTS_KEPT};

pub(super) type Reply = oneshot::Sender<Result<Vec<NodeTag>, DirectoryError>>;

pub(super) struct Endings {
    entries: VecDeque<Own>,
    last_number: u64,
    /// The next time at which the store is asked which nodes have read, and the time from that to the one after.
    ask_at: Option<Instant>,
    interval: Duration,
    period: Duration,
    /// After a failure, the time of the next attempt to append.
    retry_at: Option<Instant>,
}

struct Own {
    by: NodeTag,
    number: u64,
    bytes: Vec<u8>,
    begun: Instant,
    /// The store has taken it, in this run or an earlier one.
    is_taken: bool,
    /// Its place, once this run has taken it.
    place: Option<Position>,
    /// Whether the store was asked about it, in this run.
    is_checked: bool,
    /// The nodes that have not read it, as far as known.
    missing: Vec<NodeTag>,
    caller: Option<(Instant, Reply)>,
}

/// An entry to append.
pub(super) struct ToAppend {
    pub(super) by: NodeTag,
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

const FIRST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_millis(100);

impl Endings {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            entries: VecDeque::new(),
            last_number: 0,
            ask_at: None,
            interval: FIRST_INTERVAL,
            period,
            retry_at: None,
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Adds an entry. `peers` are the nodes that are known to be alive.
    pub(super) fn add(
        &mut self,
        entry: ToAppend,
        peers: Vec<NodeTag>,
        until: Instant,
        reply: Reply,
    ) {
        self.entries.push_back(Own {
            by: entry.by,
            number: entry.number,
            bytes: entry.bytes,
            begun: Instant::now(),
            is_taken: false,
            place: None,
            is_checked: false,
            missing: peers,
            caller: Some((until, reply)),
        });
    }

    /// The next time at which there is something to do.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let taken = self.entries.iter().filter(|own| own.is_taken);
        let untils = taken.filter_map(Own::until);
        let append = self.to_append().map(|_| self.retry_at);
        let append = append.map(|retry| retry.unwrap_or_else(Instant::now));
        untils.chain(append).chain(self.ask_at).min()
    }

    fn to_append(&self) -> Option<&Own> {
        self.entries.iter().find(|own| own.place.is_none())
    }

    /// Returns the first entry that this run of the store has not taken, if it is time to append it.
    pub(super) fn due_to_append(&self, now: Instant) -> Option<ToAppend> {
        let own = self.to_append()?;
        let is_due = self.retry_at.is_none_or(|retry| retry <= now);
        is_due.then(|| ToAppend {
            by: own.by,
            number: own.number,
            bytes: own.bytes.clone(),
        })
    }

    pub(super) fn appended(&mut self, number: u64, place: Position) {
        self.retry_at = None;
        if let Some(own) = self.entries.iter_mut().find(|own| own.number == number) {
            own.place = Some(place);
            own.is_taken = true;
            self.interval = FIRST_INTERVAL;
            self.ask_at = Some(Instant::now());
        }
    }

    pub(super) fn not_appended(&mut self, error: DirectoryError) {
        let now = Instant::now();
        self.retry_at = Some(now + RETRY);
        let mut error = Some(error);
        self.entries.retain_mut(|own| {
            let is_lost = !own.is_taken && own.until().is_none_or(|until| until <= now);
            if is_lost {
                let error = error.take();
                own.reply(Err(error.unwrap_or_else(|| {
                    DirectoryError::new("an entry before this one was not appended")
                })));
            }
            !is_lost
        });
    }

    /// Whether it is time to ask which nodes have read.
    pub(super) fn is_due_to_ask(&self, now: Instant) -> bool {
        self.ask_at.is_some_and(|ask_at| ask_at <= now)
    }

    /// Notes that the store was asked which nodes have read.
    pub(super) fn asked(&mut self) {
        let is_awaited = self.entries.iter().any(|own| own.caller.is_some());
        let interval = if is_awaited { self.interval } else { self.period };
        self.interval = (self.interval * 2).min(LONGEST_INTERVAL);
        self.ask_at = (!self.entries.is_empty()).then(|| Instant::now() + interval);
    }

    /// Takes the places up to which the nodes in the store have read, and the other nodes that are known to be alive.
    pub(super) fn read_by(&mut self, readers: &HashMap<NodeTag, Position>, peers: &[NodeTag]) {
        for own in &mut self.entries {
            if let Some(place) = own.place {
                let late = readers.iter().filter(|(_, read)| **read < place);
                let late = late.map(|(tag, _)| *tag);
                let lost = peers.iter().filter(|tag| !readers.contains_key(tag));
                own.missing = late.chain(lost.copied()).collect();
                own.is_checked = true;
            }
        }
    }

    /// Answers the callers whose entries are read or whose time is up, and forgets the entries that are read.
    pub(super) fn settle(&mut self, now: Instant) {
        for own in &mut self.entries {
            let is_over = own.until().is_some_and(|until| until <= now);
            if own.is_taken && (own.is_read() || is_over) {
                let missing = own.missing.clone();
                own.reply(Ok(missing));
            }
        }
        let is_kept = |own: &Own| {
            let is_old = now.duration_since(own.begun) >= VERDICTS_KEPT;
            !(own.is_taken && (own.is_read() || is_old))
        };
        self.entries.retain(is_kept);
        if self.entries.is_empty() {
            self.ask_at = None;
        }
    }

    /// Notes a new run of the store, which may have lost the entries.
    pub(super) fn begin_run(&mut self) {
        for own in &mut self.entries {
            own.place = None;
            own.is_checked = false;
        }
        self.retry_at = None;
    }
}

impl Own {
    fn until(&self) -> Option<Instant> {
        self.caller.as_ref().map(|(until, _)| *until)
    }

    fn is_read(&self) -> bool {
        self.is_checked && self.missing.is_empty()
    }

    fn reply(&mut self, outcome: Result<Vec<NodeTag>, DirectoryError>) {
        if let Some((_, reply)) = self.caller.take() {
            // A caller that has gone wants no reply.
            let _ = reply.send(outcome);
        }
    }
}
