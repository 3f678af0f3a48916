//! The log: own entries are appended, and the others' are read out of turn.

use std::time::Duration;

use session_core::NodeTag;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Keeper;
use crate::directory::{DirectoryError, VERDICTS_KEPT};
use crate::sealed::ending::Ending;

impl Keeper {
    /// Takes the end of a group, which has ended on this node, for the others.
    pub(super) fn end_group(
        &mut self,
        ending: &Ending,
        within: Duration,
        reply: oneshot::Sender<Result<Vec<NodeTag>, DirectoryError>>,
    ) {
        let (by, number) = self.node.next_entry();
        let sealed = ending.sealed(&self.shared.secret, by, number);
        self.node.end(self.now(), sealed);
        // The log keeps it no longer.
        let until = Instant::now() + within.min(VERDICTS_KEPT);
        self.callers.add(number, until, reply);
    }

    pub(super) async fn append(&mut self) {
        let Some(append) = self.node.append() else {
            return;
        };
        let appended = self
            .store
            .append(&append.run, append.by, append.number, &append.bytes);
        match appended.await {
            Ok(place) => {
                self.node.appended(self.now(), &append, place);
                self.settle();
            }
            Err(error) => self.call_failed(&error),
        }
    }

    /// Reads the log, and asks which nodes have read it if that matters to anyone.
    pub(super) async fn read(&mut self) {
        self.reads_at = None;
        self.has_read = Some(Instant::now());
        let asks = self.node.keeps_entries() || self.callers.asks_at().is_some();
        let Some(reading) = self.node.reading() else {
            return;
        };
        let caught_up = self
            .store
            .catch_up(&reading.run, reading.tag, reading.read, asks);
        let caught_up = caught_up.await;
        if asks {
            let is_answered = caught_up
                .as_ref()
                .is_ok_and(|caught_up| caught_up.run == reading.run);
            self.callers.asked(is_answered);
        }
        match caught_up {
            Ok(mut caught_up) => {
                caught_up.log.retain(|entry| self.is_genuine(entry));
                if caught_up.run != reading.run {
                    self.node.hurry(self.now());
                }
                if !caught_up.log.is_empty() {
                    // The store learns that the entries have been applied.
                    self.reads_at = Some(Instant::now());
                }
                let steps = self.node.caught_up(&reading, caught_up);
                self.take(steps);
            }
            Err(error) => self.call_failed(&error),
        }
        self.settle();
    }

    /// Notes a failure. Whatever is left to do waits for the next answer.
    pub(super) fn call_failed(&mut self, error: &DirectoryError) {
        self.node.call_failed();
        self.node.hurry(self.now());
        self.failed(error);
    }

    /// Ends the waits that are over.
    pub(super) fn settle(&mut self) {
        let node = &self.node;
        self.callers.note_taken(|number| node.is_taken(number));
        self.callers.settle(|number| node.unread(number));
        // An entry is forgotten once all have read it. Until then that is asked, each period if nobody waits for it.
        if self.node.keeps_entries() && self.callers.asks_at().is_none() {
            let next = Instant::now() + self.shared.times.period;
            self.reads_at.get_or_insert(next);
        }
    }
}
