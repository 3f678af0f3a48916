//! Some nodes and a model of the store, stepped by hand.

use std::time::Duration;

use session_core::NodeTag;

use crate::directory::Answer;
use crate::protocol::model_store::{Address, Lost, Store, tag};
use crate::protocol::{Burial, Knowledge, Moment, Node, Step};
use crate::times::{Times, WhenCutOff};

pub(super) struct Kit {
    pub(super) store: Store,
    pub(super) now: Moment,
    pub(super) nodes: Vec<Node<Address>>,
    fresh: u32,
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The first tag of the node with this index.
pub(super) fn tag_of(index: u32) -> NodeTag {
    tag(100 + index)
}

impl Kit {
    /// Nodes that have joined a store that is long up.
    pub(super) fn joined(nodes: u32) -> Self {
        let mut kit = Self::new(nodes);
        for index in 0..nodes as usize {
            let steps = kit.renew(index);
            assert!(steps.contains(&Step::Joined(kit.nodes[index].tag())));
        }
        kit.renew_all();
        // It has seen the last beats of all others.
        kit.renew(0);
        kit
    }

    pub(super) fn new(nodes: u32) -> Self {
        Self {
            store: Store::default(),
            now: seconds(1000.0),
            nodes: (0..nodes)
                .map(|index| node(index, WhenCutOff::Suspend))
                .collect(),
            fresh: 200,
        }
    }

    pub(super) fn add(&mut self, tag: NodeTag, when_cut_off: WhenCutOff) -> usize {
        self.nodes
            .push(Node::new(Times::default(), when_cut_off, tag));
        self.nodes.len() - 1
    }

    pub(super) fn pass(&mut self, time: f64) {
        self.now += seconds(time);
    }

    /// The node sends its question, and the store answers. The address is the node's index, modulo 10.
    pub(super) fn ask(&mut self, index: usize) -> Answer {
        let question = self.nodes[index].question(self.now, 0.5);
        let address = Address::try_from(index % 10).unwrap();
        self.store.sync(self.now, &question, address)
    }

    /// The answer comes in.
    pub(super) fn take(&mut self, index: usize, answer: Answer) -> Vec<Step<Address>> {
        let card = |(tag, card): &(_, Vec<u8>)| {
            (
                *tag,
                Address::from_be_bytes(card.as_slice().try_into().unwrap()),
            )
        };
        let cards = answer.cards.iter().map(card).collect();
        let fresh = &mut self.fresh;
        self.nodes[index].answered(self.now, answer, cards, &mut || {
            *fresh += 1;
            tag(*fresh)
        })
    }

    pub(super) fn renew(&mut self, index: usize) -> Vec<Step<Address>> {
        let answer = self.ask(index);
        self.take(index, answer)
    }

    pub(super) fn renew_all(&mut self) {
        for index in 0..self.nodes.len() {
            self.renew(index);
        }
    }

    /// These nodes renew each period.
    pub(super) fn renew_for(&mut self, time: f64, nodes: &[usize]) {
        let end = self.now + seconds(time);
        while self.now + seconds(5.0) <= end {
            self.pass(5.0);
            for index in nodes {
                self.renew(*index);
            }
        }
        self.now = end;
    }

    /// A question that has no effect and no answer.
    pub(super) fn fail(&mut self, index: usize) {
        self.nodes[index].question(self.now, 0.5);
        self.pass(2.0);
        self.nodes[index].failed(self.now);
    }

    pub(super) fn is_open(&self, index: usize) -> bool {
        self.nodes[index].is_open(self.now)
    }

    /// The node writes all the verdicts that it has to.
    pub(super) fn bury(&mut self, index: usize) -> Vec<Burial> {
        let mut burials = Vec::new();
        while let Some(burial) = self.nodes[index].burial() {
            let is_dead = self.store.bury(self.now, &burial);
            self.nodes[index].buried(self.now, burial, is_dead);
            burials.push(burial);
        }
        burials
    }

    /// The node appends all its entries that the store lacks.
    pub(super) fn append(&mut self, index: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some(append) = self.nodes[index].append() {
            let place = self.store.append(self.now, &append);
            self.nodes[index].appended(self.now, &append, place);
            numbers.extend(place.map(|_| append.number));
        }
        numbers
    }

    /// The node catches up with the log, and learns how far each has read.
    pub(super) fn read(&mut self, index: usize) -> Vec<Step<Address>> {
        let reading = self.nodes[index].reading().expect("it has joined");
        let caught_up = self.store.catch_up(&reading);
        self.nodes[index].caught_up(&reading, caught_up)
    }

    pub(super) fn restart_store(&mut self, lost: Lost) {
        self.store.start_run(self.now, lost);
    }

    pub(super) fn knows(&self, index: usize, tag: NodeTag) -> Knowledge {
        self.nodes[index].knows(tag)
    }

    pub(super) fn has_verdict(&self, tag: NodeTag) -> bool {
        self.store.data.verdicts.contains_key(&tag)
    }
}

/// The numbers of the entries to apply.
pub(super) fn applied(steps: &[Step<Address>]) -> Vec<u64> {
    let number = |step: &Step<_>| match step {
        Step::Apply(entry) => Some(entry.number),
        _ => None,
    };
    steps.iter().filter_map(number).collect()
}

pub(super) fn is_given_up(steps: &[Step<Address>]) -> bool {
    steps.iter().any(|step| matches!(step, Step::GivenUp(_)))
}

fn node(index: u32, when_cut_off: WhenCutOff) -> Node<Address> {
    Node::new(Times::default(), when_cut_off, tag_of(index))
}
