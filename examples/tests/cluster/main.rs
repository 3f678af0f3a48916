//! The cluster from outside: the real program with its processes, over real http on loopback.

// It looks for processes in `/proc`.
#![cfg(target_os = "linux")]

mod failures;
#[path = "../kit/mod.rs"]
mod kit;
mod program;
mod service;
mod start_and_stop;
