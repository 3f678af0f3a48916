//! The workbench from outside: the real program, over real http on loopback.
//!
//! Nothing here sleeps. A test waits for an answer or for a line of the program's log, and every connection
//! opened must be closed in the end, by the log and by the process's open files.

// It reads a process's open files and memory in `/proc`.
#![cfg(target_os = "linux")]

mod client;
mod contention;
mod conversation;
mod isolation;
mod lifetime;
mod panics;
mod queries;
mod readme;
mod sandbox;
mod server;
mod shutdown;
mod startup;
mod visitors;
