//! The end of a cleanup, as announced to the tasks that wait for it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::sync::oneshot;

use crate::values::report::CleanupReport;

/// Resolves when a session's or group's cleanup has ended, with its report.
///
/// It can be cloned, and keeps neither the session nor the manager alive. While the runtime runs it always resolves
/// once the drain and close timeouts have passed, unless a `Drop` or a sync hook blocks.
///
/// Inside a request, task or hook of the same session it can only wait for itself: cleanup waits for that
/// request, task or hook up to its timeout, and the report names it.
///
/// # Cancel safety
///
/// Dropping it changes nothing.
#[derive(Clone, Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct CleanupCompleted(Shared<oneshot::Receiver<CleanupReport>>);

impl CleanupCompleted {
    pub(crate) fn new(receiver: Shared<oneshot::Receiver<CleanupReport>>) -> Self {
        Self(receiver)
    }
}

impl Future for CleanupCompleted {
    type Output = CleanupReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CleanupReport> {
        // The sender is dropped only once it has sent. A future that is left without a report had nothing to report.
        Poll::Ready(ready!(self.0.poll_unpin(cx)).unwrap_or_default())
    }
}

/// The sender of a cleanup's end.
pub(crate) struct Signal {
    done: oneshot::Sender<CleanupReport>,
    completed: CleanupCompleted,
}

impl Signal {
    pub(crate) fn new() -> Self {
        let (done, receiver) = oneshot::channel();
        Self {
            done,
            completed: CleanupCompleted(receiver.shared()),
        }
    }

    pub(crate) fn completed(&self) -> CleanupCompleted {
        self.completed.clone()
    }

    pub(crate) fn resolve(self, report: CleanupReport) {
        // There may be no receiver left.
        let _ = self.done.send(report);
    }
}
