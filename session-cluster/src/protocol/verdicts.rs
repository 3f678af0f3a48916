//! The memory of verdicts. A verdict is final, so a store that has lost it is told again.

use std::collections::{BTreeMap, BTreeSet};

use session_core::NodeTag;

use crate::directory::VERDICTS_KEPT;
use crate::protocol::step::Moment;

#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// The dead tags, and when the node learned of each.
    learned: BTreeMap<NodeTag, Moment>,
    /// Those that this run of the store may not have.
    unconfirmed: BTreeSet<NodeTag>,
}

impl Verdicts {
    pub(super) fn knows(&self, tag: NodeTag) -> bool {
        self.learned.contains_key(&tag)
    }

    /// Returns whether this is new.
    pub(super) fn learn(&mut self, tag: NodeTag, now: Moment) -> bool {
        let is_new = !self.knows(tag);
        if is_new {
            self.learned.insert(tag, now);
            self.unconfirmed.insert(tag);
        }
        is_new
    }

    /// The store has this verdict.
    pub(super) fn confirm(&mut self, tag: NodeTag) {
        self.unconfirmed.remove(&tag);
    }

    /// The store's run is a new one.
    pub(super) fn doubt_all(&mut self) {
        self.unconfirmed = self.learned.keys().copied().collect();
    }

    /// A verdict that the store may not have: the next one from this tag on, in a circle.
    pub(super) fn unconfirmed(&self, from: NodeTag) -> Option<NodeTag> {
        let next = self.unconfirmed.range(from..).next();
        next.or_else(|| self.unconfirmed.first()).copied()
    }

    /// Forgets the verdicts that no node needs any more, and returns their tags.
    pub(super) fn forget(&mut self, now: Moment) -> Vec<NodeTag> {
        let is_old = |learned: Moment| now >= learned + VERDICTS_KEPT;
        let old = self.learned.iter().filter(|(_, learned)| is_old(**learned));
        let old: Vec<_> = old.map(|(tag, _)| *tag).collect();
        for tag in &old {
            self.learned.remove(tag);
            self.unconfirmed.remove(tag);
        }
        old
    }
}
