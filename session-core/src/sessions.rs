//! Sessions and groups, and the requests inside them.

pub(crate) mod cycle;
pub(crate) mod deadlines;
pub(crate) mod evicted;
pub(crate) mod group;
pub(crate) mod group_room;
pub(crate) mod guard;
pub(crate) mod idle_order;
pub(crate) mod ids;
pub(crate) mod keys;
pub(crate) mod lingering;
pub(crate) mod members;
pub(crate) mod membership;
pub(crate) mod places;
pub(crate) mod record;
pub(crate) mod rekey;
pub(crate) mod seat;
pub(crate) mod session;
pub(crate) mod superseded;
pub(crate) mod tag;
pub(crate) mod times;
pub(crate) mod until_completed;
