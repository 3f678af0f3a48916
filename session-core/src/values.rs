//! One value: its name, its close, and the records of it.

pub(crate) mod about;
pub(crate) mod close;
pub(crate) mod closing;
pub(crate) mod description;
pub(crate) mod ledger;
pub(crate) mod report;
pub(crate) mod value;
