//! The environment that a manager provides to every life: a runtime and its clock, the settings, and the places where
//! events and ends are recorded.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::life::cleanups::Cleanups;
use crate::life::clock::Clock;
use crate::life::event::{Events, LifecycleEvent};
use crate::settings::Settings;
use crate::store::wait_graph::WaitGraph;
use crate::sync::runtime::Runtime;
use crate::sync::{AtomicU64, Ordering};
use crate::values::ledger::{Closer, Ledger};

/// Serials start at a random multiple of this, so that the serials of several runs differ.
const SERIAL_RANGE: u64 = 1 << 32;
/// Serials are below this, so that JavaScript reads them exactly.
const SERIAL_LIMIT: u64 = 1 << 53;

pub(crate) struct Env {
    pub(crate) clock: Clock,
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
    pub(crate) graph: Arc<WaitGraph>,
    /// Cancelled when a shutdown has no more time. Cleanups then stop waiting for anything.
    pub(crate) hurry: CancellationToken,
    pub(crate) events: Events,
    pub(crate) cleanups: Arc<Cleanups>,
    closer: Arc<Closer>,
    serials: AtomicU64,
}

impl Env {
    pub(crate) fn new(settings: Settings, runtime: Runtime) -> Self {
        let closer = Closer {
            runtime: runtime.clone(),
            close_timeout: settings.close_timeout,
        };
        Self {
            clock: Clock::new(runtime.clone()),
            runtime,
            settings,
            graph: Arc::new(WaitGraph::new()),
            hurry: CancellationToken::new(),
            events: Events::new(),
            cleanups: Arc::new(Cleanups::new()),
            closer: Arc::new(closer),
            serials: AtomicU64::new(first_serial()),
        }
    }

    pub(crate) fn next_serial(&self) -> u64 {
        // Relaxed: the numbers only have to differ.
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn new_ledger(&self) -> Ledger {
        Ledger::new(self.closer.clone())
    }

    /// Records and delivers an event. Call it outside all locks.
    pub(crate) fn emit(&self, event: impl FnOnce() -> LifecycleEvent) {
        self.events.record(event);
        self.events.deliver();
    }
}

fn first_serial() -> u64 {
    let mut bytes = [0; 8];
    // Serials are not secret: without random bits they start at zero.
    let _ = getrandom::fill(&mut bytes);
    let ranges = SERIAL_LIMIT / SERIAL_RANGE;
    u64::from_ne_bytes(bytes) % ranges * SERIAL_RANGE
}
