//! Cleanup, in its order: owned values, drain, properties, and then the end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::sync::{Notify, oneshot};
use tokio::task::coop::consume_budget;
use tracing::Instrument as _;

use crate::event::Subject;
use crate::life::close::caught;
use crate::life::lifecycle::{self, Used};
use crate::life::report::{About, CleanupReport, Trouble};
use crate::owner::{Owner, OwnerRef};
use crate::sync::runtime::sleep;

/// The moment that aborted tasks get to drop what they hold.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// The same when a shutdown is in a hurry: what it leaves is enough for a session's and then for its group's.
const HURRIED_GRACE: Duration = Duration::from_millis(250);

/// Resolves when a session's or group's cleanup has ended, with its report.
///
/// It clones, and holds nothing alive: not the session, and not the manager. While the runtime runs it always
/// resolves, once the drain and close timeouts have passed, unless a `Drop` or a sync hook blocks.
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
        // The sender goes only once it has sent; what is left without a report had nothing to report.
        Poll::Ready(ready!(self.0.poll_unpin(cx)).unwrap_or_default())
    }
}

/// Where the end of a cleanup is told.
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
        // Nobody may be waiting.
        let _ = self.done.send(report);
    }
}

/// Starts the cleanup of a completed session or group on the manager's runtime.
pub(crate) fn spawn(owner: OwnerRef<'_>, drained: std::sync::Arc<Notify>) {
    let shared = owner.local().shared.clone();
    let cleanup = Cleanup {
        owner: owner.to_owner(),
        ended: false,
    };
    // What goes wrong is logged where it is found; whose it is, is told by this.
    let subject = Subject::of(owner);
    let span = tracing::error_span!("cleanup", %subject);
    shared.runtime.spawn(cleanup.run(drained).instrument(span));
}

/// A cleanup under way. If its runtime goes away it ends at once, as far as that is possible.
struct Cleanup {
    owner: Owner,
    ended: bool,
}

impl Cleanup {
    async fn run(mut self, drained: std::sync::Arc<Notify>) {
        let local = self.owner.local();
        let hurry = local.shared.hurry.clone();
        let ledger = local.ledger();

        self.empty_slots();
        while self.drop_last_owned() {
            consume_budget().await;
        }

        // Requests, tasks and initialisers.
        let in_time = tokio::select! {
            biased;
            () = until(|| local.is_drained(), &drained) => true,
            () = sleep(local.shared.drain_timeout) => false,
            () = hurry.cancelled() => false,
        };
        if !in_time {
            self.abort_tasks();
            // Requests can't be aborted, so nothing is gained by waiting for these.
            let tasks_ended = || local.lock().used().is_none_or(Used::is_drained);
            let hurried = async {
                hurry.cancelled().await;
                sleep(HURRIED_GRACE).await;
            };
            tokio::select! {
                biased;
                () = until(tasks_ended, &drained) => {}
                () = sleep(ABORT_GRACE) => {}
                () = hurried => {}
            }
            self.note_left_over();
        }

        // Properties, the last published first.
        let (sets, slots) = local.take_sets();
        drop(sets);
        for slot in slots {
            drop(slot);
            consume_budget().await;
        }
        while let Some(held) = self.pop() {
            if let Some((entry, closing)) = held.let_go() {
                entry.run(closing, hurry.cancelled()).await;
            }
            // Many small values would keep the thread from all else.
            consume_budget().await;
        }

        // Those that somebody still holds, and hooks of removed ones.
        tokio::select! {
            biased;
            () = ledger.settled() => {}
            () = sleep(local.shared.close_timeout) => {}
            () = hurry.cancelled() => {}
        }
        self.end();
    }

    /// Ends the event streams and the like, which would keep their requests inside.
    fn empty_slots(&self) {
        let local = self.owner.local();
        let slots = std::mem::take(&mut local.lock().used_mut().slots);
        for slot in slots.into_values().rev() {
            if let Err((about, trouble)) = slot.empty().dispose() {
                local.note(about, trouble);
            }
        }
    }

    /// Drops the value that `take_ownership` took last, if one is left.
    fn drop_last_owned(&self) -> bool {
        let local = self.owner.local();
        let last = local.lock().used_mut().owned.pop_last();
        let Some((_, owning)) = last else {
            return false;
        };
        let about = owning.about();
        if let Err(trouble) = caught(|| {
            drop(owning);
            Ok(())
        }) {
            local.note(about, trouble);
        }
        local.ledger().count(1);
        true
    }

    fn abort_tasks(&self) {
        let local = self.owner.local();
        let aborted: Vec<_> = {
            let mut state = local.lock();
            state
                .used_mut()
                .tasks
                .values_mut()
                .map(crate::life::task::Task::abort)
                .collect()
        };
        for (about, handle) in aborted {
            local.note(about, Trouble::Aborted);
            if let Some(handle) = handle {
                handle.abort();
            }
        }
    }

    fn note_left_over(&self) {
        let local = self.owner.local();
        for _ in 0..local.activity.inside() {
            local.note(About::kind("request", ""), Trouble::StillHeld);
        }
        let (left_over, creations) = {
            let mut state = local.lock();
            let used = state.used_mut();
            let tasks = used.tasks.values().map(|task| task.about.clone());
            let disposals = used.disposals.values().cloned();
            let left_over: Vec<About> = tasks.chain(disposals).collect();
            (left_over, used.table.creations())
        };
        // An async initialiser is one of the tasks.
        let creations = creations
            .iter()
            .filter(|creation| creation.is_sync())
            .map(|creation| creation.about.clone());
        for about in left_over.into_iter().chain(creations) {
            local.note(about, Trouble::StillHeld);
        }
    }

    fn pop(&self) -> Option<crate::life::value::Held> {
        self.owner.local().lock().used_mut().table.pop()
    }

    fn end(&mut self) {
        self.ended = true;
        let report = self.owner.local().ledger().finish().into();
        lifecycle::finish(self.owner.as_ref(), &report);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The runtime is gone: nothing can be waited for, and what has an async hook is dropped without it.
        self.empty_slots();
        while self.drop_last_owned() {}
        drop(self.owner.local().take_sets());
        while let Some(held) = self.pop() {
            if let Some((entry, closing)) = held.let_go() {
                entry.detach(closing);
            }
        }
        self.end();
    }
}

/// Waits until it `is` so; whoever may have made it so notifies.
async fn until(is: impl Fn() -> bool, notified: &Notify) {
    while !is() {
        notified.notified().await;
    }
}
