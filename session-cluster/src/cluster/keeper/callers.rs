//! The callers that wait until all nodes have read the end of a group.

use std::time::Duration;

use session_core::NodeTag;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::directory::DirectoryError;

type Outcome = Result<Vec<NodeTag>, DirectoryError>;

pub(super) struct Callers {
    waiting: Vec<Caller>,
    /// The next time at which the store is asked which nodes have read, and the time from that to the one after.
    asks_at: Option<Instant>,
    interval: Duration,
}

struct Caller {
    /// The number of its entry.
    number: u64,
    until: Instant,
    state: State,
    reply: oneshot::Sender<Outcome>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    /// The store has taken the entry.
    Taken,
    /// The store has been asked since then which nodes have read.
    Checked,
}

const FIRST_INTERVAL: Duration = Duration::from_millis(5);
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);

impl Callers {
    pub(super) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            asks_at: None,
            interval: FIRST_INTERVAL,
        }
    }

    pub(super) fn add(&mut self, number: u64, until: Instant, reply: oneshot::Sender<Outcome>) {
        self.waiting.push(Caller {
            number,
            until,
            state: State::Waits,
            reply,
        });
    }

    /// The next time at which the store is to be asked which nodes have read.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        self.asks_at
    }

    /// The next time at which a caller's time is up.
    pub(super) fn time_is_up_at(&self) -> Option<Instant> {
        self.waiting.iter().map(|caller| caller.until).min()
    }

    /// Notes the entries that the store has taken.
    pub(super) fn note_taken(&mut self, is_taken: impl Fn(u64) -> bool) {
        for caller in &mut self.waiting {
            if caller.state == State::Waits && is_taken(caller.number) {
                caller.state = State::Taken;
                self.interval = FIRST_INTERVAL;
                self.asks_at = Some(Instant::now());
            }
        }
    }

    /// Notes that the store has been asked which nodes have read, and whether it answered.
    pub(super) fn asked(&mut self, is_answered: bool) {
        for caller in &mut self.waiting {
            if is_answered && caller.state == State::Taken {
                caller.state = State::Checked;
            }
        }
        self.asks_at = Some(Instant::now() + self.interval);
        self.interval = (self.interval * 2).min(LONGEST_INTERVAL);
    }

    /// Ends the wait of the callers whose entries are read, and of those whose time is up. `unread` returns the nodes that
    /// have not read an entry.
    pub(super) fn settle(&mut self, unread: impl Fn(u64) -> Vec<NodeTag>) {
        let now = Instant::now();
        let is_over = |caller: &mut Caller| {
            let is_read = caller.state == State::Checked && unread(caller.number).is_empty();
            is_read || caller.until <= now
        };
        for caller in self.waiting.extract_if(.., is_over) {
            let outcome = match caller.state {
                State::Waits => Err(DirectoryError::new("it did not take the entry in time")),
                State::Taken | State::Checked => Ok(unread(caller.number)),
            };
            // A caller that has gone wants no reply.
            let _ = caller.reply.send(outcome);
        }
        if self.waiting.is_empty() {
            self.asks_at = None;
        }
    }
}
