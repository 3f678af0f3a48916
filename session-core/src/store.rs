//! The properties that are held, by key.

pub(crate) mod any_set;
pub(crate) mod cells;
pub(crate) mod creation;
pub(crate) mod doubts;
pub(crate) mod key;
pub(crate) mod line;
pub(crate) mod node;
pub(crate) mod published;
pub(crate) mod table;
pub(crate) mod wait_graph;
