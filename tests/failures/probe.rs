//! A visitor that asks again and again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::record::{Answer, Record};
use crate::visitor::Visitor;

/// The time between two requests.
const EVERY: Duration = Duration::from_millis(25);

/// Asks at a door, again and again, with the id that the visitor had at first, until this is dropped.
pub(crate) struct Probe {
    visitor: String,
    door: SocketAddr,
    record: Record,
    began: Instant,
    task: JoinHandle<()>,
}

impl Probe {
    pub(crate) fn start(visitor: &Visitor, door: SocketAddr, record: &Record) -> Self {
        let asks = visitor.clone();
        Self {
            visitor: visitor.name.clone(),
            door,
            record: record.clone(),
            began: Instant::now(),
            task: tokio::spawn(async move {
                loop {
                    asks.look(door).await;
                    sleep(EVERY).await;
                }
            }),
        }
    }

    /// The answers so far.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let is_own = |answer: &Answer| {
            answer.visitor == self.visitor && answer.door == self.door && answer.sent >= self.began
        };
        let mut answers = self.record.answers();
        answers.retain(is_own);
        answers
    }

    /// Whether an answer to a request that was sent after this time is as wanted.
    pub(crate) fn saw(&self, since: Instant, wanted: impl Fn(&Answer) -> bool) -> bool {
        let answers = self.answers();
        answers
            .iter()
            .any(|answer| answer.sent > since && wanted(answer))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}
