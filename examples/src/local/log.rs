//! The log.

use std::io::{self, IsTerminal as _};

use session_core::{LifecycleEvent, LifecycleEvents, Subject};
use tracing_subscriber::EnvFilter;

/// Logs to standard error.
pub(crate) fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colors = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colors)
        .with_target(false)
        // It would be written to the same place, and a log that nobody reads any more would end the process.
        .log_internal_errors(false)
        .init();
}

/// Logs how sessions end.
pub(crate) async fn tell(mut events: LifecycleEvents) {
    while let Some(event) = events.next().await {
        match event {
            Ok(LifecycleEvent::Completed(Subject::Session(session), cause, reason)) => {
                tracing::info!(session, %cause, reason = reason.as_deref(), "session ended");
            }
            Ok(LifecycleEvent::CleanedUp(Subject::Session(session), report)) => {
                tracing::info!(session, closed = report.closed(), "session cleaned up");
            }
            Ok(_) => {}
            Err(missed) => tracing::warn!("{missed}"),
        }
    }
}
