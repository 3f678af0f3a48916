//! The creation of properties, by key or in the cells of property sets.

pub(crate) mod context;
pub(crate) mod dictionary;
pub(crate) mod discard;
pub(crate) mod exclusive;
pub(crate) mod get_or_init;
pub(crate) mod initializer;
pub(crate) mod insert;
pub(crate) mod lending;
pub(crate) mod listing;
pub(crate) mod property;
pub(crate) mod props;
pub(crate) mod set;
pub(crate) mod turn;
