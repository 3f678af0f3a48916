//! Questions to initializers: whether one waits by an edge of the graph, or has gone on and kept the future.

use std::collections::HashMap;

use crate::store::node::Node;

/// The questions that a future has asked of the edges with which its own would close a ring. Each asks whether the
/// initializer of the edge waits.
#[derive(Default)]
pub(crate) struct Doubts(HashMap<(Node, Node), Question>);

#[derive(Clone, Copy)]
struct Question {
    number: u64,
    /// The first poll that certainly begins after the question. If it ends without seeing the question, the answer is
    /// no.
    poll: u64,
}

impl Question {
    fn is_answered(self, polls_ended: u64, seen: u64) -> bool {
        seen >= self.number || polls_ended >= self.poll
    }
}

impl Doubts {
    /// Whether the answer was no.
    pub(crate) fn is_gone(&self, from: &Node, to: &Node, seen: u64) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some((_, ended)) = from.0.polls() else {
            return false;
        };
        let asked = self.0.get(&(from.clone(), to.clone()));
        asked.is_some_and(|question| seen < question.number && question.is_answered(ended, seen))
    }

    /// Asks the edges of the ring that have not been asked. Returns whether all have answered.
    pub(crate) fn ask(&mut self, ring: Ring) -> bool {
        let mut answered = true;
        for (from, to, seen) in ring {
            let Some((_, ended)) = from.0.polls() else {
                continue;
            };
            let asked = self.0.entry((from.clone(), to.clone()));
            let question = asked.or_insert_with(|| {
                let number = to.0.ask();
                // Read after the question, since a poll under way may already have passed the future.
                let begun = from.0.polls().map_or(0, |(begun, _)| begun);
                from.0.wake();
                Question {
                    number,
                    poll: begun + 1,
                }
            });
            answered &= question.is_answered(ended, seen);
        }
        answered
    }
}

/// The edges with which a new edge would close a ring, and how often each had been asked when it was last seen.
pub(crate) type Ring = Vec<(Node, Node, u64)>;
