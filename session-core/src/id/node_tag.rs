//! The tag of a node: the first 24 bits of the ids that it creates.

/// The tag of a node in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeTag(u32);
