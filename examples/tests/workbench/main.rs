//! The workbench from outside: in the test's process (`inside`), and as the real program, over real http on loopback
//! (`server`), for what concerns the process: its start and end, its options, its memory, its sockets.
//!
//! Nothing here sleeps. A test waits for an answer, for the end of a session or for a line of the log, and everything
//! opened must be closed in the end, by the sessions' reports or the log, and by the process's open files.

// It reads a process's open files and memory in `/proc`.
#![cfg(target_os = "linux")]

mod contention;
mod inside;
mod isolation;
#[path = "../kit/mod.rs"]
mod kit;
mod lifetime;
mod queries;
mod readme;
mod sandbox;
mod server;
mod shutdown;
mod startup;
mod visitors;
