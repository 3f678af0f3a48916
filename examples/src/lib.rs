//! Programs built on live sessions.
//!
//! [`workbench`] serves each visitor a live SQL workbench: `cargo run` at the root of the workspace starts it.
//! `cluster` serves it from three nodes: `cargo run --bin cluster`.
//! [`mcp`] serves live SQLite transactions to MCP clients: `cargo run --bin mcp`.
//! [`chat`] is a chat with log-in, for several users with several devices: `cargo run --bin chat`.
//! `terminal` serves a shell to the browser: `cargo run --bin terminal`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod chat;
#[cfg(unix)]
pub mod cluster;
mod local;
pub mod mcp;
#[cfg(unix)]
pub mod terminal;
pub mod workbench;

/// Compiles the README's code too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
