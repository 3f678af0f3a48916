//! The keeper: the task that asks the store each period, and does what follows from its answers. Its decisions are those of
//! `protocol`.
//!
//! Invariants:
//! - It makes one call of the store at a time, and none without the store's timeout.
//! - A question that is due goes before all other calls.
//! - The view is opened by the last step that follows from an answer, and closed by the first one.

mod callers;
mod closer;
mod joining;
mod leaving;
mod questions;
mod reading;
mod steps;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use session_core::NodeTag;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::callers::Callers;
use self::closer::Closer;
use crate::cluster::error::JoinClusterError;
use crate::cluster::{Command, Shared};
use crate::protocol::{Moment, Node};
use crate::sealed::card::Card;
use crate::store::Store;

pub(super) struct Keeper {
    shared: Arc<Shared>,
    store: Store,
    commands: mpsc::UnboundedReceiver<Command>,
    nudges: BoxStream<'static, ()>,
    slot: Option<u16>,
    node: Node<Card>,
    /// The node's moments are told since this.
    start: Instant,
    callers: Callers,
    /// The time at which a node that drains refuses to create sessions.
    refuses_at: Option<Instant>,
    /// The time at which the log is read out of turn.
    reads_at: Option<Instant>,
    /// The last time at which it was.
    has_read: Option<Instant>,
    /// The tags whose cards were not sealed with the cluster's secret.
    forgers: HashSet<NodeTag>,
    /// The state that was logged last.
    is_answered: bool,
    is_open: bool,
}

/// The time from the flag that a node drains to its refusal to create sessions.
const FLAG_AHEAD: Duration = Duration::from_millis(200);
/// The least time from a reading of the log to one after a nudge.
const NUDGES_APART: Duration = Duration::from_millis(250);

/// An event that the keeper wakes for.
enum Event {
    Stop,
    Ask,
    Lapse,
    Refuse,
    Command(Command),
    Bury,
    Append,
    TimeIsUp,
    Read,
    Nudge,
    Hurry,
}

impl Keeper {
    /// To be called on the sessions' runtime.
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        slot: Option<u16>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        let node = Node::new(shared.times, shared.when_cut_off, random_tag(slot));
        let nudges = store.nudges();
        Self {
            shared,
            store,
            commands,
            nudges,
            slot,
            node,
            start: Instant::now(),
            callers: Callers::new(),
            refuses_at: None,
            reads_at: None,
            has_read: None,
            forgers: HashSet::new(),
            is_answered: true,
            is_open: true,
        }
    }

    /// Joins, and keeps the membership until `stop`.
    pub(super) async fn run(
        mut self,
        joined: oneshot::Sender<Result<(), JoinClusterError>>,
        stop: CancellationToken,
    ) {
        let closer = Closer::new(Arc::clone(&self.shared));
        let outcome = tokio::select! {
            outcome = self.join() => outcome,
            () = stop.cancelled() => Ok(()),
        };
        let is_in = outcome.is_ok();
        // A caller that has gone has dropped the cluster, which stops this.
        let _ = joined.send(outcome);
        if is_in {
            self.keep(stop).await;
        }
        self.leave_unasked().await;
        closer.done();
    }

    async fn keep(&mut self, stop: CancellationToken) {
        loop {
            match self.next_event(&stop).await {
                Event::Stop => return,
                Event::Ask => self.ask().await,
                Event::Lapse => self.lapse(),
                Event::Refuse => {
                    self.refuses_at = None;
                    self.shared.sessions.drain();
                }
                Event::Command(command) => self.obey(command).await,
                Event::Bury => self.bury().await,
                Event::Append => self.append().await,
                Event::TimeIsUp => self.settle(),
                Event::Read => self.read().await,
                Event::Nudge => {
                    let now = Instant::now();
                    let earliest = self.has_read.map_or(now, |read| read + NUDGES_APART);
                    let others = self.reads_at.unwrap_or(earliest);
                    self.reads_at = Some(earliest.min(others));
                    // A stream that is always ready must not keep the runtime busy.
                    yield_now().await;
                }
                Event::Hurry => self.node.hurry(self.now()),
            }
        }
    }

    async fn next_event(&mut self, stop: &CancellationToken) -> Event {
        let at = |moment: Moment| self.start + moment;
        let lapses_at = self.node.lapses().map(at);
        let buries = self.node.burial().is_some();
        let appends = self.node.append().is_some();
        tokio::select! {
            biased;
            () = stop.cancelled() => Event::Stop,
            () = until(lapses_at) => Event::Lapse,
            () = sleep_until(at(self.node.due())) => Event::Ask,
            () = until(self.refuses_at) => Event::Refuse,
            Some(command) = self.commands.recv() => Event::Command(command),
            () = self.shared.view.ask.notified() => Event::Hurry,
            () = std::future::ready(()), if buries => Event::Bury,
            () = std::future::ready(()), if appends => Event::Append,
            () = until(self.callers.time_is_up_at()) => Event::TimeIsUp,
            () = until(self.reads_at.into_iter().chain(self.callers.asks_at()).min()) => Event::Read,
            Some(()) = self.nudges.next() => Event::Nudge,
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::EndGroup {
                ending,
                within,
                reply,
            } => self.end_group(&ending, within, reply),
            Command::Drain => {
                self.refuses_at
                    .get_or_insert_with(|| Instant::now() + FLAG_AHEAD);
                // For the others, to whom the node's card tells it.
                self.node.hurry(self.now());
            }
            Command::Leave { reply } => {
                // A caller that has gone wants no reply.
                let _ = reply.send(self.leave().await);
            }
        }
    }

    fn now(&self) -> Moment {
        self.start.elapsed()
    }
}

/// Returns a random tag, in this slot if there is one. The slot was checked.
fn random_tag(slot: Option<u16>) -> NodeTag {
    slot.and_then(NodeTag::random_in)
        .unwrap_or_else(NodeTag::random)
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
