//! What of tokio the core runs on: its tasks, its timers and its clock.
//!
//! Under `cfg(session_shuttle)` tasks are shuttle's, so that every step of a cleanup is a step of the model, and
//! time passes when the model says so.

#[cfg(not(session_shuttle))]
mod imp {
    pub(crate) use tokio::runtime::Handle as Runtime;
    pub(crate) use tokio::task::{AbortHandle, JoinHandle};
    pub(crate) use tokio::time::{Instant, sleep, sleep_until, timeout};

    /// tokio's clock of `runtime`, from any thread: a thread outside a runtime would read another clock than a
    /// paused one.
    pub(crate) fn now(runtime: &Runtime) -> Instant {
        // Inside a task it is inside a runtime, and that costs less to ask: no reference is counted.
        if tokio::task::try_id().is_some() {
            return Instant::now();
        }
        let outside = matches!(Runtime::try_current(), Err(error) if error.is_missing_context());
        let _entered = outside.then(|| runtime.enter());
        Instant::now()
    }
}

#[cfg(session_shuttle)]
#[path = "runtime_shuttle.rs"]
mod imp;

#[cfg(all(test, session_shuttle))]
pub(crate) use imp::advance;
pub(crate) use imp::{AbortHandle, Instant, JoinHandle, Runtime, now, sleep, sleep_until, timeout};
