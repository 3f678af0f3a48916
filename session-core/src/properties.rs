//! What a session or group holds, by key or in the cells of property sets, and how it comes to be there.

pub(crate) mod context;
pub(crate) mod creation;
pub(crate) mod dictionary;
pub(crate) mod exclusive;
pub(crate) mod get_or_init;
pub(crate) mod initialiser;
pub(crate) mod insert;
pub(crate) mod key;
pub(crate) mod property;
pub(crate) mod props;
pub(crate) mod set;
pub(crate) mod table;
pub(crate) mod wait_graph;
