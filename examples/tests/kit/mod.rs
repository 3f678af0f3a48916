//! The kit that the tests of several programs share: each takes it in as a module, and uses some of it.
#![allow(dead_code, reason = "each program's tests use another part")]

pub(crate) mod browser;
pub(crate) mod conversation;
pub(crate) mod log;
pub(crate) mod problem;
#[cfg(target_os = "linux")]
pub(crate) mod process;
#[cfg(unix)]
pub(crate) mod program;
pub(crate) mod visitor;

use std::time::Duration;

use tokio::time::timeout;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Awaits this for as long as anything may take.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    let output = timeout(PATIENCE, future).await;
    output.expect("it comes in time")
}
