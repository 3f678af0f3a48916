//! The lines that a node tells the process that has started it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// One line of a node's standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// It has joined, and listens.
    Listens(SocketAddr),
    /// Told a few times a second.
    State(State),
    /// A visitor with an id of another tag has a new session here.
    NewSession {
        /// The tag of the id that the visitor had.
        had: String,
        /// The tag of the new one.
        has: String,
    },
}

/// A node as it sees itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// `None` while it has none: it has been given up, or has left.
    pub(crate) tag: Option<String>,
    pub(crate) mode: Mode,
    /// Whether it is in touch with Redis, so that it may serve its sessions.
    pub(crate) holds: bool,
    /// The number of its active sessions.
    pub(crate) sessions: usize,
    /// The tags of the other nodes that are alive, as it knows them.
    pub(crate) others: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Serving,
    Draining,
    Left,
}
