//! Servers for the people at one machine: the requests that are let in, and the problems that others are told.
//!
//! - `host`: only requests to this machine's own names
//! - `origin`: only requests of the server's own pages, or of programs
//! - `body`: a body arrives in full before its request enters a session
//! - `problem`: errors in JSON

mod body;
mod host;
mod origin;
mod problem;

pub(crate) use self::body::{MOST_BYTES, whole};
pub(crate) use self::host::only_local;
pub(crate) use self::origin::only_own_pages;
pub(crate) use self::problem::{answer, as_problem};
