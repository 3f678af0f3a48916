//! The terminal from outside: the real program, over real http and WebSockets on loopback.
//!
//! Nothing here sleeps. A test waits for an answer, for the screen or for a line of the program's log, and every process
//! that a shell has started must have ended in the end.

// It looks for processes in `/proc`.
#![cfg(target_os = "linux")]

mod bad_input;
mod client;
mod ends;
mod flood;
#[path = "../kit/mod.rs"]
mod kit;
mod requests;
mod server;
mod tab;
mod tabs;
