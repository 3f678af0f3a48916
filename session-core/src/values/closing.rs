//! A close under way: run to its end, timed out, or left to a task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::task::unconstrained;
use tracing::{Instrument as _, Span};

use crate::sync::runtime::sleep;
use crate::values::about::About;
use crate::values::close::{Closed, Closing, caught};
use crate::values::ledger::{Ledger, Serial};
use crate::values::report::Trouble;

/// A close under way.
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    serial: Serial,
    about: About,
    /// The span in which the hook is traced.
    span: Span,
    outcome: Option<Closed>,
}

impl Entry {
    pub(crate) fn begin(ledger: Arc<Ledger>, serial: Serial, about: About) -> Self {
        ledger.begin(serial, about.clone());
        let span = tracing::debug_span!("close", set = about.set(), property = about.name());
        Self {
            span,
            ledger,
            serial,
            about,
            outcome: None,
        }
    }

    /// Runs the close to its end, or aborts it at the close timeout or when `hurry` resolves.
    pub(crate) async fn run(mut self, closing: Closing, hurry: impl Future<Output = ()>) {
        let close_timeout = self.ledger.closer().close_timeout;
        self.outcome = Some(match closing {
            Closing::Done(closed) => closed,
            Closing::Pending(mut hook) => {
                let closed = tokio::select! {
                    biased;
                    closed = (&mut hook).instrument(self.span.clone()) => closed,
                    // A hook that never yields uses up the task's budget, and a timer that counts against it would
                    // then not fire.
                    () = unconstrained(sleep(close_timeout)) => Err(Trouble::TimedOut),
                    () = hurry => Err(Trouble::TimedOut),
                };
                // A value that an aborted hook still held may panic when it is dropped.
                closed.and(caught(|| {
                    drop(hook);
                    Ok(())
                }))
            }
        });
    }

    /// Finishes the close of a value that was let go of anywhere: on any thread, with the runtime running or gone.
    pub(crate) fn detach(mut self, closing: Closing) {
        match closing {
            Closing::Done(closed) => self.outcome = Some(closed),
            pending @ Closing::Pending(_) => {
                let runtime = self.ledger.closer().runtime.clone();
                runtime.spawn(self.run(pending, std::future::pending()));
            }
        }
    }

    /// Runs `close` inside the manager's runtime, where a destructor may spawn and read the clock.
    pub(crate) fn inside_runtime(&self, close: &mut dyn FnMut() -> Closing) -> Closing {
        // A thread that is ending may have lost tokio's thread-local, and then `enter` panics.
        let _entered = catch_unwind(AssertUnwindSafe(|| self.ledger.closer().runtime.enter())).ok();
        self.span.in_scope(close)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // No outcome: the future that should have set one was dropped with its runtime.
        let closed = self.outcome.take().unwrap_or_else(|| {
            tracing::error!(
                property = self.about.name(),
                r#type = self.about.type_name(),
                "the runtime is gone: a value was dropped before its close hook had ended"
            );
            Err(Trouble::Aborted)
        });
        if let Err(trouble) = &closed {
            self.ledger.note(self.about.clone(), trouble.clone());
        }
        self.ledger.end(self.serial, &closed);
    }
}
