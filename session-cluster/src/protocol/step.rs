//! The vocabulary between a node and its keeper.

use std::time::Duration;

use session_core::NodeTag;

use crate::directory::{Beat, Entry, Position, Run, Seen};

/// A time, by the node's own monotonic clock: since the node started.
pub(crate) type Moment = Duration;

/// A question for the store: see [`Report`](crate::directory::Report).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) tag: NodeTag,
    pub(crate) claims: bool,
    pub(crate) beat: Beat,
    pub(crate) read: Option<Position>,
    pub(crate) seen: Option<Seen>,
}

/// A verdict to write: the arguments of [`Directory::bury`](crate::Directory::bury).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burial {
    pub(crate) tag: NodeTag,
    /// The beat at which the tag fell silent. `None` repeats a verdict.
    pub(crate) beat: Option<Beat>,
    /// The number of runs that the node had known.
    pub(super) runs: u64,
}

/// A consequence, to be taken by the node's keeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<C> {
    /// The store has acknowledged the claim of this tag: ids may have it.
    Joined(NodeTag),
    /// The node's tag is dead: all its sessions end, as lost. The node claims this one next.
    GivenUp(NodeTag),
    /// There is a new peer.
    Appeared(NodeTag, C),
    /// A peer has another card.
    Changed(NodeTag, C),
    /// The tag has a verdict, and is nobody's. It may never have been a peer's.
    Gone(NodeTag),
    /// This entry of the log is to be applied. Each is returned once, and in the order of the log.
    Apply(Entry),
}

/// A node's knowledge of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    Own,
    Dead,
    Peer,
    /// The tag is in the store, but no card was believed.
    Unreadable,
    Unknown,
}

/// An own entry to append: the arguments of [`Directory::append`](crate::Directory::append).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    pub(crate) run: Run,
    pub(crate) by: NodeTag,
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The arguments of [`Directory::catch_up`](crate::Directory::catch_up).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) run: Run,
    pub(crate) tag: NodeTag,
    pub(crate) read: Position,
}
