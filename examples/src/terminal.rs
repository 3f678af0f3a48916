//! A terminal in the browser: each visitor has a shell of their own, for as long as their session lasts.
//!
//! A shell is a process on a pseudo-terminal. It can be neither written down and read back nor started twice, and must
//! be killed and reaped in the end, so it lives in a session. The modules:
//!
//! - `shell`: the contents of a session, and the task that passes on what the shell reads and writes
//! - `process`: the shell's process and its children, and how they end
//! - `pty`: the pseudo-terminal
//! - `bounds`: what output may ask of the screen
//! - `screen`, `frame`: the screen that the server draws, and the pictures of it that tabs are sent
//! - `tab`: a tab's WebSocket
//! - `api`: the requests of a client
//! - `args`, `server`: the program around it

mod api;
mod args;
mod bounds;
mod frame;
mod process;
mod pty;
mod screen;
mod server;
mod shell;
mod tab;

use std::ffi::OsString;
use std::time::Duration;

use axum::Router;
use session_core::{SessionManager, WhenFull};

pub use server::main;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The most shells at a time.
const MAX_SESSIONS: usize = 16;
/// How long a shell lives, whatever happens on it.
const ABSOLUTE_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a shell is kept for a browser that does not come back with its cookie.
const UNCONFIRMED_TIMEOUT: Duration = Duration::from_secs(30);

/// The program that visitors get.
#[derive(Debug)]
pub struct Terminal {
    /// Its path, or its name.
    pub shell: OsString,
    /// Its environment. The terminal's kind is added, and nothing of this process's own environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Terminal {
    /// Creates the manager of the terminal's sessions, which end after this time without a key press.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or if the time is zero.
    pub fn sessions(self, idle: Duration) -> SessionManager {
        SessionManager::builder()
            .idle_timeout(idle)
            .absolute_timeout(ABSOLUTE_TIMEOUT)
            // Browsers that keep no cookies would fill the server with shells that nobody reaches.
            .unconfirmed_timeout(UNCONFIRMED_TIMEOUT)
            // To evict the idlest shell would kill a long job.
            .max_sessions(MAX_SESSIONS, WhenFull::Reject)
            .state(self)
            .build()
            .expect("there is a runtime, and no time is zero")
    }
}

/// The server of a terminal, below `/KEY/` on this port of this machine.
pub fn app(sessions: SessionManager, key: &str, port: u16) -> Router {
    api::router(sessions, key, port)
}
