//! The accounts of one session's values: closes under way, and values that outlived the session's own hold.
//!
//! A value that is closed by whoever lets go last can outlive its session, so it keeps this ledger and
//! nothing else of it.
//!
//! Invariants:
//! 1. `under_way` has the values of the [`Entry`] guards that exist.
//! 2. A serial is in `awaited` from before the session lets go of that value until its close has ended, or a caller has
//!    taken the value back.
//! 3. `findings` is there from completion until the report is made; before and after, trouble is only logged.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::unconstrained;
use tracing::{Instrument as _, Span};

use crate::life::close::{Closed, Closing, caught};
use crate::life::report::{About, Findings, Problem, Trouble};
use crate::sync::runtime::{Runtime, sleep};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// What marks one value among those of its session.
pub(crate) type Serial = u64;

pub(crate) struct Ledger {
    runtime: Runtime,
    close_timeout: Duration,
    serials: AtomicU64,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    under_way: HashMap<Serial, About>,
    awaited: HashMap<Serial, About>,
    findings: Option<Findings>,
}

/// A close under way.
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    serial: Serial,
    about: About,
    /// What the hook does is traced in this.
    span: Span,
    outcome: Option<Closed>,
}

impl Ledger {
    pub(crate) fn new(runtime: Runtime, close_timeout: Duration) -> Self {
        Self {
            runtime,
            close_timeout,
            serials: AtomicU64::new(0),
            state: Mutex::new(State::default()),
            changed: Notify::new(),
        }
    }

    pub(crate) fn next_serial(&self) -> Serial {
        // Relaxed: the numbers only have to differ.
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    /// From now on, what goes wrong is for the report.
    pub(crate) fn open(&self) {
        self.state.lock().findings.get_or_insert_default();
    }

    pub(crate) fn note(&self, about: About, trouble: Trouble) {
        tracing::warn!(property = about.name.as_str(), r#type = about.type_name, %trouble, "trouble in a session's cleanup");
        if let Some(findings) = &mut self.state.lock().findings {
            findings.problems.push(Problem::new(about, trouble));
        }
    }

    /// Adds `count` values that were closed without trouble.
    pub(crate) fn count(&self, closed: usize) {
        if let Some(findings) = &mut self.state.lock().findings {
            findings.closed += closed;
        }
    }

    /// Expects the close of this value, whoever brings it about.
    pub(crate) fn expect(&self, serial: Serial, about: About) {
        self.state.lock().awaited.insert(serial, about);
    }

    /// The value has left the session like any other that was removed: there will be no close.
    pub(crate) fn expect_no_longer(&self, serial: Serial) {
        let expected = self.state.lock().awaited.remove(&serial);
        if expected.is_some() {
            self.changed.notify_one();
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        let state = self.state.lock();
        state.under_way.is_empty() && state.awaited.is_empty()
    }

    /// Resolves when nothing is under way and nothing awaited. For one caller at a time.
    pub(crate) async fn settled(&self) {
        while !self.is_settled() {
            self.changed.notified().await;
        }
    }

    /// The findings. Values that are still awaited, or whose hook still runs, are still held.
    pub(crate) fn finish(&self) -> Findings {
        let (mut held, mut findings) = {
            let mut state = self.state.lock();
            let mut held = std::mem::take(&mut state.awaited);
            let under_way = state.under_way.iter();
            held.extend(under_way.map(|(serial, about)| (*serial, about.clone())));
            (held, state.findings.take().unwrap_or_default())
        };
        let mut held: Vec<_> = held.drain().collect();
        held.sort_unstable_by_key(|(serial, _)| std::cmp::Reverse(*serial));
        for (_, about) in held {
            tracing::warn!(
                property = about.name.as_str(),
                r#type = about.type_name,
                "still held after a session's cleanup"
            );
            findings
                .problems
                .push(Problem::new(about, Trouble::StillHeld));
        }
        findings
    }
}

impl Entry {
    pub(crate) fn begin(ledger: Arc<Ledger>, serial: Serial, about: About) -> Self {
        ledger.state.lock().under_way.insert(serial, about.clone());
        let name = about.name.as_str();
        let span = tracing::debug_span!("close", set = about.set, property = name);
        Self {
            span,
            ledger,
            serial,
            about,
            outcome: None,
        }
    }

    /// Sees the close to its end, or aborts it at the close timeout or when `hurry` resolves.
    pub(crate) async fn run(mut self, closing: Closing, hurry: impl Future<Output = ()>) {
        let close_timeout = self.ledger.close_timeout;
        self.outcome = Some(match closing {
            Closing::Done(closed) => closed,
            Closing::Pending(mut hook) => {
                let closed = tokio::select! {
                    biased;
                    closed = (&mut hook).instrument(self.span.clone()) => closed,
                    // A hook that never rests uses up the task's budget, and a timer would then not say that it
                    // is time.
                    () = unconstrained(sleep(close_timeout)) => Err(Trouble::TimedOut),
                    () = hurry => Err(Trouble::TimedOut),
                };
                // What an aborted hook still held may panic as it is dropped.
                closed.and(caught(|| {
                    drop(hook);
                    Ok(())
                }))
            }
        });
    }

    /// Ends the close of a value that was let go of anywhere: on any thread, with the runtime running or gone.
    pub(crate) fn detach(mut self, closing: Closing) {
        match closing {
            Closing::Done(closed) => self.outcome = Some(closed),
            pending @ Closing::Pending(_) => {
                let runtime = self.ledger.runtime.clone();
                runtime.spawn(self.run(pending, std::future::pending()));
            }
        }
    }

    /// Runs `close` inside the manager's runtime, where a destructor may spawn and read the clock.
    pub(crate) fn inside_runtime(&self, close: &mut dyn FnMut() -> Closing) -> Closing {
        // A thread that is ending may have lost tokio's thread-local, and then `enter` panics.
        let _entered = catch_unwind(AssertUnwindSafe(|| self.ledger.runtime.enter())).ok();
        self.span.in_scope(close)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // No outcome: the future that should have brought one was dropped with its runtime.
        let closed = self.outcome.take().unwrap_or_else(|| {
            tracing::error!(
                property = self.about.name.as_str(),
                r#type = self.about.type_name,
                "the runtime is gone: a value was dropped before its close hook had ended"
            );
            Err(Trouble::Aborted)
        });
        if let Err(trouble) = closed {
            self.ledger.note(self.about.clone(), trouble);
        }
        {
            let mut state = self.ledger.state.lock();
            state.under_way.remove(&self.serial);
            if state.awaited.remove(&self.serial).is_some()
                && let Some(findings) = &mut state.findings
            {
                findings.closed += 1;
            }
        }
        self.ledger.changed.notify_one();
    }
}
