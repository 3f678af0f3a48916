//! One process with its node, as its keeper drives it.

use std::collections::{BTreeMap, BTreeSet};

use session_core::NodeTag;

use crate::protocol::model_store::Address;
use crate::protocol::simulation::world::Event;
use crate::protocol::{Moment, Node};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Paused,
    Dead,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) node: Node<Address>,
    pub(super) address: Address,
    /// The time of the world at which its own clock began.
    pub(super) started: Moment,
    pub(super) state: State,
    pub(super) is_cut_off: bool,
    pub(super) has_left: bool,
    /// The events that happened while it was paused.
    pub(super) missed: Vec<Event>,
    /// The calls that are under way.
    pub(super) question: Option<usize>,
    pub(super) call: Option<usize>,
    /// The time of its next wake-up.
    pub(super) wakes: Moment,
    pub(super) reads: Moment,
    /// Its active sessions.
    pub(super) sessions: BTreeSet<usize>,
    /// Requests that wait for a question from then on, and their tags.
    pub(super) waiting: Vec<(Moment, usize)>,
    /// The peers, by its steps.
    pub(super) peers: BTreeMap<NodeTag, Address>,
    /// The tag that it has joined with.
    pub(super) joined: Option<(NodeTag, Moment)>,
    /// The entries that it has applied, and when it came to that.
    pub(super) applied: BTreeMap<NodeTag, u64>,
    pub(super) applied_all: BTreeSet<(NodeTag, u64)>,
    /// The time since which all its questions of this run of the store were answered.
    pub(super) in_touch: Option<Moment>,
    pub(super) paused: Moment,
    /// The end of its last sleep that was long enough to be noticed.
    pub(super) woke: Option<Moment>,
    /// The number of tags that it has given up.
    pub(super) given_up: u32,
}

impl Process {
    pub(super) fn new(node: Node<Address>, address: Address, now: Moment) -> Self {
        Self {
            node,
            address,
            started: now,
            state: State::Running,
            is_cut_off: false,
            has_left: false,
            missed: Vec::new(),
            question: None,
            call: None,
            wakes: Moment::MAX,
            reads: Moment::ZERO,
            sessions: BTreeSet::new(),
            waiting: Vec::new(),
            peers: BTreeMap::new(),
            joined: None,
            applied: BTreeMap::new(),
            applied_all: BTreeSet::new(),
            in_touch: None,
            paused: Moment::ZERO,
            woke: None,
            given_up: 0,
        }
    }

    /// The time by its own clock.
    pub(super) fn clock(&self, now: Moment) -> Moment {
        now.saturating_sub(self.started)
    }

    pub(super) fn is_open(&self, now: Moment) -> bool {
        self.state == State::Running && self.node.is_open(self.clock(now))
    }
}
