//! The checks that hold in every world.

use std::collections::{BTreeMap, BTreeSet};

use session_core::NodeTag;

use crate::directory::Entry;
use crate::protocol::simulation::process::State;
use crate::protocol::simulation::world::World;
use crate::protocol::{Knowledge, Moment};
use crate::times::WhenCutOff;

#[derive(Debug, Default)]
pub(super) struct Checks {
    /// The process that each tag belongs to.
    owners: BTreeMap<NodeTag, usize>,
    /// All verdicts that the store ever had, lost ones too.
    verdicts: BTreeMap<NodeTag, Moment>,
    /// The tags that a node has called nobody's.
    nobodies: BTreeMap<NodeTag, Moment>,
    /// Tags whose verdict was lost with all that could have repeated it in time.
    forgotten: BTreeSet<NodeTag>,
    pub(super) ends: Vec<End>,
}

/// An ended group.
#[derive(Clone, Debug)]
pub(super) struct End {
    process: usize,
    by: NodeTag,
    number: u64,
    group: u8,
    at: Moment,
    /// The time since which its entry has been in the log of the store.
    in_log: Option<Moment>,
}

impl World {
    pub(super) fn check_joined(&mut self, index: usize, tag: NodeTag) {
        let owner = self.checks.owners.insert(tag, index);
        assert_eq!(owner, None, "{tag} has had an owner");
    }

    /// Notes verdicts and entries.
    pub(super) fn note_store(&mut self) {
        for (tag, (time, _)) in &self.store.data.verdicts {
            self.checks.verdicts.entry(*tag).or_insert(*time);
        }
        self.note_log();
    }

    pub(super) fn check_new_run(&mut self) {
        self.note_log();
    }

    fn note_log(&mut self) {
        for end in &mut self.checks.ends {
            let mut log = self.store.data.log.iter();
            let is_in = log.any(|entry| (entry.by, entry.number) == (end.by, end.number));
            end.in_log = is_in.then(|| end.in_log.unwrap_or(self.now));
        }
    }

    /// After the answer to a question was taken in.
    pub(super) fn check_answered(&mut self, index: usize) {
        let process = &self.processes[index];
        let peers = process.node.peers();
        let peers: BTreeMap<_, _> = peers
            .filter_map(|(tag, peer)| Some((tag, peer.card?)))
            .collect();
        assert_eq!(process.peers, peers, "the steps tell of all peers");
        // Rule 7: the first that is back does not give the others up.
        let silent = process.node.burial().filter(|burial| burial.beat.is_some());
        if let Some(burial) = silent {
            let since = self.now.saturating_sub(self.anew);
            assert!(since >= self.times.lease, "{burial:?} after {since:?}");
        }
    }

    /// A process serves or creates a session under this tag.
    pub(super) fn check_act(&mut self, index: usize, tag: NodeTag) {
        let owner = self.checks.owners.get(&tag);
        assert_eq!(
            owner,
            Some(&index),
            "{tag} is acted under by its owner only"
        );
        assert!(!self.processes[index].has_left, "{tag} has left");
        let is_dead = self.checks.verdicts.contains_key(&tag);
        let is_nobodys = self.checks.nobodies.contains_key(&tag);
        if self.when_cut_off == WhenCutOff::Serve || self.checks.forgotten.contains(&tag) {
            return;
        }
        if is_dead && !self.store.data.verdicts.contains_key(&tag) {
            let now = self.now;
            for (other, process) in self.processes.iter().enumerate() {
                let knows = process.node.knows(tag) == Knowledge::Dead;
                let in_touch = process
                    .in_touch
                    .is_some_and(|since| now >= since + self.times.lease);
                let is_running = process.state == State::Running;
                assert!(
                    !(is_running && knows && in_touch),
                    "{tag} acts, though {other} has known its verdict and was in touch"
                );
            }
            self.checks.forgotten.insert(tag);
            return;
        }
        assert!(!is_dead, "{tag} acts at {:?} after its verdict", self.now);
        assert!(
            !is_nobodys,
            "{tag} acts at {:?}, and was called nobody's",
            self.now
        );
    }

    pub(super) fn check_nobody(&mut self, tag: NodeTag) {
        self.checks.nobodies.entry(tag).or_insert(self.now);
    }

    /// Rule 21: a session of an ended group is not served for longer than a lease, nor after a sleep.
    pub(super) fn check_served(&self, index: usize, id: usize) {
        let session = self.sessions[id];
        if self.when_cut_off == WhenCutOff::Serve {
            return;
        }
        for end in &self.checks.ends[session.created_after..] {
            let Some(since) = end.in_log.filter(|_| end.group == session.group) else {
                continue;
            };
            let age = self.now.saturating_sub(since);
            assert!(
                age <= self.times.lease,
                "{session:?} is served {age:?} after {end:?}"
            );
            let woke = self.processes[index].woke;
            let overslept = woke.is_some_and(|woke| since <= woke);
            assert!(
                !overslept,
                "{session:?} is served after a sleep, {age:?} after {end:?}"
            );
        }
    }

    pub(super) fn note_end(&mut self, process: usize, by: NodeTag, number: u64, group: u8) {
        self.checks.ends.push(End {
            process,
            by,
            number,
            group,
            at: self.now,
            in_log: None,
        });
    }

    /// Rule 22: each entry is applied once, in order.
    pub(super) fn check_applied(&mut self, index: usize, entry: &Entry) {
        let process = &mut self.processes[index];
        let is_new = process.applied_all.insert((entry.by, entry.number));
        assert!(is_new, "{index} applies {entry:?} twice");
        let former = process.applied.insert(entry.by, entry.number);
        assert!(
            former < Some(entry.number),
            "{index} applies {entry:?} late"
        );
        let mut ends = self.checks.ends.iter();
        let end = ends.find(|end| (end.by, end.number) == (entry.by, entry.number));
        let since = end.and_then(|end| end.in_log);
        let started = self.processes[index].started;
        let is_older = since.is_some_and(|since| since < started);
        assert!(!is_older, "{index} applies {entry:?} of before it began");
        let owner = self.checks.owners.get(&entry.by);
        assert_ne!(owner, Some(&index), "{index} applies its own {entry:?}");
    }

    /// After the end of all faults, and some time.
    pub(super) fn check_settled(&self) {
        let all = || self.processes.iter().enumerate();
        let live =
            || all().filter(|(_, process)| process.state == State::Running && !process.has_left);
        for (index, process) in live() {
            assert!(
                process.is_open(self.now),
                "{index} does not act: {process:#?}"
            );
            for (other, peer) in live().filter(|(other, _)| *other != index) {
                let card = process.peers.get(&peer.node.tag());
                assert_eq!(card, Some(&peer.address), "{index} does not know {other}");
            }
            assert_eq!(
                process.peers.len(),
                live().count() - 1,
                "the peers of {index}"
            );
            assert_eq!(process.node.burial(), None, "{index} has something to bury");
            assert!(!process.node.keeps_entries(), "{index} keeps entries");
        }
        if live().next().is_some() {
            for (tag, owner) in &self.checks.owners {
                let owner = &self.processes[*owner];
                let is_live =
                    owner.state == State::Running && !owner.has_left && owner.node.tag() == *tag;
                let is_dead = self.store.data.verdicts.contains_key(tag);
                let is_there = self.store.data.nodes.contains_key(tag);
                assert_eq!(
                    (is_live, !is_live),
                    (is_there, is_dead || !is_there),
                    "{tag}"
                );
            }
        }
        self.check_log();
    }

    /// Rule 22: all that acted throughout have applied every entry.
    fn check_log(&self) {
        for end in &self.checks.ends {
            if self.processes[end.process].state != State::Running {
                continue;
            }
            for (index, process) in self.processes.iter().enumerate() {
                let is_live = process.state == State::Running && !process.has_left;
                let before = process.joined.is_some_and(|(_, joined)| joined < end.at);
                if is_live && before && index != end.process {
                    let is_applied = process.applied_all.contains(&(end.by, end.number));
                    assert!(is_applied, "{index} has not applied {end:?}");
                }
            }
        }
    }

    /// Where only the store has failed, and for long enough apart.
    pub(super) fn check_nothing_was_lost(&self) {
        for (index, process) in self.processes.iter().enumerate() {
            assert_eq!(process.given_up, 0, "{index} has given up a tag");
        }
    }
}
