//! The kit that the tests of several programs share: each takes it in as a module, and uses some of it.
#![allow(dead_code, reason = "each program's tests use another part")]

pub(crate) mod browser;
pub(crate) mod conversation;
pub(crate) mod log;
pub(crate) mod program;
pub(crate) mod visitor;

use std::time::Duration;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
