//! A question to the store, and its answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use session_core::NodeTag;
use tokio::time::Instant;

use super::{Keeper, random_tag};
use crate::directory::{Answer, DirectoryError, Entry, Report};
use crate::protocol::Knowledge;
use crate::sealed::card::Card;
use crate::sealed::ending::Ending;
use crate::view::Mode;

impl Keeper {
    pub(super) async fn ask(&mut self) {
        // The failure has been noted.
        let _ = self.try_to_ask().await;
    }

    pub(super) async fn try_to_ask(&mut self) -> Result<(), DirectoryError> {
        let shared = Arc::clone(&self.shared);
        let question = self.node.question(self.now(), chance());
        let card = Card {
            address: shared.address,
            drains: shared.view.mode() != Mode::Serving,
        };
        let report = Report {
            tag: question.tag,
            claims: question.claims,
            address: shared.address,
            beat: question.beat,
            card: &card.sealed(&shared.secret, question.tag),
            load: shared.sessions.stats().active as u64,
            read: question.read,
            seen: question.seen.as_ref(),
        };
        let mut number = 0;
        shared.view.note(|questions| {
            questions.sent += 1;
            number = questions.sent;
        });
        let answer = self.store.sync(report).await;
        match answer {
            Ok(answer) => {
                shared.counters.renewals.add(1);
                self.hear(true, None);
                self.take_in(answer);
                // Last: a request that sees this one sees all that the answer has changed.
                shared.view.note(|questions| questions.answered = number);
                Ok(())
            }
            Err(error) => {
                self.node.failed(self.now());
                self.failed(&error);
                self.open();
                Err(error)
            }
        }
    }

    fn take_in(&mut self, mut answer: Answer) {
        let now = self.now();
        let mut cards = Vec::new();
        for (tag, sealed) in &answer.cards {
            match Card::open(&self.shared.secret, *tag, sealed) {
                Some(card) => cards.push((*tag, card)),
                None => self.forged_card(*tag),
            }
        }
        answer.log.retain(|entry| self.is_genuine(entry));
        let read_log = !answer.log.is_empty();
        let slot = self.slot;
        let steps = self
            .node
            .answered(now, answer, cards, &mut || random_tag(slot));
        self.take(steps);
        self.note_peers();
        if read_log {
            // The store learns that the entries have been applied.
            self.reads_at = Some(Instant::now());
        }
        self.settle();
        self.open();
    }

    /// Notes what the answer has shown, apart from the steps.
    fn note_peers(&self) {
        let mut known = self.shared.view.known_mut();
        known.answered = Some(Instant::now());
        known.is_settled = self.node.is_settled();
        // A node that has left keeps its own.
        let is_dead =
            |tag: &NodeTag| matches!(self.node.knows(*tag), Knowledge::Dead | Knowledge::Own);
        known.dead.retain(is_dead);
        let unreadable = self.node.peers().filter(|(_, peer)| peer.card.is_none());
        known.unreadable = unreadable.map(|(tag, _)| tag).collect();
        for (tag, peer) in self.node.peers() {
            if let Some(seen) = known.peers.get(&tag) {
                seen.load.store(peer.load, Ordering::Relaxed);
            }
        }
    }

    /// Tells requests until when the node may act.
    pub(super) fn open(&mut self) {
        let until = self.node.open_until();
        let until = until.map(|moment| self.start + moment);
        self.shared.view.open_until(until);
        // A node without a tag has told why.
        let Some(tag) = self.shared.view.known().own else {
            return;
        };
        let is_open = self.node.is_open(self.now());
        if self.is_open != is_open {
            self.is_open = is_open;
            if is_open {
                tracing::warn!(%tag, "this node serves its sessions again");
            } else {
                tracing::warn!(
                    %tag,
                    "this node is suspended: its lease is over, or it was asleep, and requests get 503 until the \
                     cluster's store answers, and for another lease if it has restarted"
                );
            }
        }
    }

    /// Notes an operation that the store has not answered.
    pub(super) fn failed(&mut self, error: &DirectoryError) {
        self.shared.counters.failures.add(1);
        self.hear(false, Some(error));
    }

    /// Logs when the store stops to answer, and when it answers again.
    fn hear(&mut self, is_answered: bool, error: Option<&DirectoryError>) {
        if self.is_answered == is_answered {
            return;
        }
        self.is_answered = is_answered;
        let tag = self.node.tag();
        if let Some(error) = error {
            let error: &dyn std::error::Error = error;
            tracing::warn!(%tag, error, "the cluster's store does not answer");
        } else {
            tracing::info!(%tag, "the cluster's store answers again");
        }
    }

    /// Whether a node of the cluster has sealed the entry.
    pub(super) fn is_genuine(&self, entry: &Entry) -> bool {
        let opened = Ending::open(&self.shared.secret, entry.by, entry.number, &entry.bytes);
        if opened.is_none() {
            self.shared.counters.forgeries.add(1);
            tracing::error!(
                by = %entry.by,
                "a log entry in the cluster's store is not sealed with this node's secret, and is ignored: do all nodes \
                 have the same secret?"
            );
        }
        opened.is_some()
    }

    fn forged_card(&mut self, tag: NodeTag) {
        if self.forgers.insert(tag) {
            self.shared.counters.forgeries.add(1);
            tracing::error!(
                peer = %tag,
                "a node's entry in the cluster's store is not sealed with this node's secret, and the node is ignored: \
                 do all nodes have the same secret?"
            );
        }
    }
}

/// Returns a number in 0.0..1.0.
fn chance() -> f64 {
    let mut bits = [0; 4];
    // Without random bits the nodes' questions are only less spread.
    let _ = getrandom::fill(&mut bits);
    f64::from(u32::from_ne_bytes(bits)) / (f64::from(u32::MAX) + 1.0)
}
