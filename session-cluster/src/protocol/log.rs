//! The node's side of the log: how far it has read, which entries it has applied, and its own ones.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use session_core::NodeTag;

use crate::directory::{Entry, Position, Run, VERDICTS_KEPT};
use crate::protocol::step::{Append, Moment, Step};

#[derive(Debug, Default)]
pub(super) struct Log {
    /// The place up to which the node has read, in the current run.
    read: Option<Position>,
    /// The number of the last entry of each node that was applied. A run that has lost the log gets entries again.
    applied: BTreeMap<NodeTag, u64>,
    /// The number of the node's last own entry, whatever its tag was.
    last: u64,
    /// The node's own entries that some node may not have read, in order.
    own: VecDeque<Own>,
    /// The place up to which each node has read, in the current run.
    readers: BTreeMap<NodeTag, Position>,
}

#[derive(Debug)]
struct Own {
    by: NodeTag,
    number: u64,
    bytes: Vec<u8>,
    since: Moment,
    /// Its place in the current run, once it is in it.
    place: Option<Position>,
}

impl Log {
    pub(super) fn read(&self) -> Option<Position> {
        self.read
    }

    /// A node that joins has no sessions that the entries so far could end.
    pub(super) fn join(&mut self, numbers: &[(NodeTag, u64)]) {
        self.applied.extend(numbers.iter().copied());
    }

    /// Places mean nothing in a new run, and it may have lost entries.
    pub(super) fn start_run(&mut self) {
        self.read = None;
        self.readers.clear();
        for own in &mut self.own {
            own.place = None;
        }
    }

    /// Takes in entries that were read in the current run, up to `read`.
    pub(super) fn take_in<C>(
        &mut self,
        entries: Vec<Entry>,
        read: Option<Position>,
        steps: &mut Vec<Step<C>>,
    ) {
        for entry in entries {
            if let Some(own) = self.own_mut(entry.by, entry.number) {
                own.place = Some(entry.position);
            }
            let applied = self.applied.entry(entry.by).or_default();
            if entry.number > *applied {
                *applied = entry.number;
                steps.push(Step::Apply(entry));
            }
        }
        self.read = self.read.max(read);
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn add(&mut self, by: NodeTag, now: Moment, bytes: Vec<u8>) -> u64 {
        self.last += 1;
        let number = self.last;
        self.applied.insert(by, number);
        self.own.push_back(Own {
            by,
            number,
            bytes,
            since: now,
            place: None,
        });
        number
    }

    /// The next own entry that the current run does not have.
    pub(super) fn append(&self, run: &Run) -> Option<Append> {
        let own = self.own.iter().find(|own| own.place.is_none())?;
        Some(Append {
            run: run.clone(),
            by: own.by,
            number: own.number,
            bytes: own.bytes.clone(),
        })
    }

    pub(super) fn appended(&mut self, append: &Append, place: Position) {
        if let Some(own) = self.own_mut(append.by, append.number) {
            own.place = Some(place);
        }
    }

    pub(super) fn set_readers(&mut self, readers: Vec<(NodeTag, Position)>) {
        self.readers = readers.into_iter().collect();
    }

    pub(super) fn readers(&self) -> impl Iterator<Item = NodeTag> {
        self.readers.keys().copied()
    }

    /// Whether the current run has this own entry, or nobody needs it any more.
    pub(super) fn is_taken(&self, number: u64) -> bool {
        self.own(number).is_none_or(|own| own.place.is_some())
    }

    /// Those of the nodes that have not read this own entry.
    pub(super) fn unread(&self, number: u64, nodes: &BTreeSet<NodeTag>) -> Vec<NodeTag> {
        let Some(own) = self.own(number) else {
            return Vec::new();
        };
        let unread = nodes.iter().filter(|node| !self.has_read(**node, own));
        unread.copied().collect()
    }

    /// Drops the own entries that all these nodes have read.
    pub(super) fn drop_read(&mut self, nodes: &BTreeSet<NodeTag>) {
        while let Some(own) = self.own.front()
            && own.place.is_some()
            && nodes.iter().all(|node| self.has_read(*node, own))
        {
            self.own.pop_front();
        }
    }

    /// Drops the own entries that are older than the log would keep them.
    pub(super) fn drop_old(&mut self, now: Moment) {
        while let Some(own) = self.own.front()
            && now >= own.since + VERDICTS_KEPT
        {
            self.own.pop_front();
        }
    }

    pub(super) fn keeps_entries(&self) -> bool {
        !self.own.is_empty()
    }

    /// Nothing comes from this tag any more.
    pub(super) fn forget(&mut self, tag: NodeTag) {
        self.applied.remove(&tag);
    }

    fn has_read(&self, node: NodeTag, own: &Own) -> bool {
        let read = self.readers.get(&node);
        own.place
            .is_some_and(|place| read.is_some_and(|read| *read >= place))
    }

    fn own(&self, number: u64) -> Option<&Own> {
        self.own.get(self.place_of(number)?)
    }

    fn own_mut(&mut self, by: NodeTag, number: u64) -> Option<&mut Own> {
        let place = self.place_of(number)?;
        self.own.get_mut(place).filter(|own| own.by == by)
    }

    /// The numbers rise.
    fn place_of(&self, number: u64) -> Option<usize> {
        self.own
            .binary_search_by_key(&number, |own| own.number)
            .ok()
    }
}
