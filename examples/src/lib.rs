//! Programs built on live sessions.
//!
//! [`workbench`] gives each visitor a live SQL workbench: `cargo run` at the root of the workspace starts it.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod workbench;
