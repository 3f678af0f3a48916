//! The life of one local session of either kind. This module does not know sessions, groups, registries or the manager.

pub(crate) mod activity;
pub(crate) mod cause;
pub(crate) mod cleanup;
pub(crate) mod cleanups;
pub(crate) mod clock;
pub(crate) mod contents;
pub(crate) mod env;
pub(crate) mod event;
pub(crate) mod lifecycle;
pub(crate) mod owned;
pub(crate) mod owner;
pub(crate) mod signal;
pub(crate) mod slot;
pub(crate) mod state;
pub(crate) mod task;
