//! The life of a session or group: from what keeps it active to what its cleanup has to tell.

pub(crate) mod activity;
pub(crate) mod cause;
pub(crate) mod cleanup;
pub(crate) mod clock;
pub(crate) mod close;
pub(crate) mod eviction;
pub(crate) mod expiry;
pub(crate) mod guard;
pub(crate) mod ledger;
pub(crate) mod lifecycle;
pub(crate) mod owned;
pub(crate) mod report;
pub(crate) mod task;
pub(crate) mod until_completed;
pub(crate) mod value;
