//! The extractors: newtypes around core's handles, since those can't implement axum's traits.

pub(crate) mod events;
pub(crate) mod group;
pub(crate) mod lazy;
pub(crate) mod props;
pub(crate) mod session;
