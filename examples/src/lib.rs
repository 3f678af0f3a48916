//! Programs built on live sessions.
//!
//! [`workbench`] gives each visitor a live SQL workbench: `cargo run` at the root of the workspace starts it.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod workbench;

/// The README's code has to compile too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
