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
//! - [`app`] and [`manage_sessions`]: all of it as one application, with its sessions
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

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use session_core::{SessionManager, WhenFull};

use crate::local::only_local;

#[cfg(unix)]
pub(crate) use self::api::{router, session_layer};
pub use self::database::{Database, LoadError};
pub use self::server::main;

/// A session holds up to a dozen open files, and a process is often limited to 1024.
const MAX_SESSIONS: usize = 64;
/// How long a statement waits for the previous one.
const LEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Creates the manager of a workbench's sessions, which end when they have been idle for so long.
///
/// It bounds the size of all files that the process writes from now on.
///
/// # Panics
///
/// Outside a tokio runtime, and if `idle` is zero.
pub fn manage_sessions(database: &Database, idle: Duration) -> SessionManager {
    if let Err(error) = file_size::bound(database.most_file_bytes()) {
        tracing::warn!(%error, "the size of files is not bounded");
    }
    SessionManager::builder()
        .idle_timeout(idle)
        .lend_timeout(LEND_TIMEOUT)
        .max_sessions(MAX_SESSIONS, WhenFull::EvictIdlest)
        .state(database.clone())
        .build()
        .expect("there is a runtime, and no setting is zero")
}

/// Creates the application, for visitors who reach it at this address, with these sessions of the same database.
///
/// At a loopback address it serves requests to this machine's own names only.
///
/// ```
/// use examples::workbench::{self, Database};
/// use serde_json::json;
/// use session_test::Browser;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scratch = tempfile::tempdir()?;
/// let database = Database::load(&[], scratch.path(), Duration::from_secs(55))?;
/// let sessions = workbench::manage_sessions(&database, Duration::from_secs(1200));
/// let app = workbench::app(database, sessions, "127.0.0.1:3000".parse()?);
///
/// let ann = Browser::new(app);
/// ann.post("/api/query").json(&json!({ "sql": "BEGIN" })).await.assert_status(200);
/// let state = ann.get("/api/state").await.json::<serde_json::Value>();
/// assert_eq!(state["transaction"], true);
/// # Ok(()) }
/// ```
pub fn app(database: Database, sessions: SessionManager, address: SocketAddr) -> Router {
    let app = api::router(database, api::session_layer(sessions, address.port()));
    if address.ip().is_loopback() {
        app.layer(from_fn(only_local))
    } else {
        app
    }
}

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
