//! The tag of a manager's ids.
//!
//! Invariants:
//! 1. A change of the tag is stored before the registry is read. A thread that registers an id reads the tag afterwards.
//!    So of the two at least one finds a session whose id has another tag, and ends it.
//! 2. A session's new id has the tag that its old one was compared with, under the session's lock. So a session can't
//!    change over to another tag.

use crate::id::SessionId;
use crate::id::node_tag::NodeTag;
use crate::sync::{AtomicU64, Ordering};

/// No tag.
const NONE: u64 = u64::MAX;

/// The tag, if the manager has one.
pub(crate) struct Tag(AtomicU64);

impl Tag {
    pub(crate) fn none() -> Self {
        Self(AtomicU64::new(NONE))
    }

    pub(crate) fn get(&self) -> Option<NodeTag> {
        // SeqCst, as in `set`: see the first invariant.
        match self.0.load(Ordering::SeqCst) {
            NONE => None,
            #[expect(clippy::cast_possible_truncation, reason = "24 bits")]
            bits => Some(NodeTag::of_bits(bits as u32)),
        }
    }

    pub(crate) fn set(&self, tag: NodeTag) {
        self.0.store(tag.bits().into(), Ordering::SeqCst);
    }

    /// Whether there is a tag, and the id has another.
    pub(crate) fn is_not_of(&self, id: &SessionId) -> bool {
        self.get().is_some_and(|tag| tag != id.tag())
    }
}
