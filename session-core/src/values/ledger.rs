//! The records of one session's values: closes under way, and values that outlived the session's own hold.
//!
//! A value is closed by its last holder and can outlive its session, so it keeps this ledger and nothing else of
//! the session.
//!
//! Invariants:
//! 1. `under_way` has the values of the `Entry` guards that exist.
//! 2. A serial is in `awaited` from before the session lets go of that value until its close has ended, or a caller has
//!    taken the value back.
//! 3. `findings` is present from completion until the report is created; before and after that, trouble is only logged.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::sync::runtime::Runtime;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::values::about::About;
use crate::values::close::Closed;
use crate::values::report::{Findings, Problem, Trouble};

/// The number that identifies a value among those of its session.
pub(crate) type Serial = u64;

pub(crate) struct Ledger {
    closer: Arc<Closer>,
    serials: AtomicU64,
    /// Made when it is first needed: most ledgers only wait for a close.
    state: Mutex<Option<Box<State>>>,
}

/// The runtime in which the values of a manager are closed, and the time that a hook has.
pub(crate) struct Closer {
    pub(crate) runtime: Runtime,
    pub(crate) close_timeout: Duration,
}

#[derive(Default)]
struct State {
    under_way: HashMap<Serial, About>,
    awaited: HashMap<Serial, About>,
    /// The receivers of outcomes.
    watched: Vec<(Serial, oneshot::Sender<Closed>)>,
    findings: Option<Findings>,
    changed: Arc<Notify>,
}

impl Ledger {
    pub(crate) fn new(closer: Arc<Closer>) -> Self {
        Self {
            closer,
            serials: AtomicU64::new(0),
            state: Mutex::new(None),
        }
    }

    pub(crate) fn next_serial(&self) -> Serial {
        // Relaxed: the numbers only have to differ.
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    /// Starts the findings: from now on, problems go into the report.
    pub(crate) fn open(&self) {
        self.with(|state| {
            state.findings.get_or_insert_default();
        });
    }

    pub(crate) fn note(&self, about: About, trouble: Trouble) {
        tracing::warn!(property = about.name(), r#type = about.type_name(), %trouble, "trouble in a session's cleanup");
        self.with(|state| {
            if let Some(findings) = &mut state.findings {
                findings.problems.push(Problem::new(about, trouble));
            }
        });
    }

    /// Adds `count` values that were closed without trouble.
    pub(crate) fn count(&self, closed: usize) {
        self.with(|state| {
            if let Some(findings) = &mut state.findings {
                findings.closed += closed;
            }
        });
    }

    /// Records that a close begins.
    pub(crate) fn begin(&self, serial: Serial, about: About) {
        self.with(|state| state.under_way.insert(serial, about));
    }

    /// Returns a receiver of the outcome of this value's close.
    pub(crate) fn watch(&self, serial: Serial) -> oneshot::Receiver<Closed> {
        let (sender, receiver) = oneshot::channel();
        self.with(|state| state.watched.push((serial, sender)));
        receiver
    }

    /// Records that the close has ended.
    pub(crate) fn end(&self, serial: Serial, closed: &Closed) {
        let watched = self.with(|state| {
            state.under_way.remove(&serial);
            if state.awaited.remove(&serial).is_some()
                && let Some(findings) = &mut state.findings
            {
                findings.closed += 1;
            }
            let is = |watched: &mut (Serial, _)| watched.0 == serial;
            let watched: Vec<_> = state.watched.extract_if(.., is).collect();
            watched
        });
        for (_, watched) in watched {
            let _gone = watched.send(closed.clone());
        }
        self.changed().notify_one();
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(self.state.lock().get_or_insert_default())
    }

    fn changed(&self) -> Arc<Notify> {
        self.with(|state| state.changed.clone())
    }

    pub(crate) fn closer(&self) -> &Closer {
        &self.closer
    }

    /// Expects the close of this value, whichever holder causes it.
    pub(crate) fn expect(&self, serial: Serial, about: About) {
        self.with(|state| state.awaited.insert(serial, about));
    }

    /// Expects no close any more: the value has left the session like any other that was removed.
    pub(crate) fn expect_no_longer(&self, serial: Serial) {
        let expected = self.with(|state| state.awaited.remove(&serial));
        if expected.is_some() {
            self.changed().notify_one();
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        let state = self.state.lock();
        state
            .as_ref()
            .is_none_or(|state| state.under_way.is_empty() && state.awaited.is_empty())
    }

    /// Resolves when nothing is under way and nothing is awaited. For one caller at a time.
    pub(crate) async fn settled(&self) {
        let changed = self.changed();
        while !self.is_settled() {
            changed.notified().await;
        }
    }

    /// Returns the findings. Values that are still awaited, or whose hook still runs, are still held.
    pub(crate) fn finish(&self) -> Findings {
        let (mut held, mut findings) = self.with(|state| {
            let mut held = std::mem::take(&mut state.awaited);
            let under_way = state.under_way.iter();
            held.extend(under_way.map(|(serial, about)| (*serial, about.clone())));
            (held, state.findings.take().unwrap_or_default())
        });
        let mut held: Vec<_> = held.drain().collect();
        held.sort_unstable_by_key(|(serial, _)| std::cmp::Reverse(*serial));
        for (_, about) in held {
            tracing::warn!(
                property = about.name(),
                r#type = about.type_name(),
                "still held after a session's cleanup"
            );
            findings
                .problems
                .push(Problem::new(about, Trouble::StillHeld));
        }
        findings
    }
}
