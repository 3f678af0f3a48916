//! How far a node has read the log, and which entries it has applied.
//!
//! A place is meaningful within one run of the store only. After a new run all of the log is read again, and the numbers
//! of the entries tell which of them are new.

use std::collections::HashMap;

use session_core::NodeTag;

use crate::directory::{Entry, Position, Run};

#[derive(Debug, Default)]
pub(super) struct Log {
    place: Option<(Run, Position)>,
    /// The number of the last entry of each node that was applied. It is kept for as long as the process runs: a few
    /// bytes for each node that has ever ended a group.
    applied: HashMap<NodeTag, u64>,
}

impl Log {
    pub(super) fn place(&self) -> Option<(&Run, Position)> {
        self.place.as_ref().map(|(run, read)| (run, *read))
    }

    pub(super) fn set_place(&mut self, run: Run, read: Position) {
        self.place = Some((run, read));
    }

    /// Notes an entry as applied. Returns whether it is new.
    pub(super) fn apply(&mut self, by: NodeTag, number: u64) -> bool {
        let applied = self.applied.entry(by).or_default();
        let is_new = *applied < number;
        *applied = number.max(*applied);
        is_new
    }

    /// Takes the log's entries. Returns the new ones.
    pub(super) fn take(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        entries.retain(|entry| self.apply(entry.by, entry.number));
        entries
    }
}
