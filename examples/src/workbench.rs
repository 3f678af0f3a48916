//! A live SQL workbench: each visitor has a connection of their own, with its temp tables, its open transaction
//! and its running queries, for as long as their session lasts.
//!
//! None of that can be written down and read back, so it lives in a session. The modules:
//!
//! - `set`: the contents of a session, and the order in which they are closed
//! - `connection`, `execution`: how the connection is opened, used, rolled back and closed
//! - `sandbox`, `file_size`: the bounds of a visitor's SQL
//! - `writers`, `idle_transaction`, `statements`: sessions that are in each other's way, and which one yields
//! - `runners`, `runner`, `spill`: queries that run while other requests come and go, and their rows
//! - `api`, `tables`, `problem`: the requests of a client, and their answers
//! - `crate::local`: which requests are let in
//! - `args`, `database`, `import`, `blank_lines`, `server`: the program around it

mod api;
mod args;
mod blank_lines;
mod connection;
mod database;
mod execution;
mod file_size;
mod idle_transaction;
mod import;
mod problem;
mod runner;
mod runners;
mod sandbox;
mod server;
mod set;
mod spill;
mod statements;
mod tables;
mod writers;

pub use server::main;

#[cfg(unix)]
pub(crate) use self::api::{router, session_layer};
#[cfg(unix)]
pub(crate) use self::database::{Database, LoadError};
#[cfg(unix)]
pub(crate) use self::server::{GRACE, SHUTDOWN_TIMEOUT, manage_sessions, start_log, tell};

/// Runs a blocking function where blocking is allowed; a panic goes on in the caller.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// SQLite's message, without the statement that it would repeat.
fn sqlite_message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}
