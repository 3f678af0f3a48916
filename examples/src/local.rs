//! Servers for the people at one machine: the requests that are let in, and the program around them.
//!
//! - `host`: only requests to this machine's own names
//! - `origin`: only requests of the server's own pages, or of programs
//! - `body`: a body arrives in full before its request enters a session
//! - `reply`, `problem`: responses in JSON, and errors
//! - `options`, `program`: its command line, where it listens, and its code
//! - `log`, `serving`: the program's log, and its orderly end

mod body;
mod host;
mod log;
mod options;
mod origin;
mod problem;
mod program;
mod reply;
mod serving;

pub(crate) use self::body::{MOST_BYTES, whole};
pub(crate) use self::host::only_local;
pub(crate) use self::log::start_log;
#[cfg(unix)]
pub(crate) use self::log::tell;
pub(crate) use self::options::{loopback, seconds, value};
pub(crate) use self::origin::only_own_pages;
pub(crate) use self::problem::{answer, as_problem};
pub(crate) use self::program::{ListenError, exit_code, failure, listen};
pub(crate) use self::reply::Reply;
pub(crate) use self::serving::{End, serve_until_told};
#[cfg(unix)]
pub(crate) use self::serving::{GRACE, SHUTDOWN_TIMEOUT};
