//! Values that record their end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// The holder of a value: a session or a group, by its number in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Holder {
    Session(usize),
    Group(usize),
}

/// A note about a value's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its hook ran.
    Closed(u32),
    /// It was dropped.
    Dropped(u32),
}

/// The notes by the value's holder. There is no order to check between two holders.
#[derive(Clone, Default)]
pub(crate) struct Log {
    ends: Arc<Mutex<HashMap<Holder, Vec<End>>>>,
    made: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

impl Log {
    pub(crate) fn probe(&self, holder: Holder) -> Probe {
        Probe {
            number: self.made.fetch_add(1, Ordering::Relaxed),
            holder,
            log: self.clone(),
            gone: AtomicBool::new(false),
        }
    }

    pub(crate) fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn ends(&self) -> HashMap<Holder, Vec<End>> {
        self.ends.lock().unwrap().clone()
    }

    fn note(&self, holder: Holder, end: End) {
        self.ends
            .lock()
            .unwrap()
            .entry(holder)
            .or_default()
            .push(end);
    }
}

pub(crate) struct Probe {
    pub(crate) number: u32,
    holder: Holder,
    log: Log,
    gone: AtomicBool,
}

impl Probe {
    /// Uses the value.
    pub(crate) fn touch(&self) {
        assert!(!self.gone.load(Ordering::Relaxed), "used after its end");
    }

    fn close(&self) {
        self.touch();
        self.log.note(self.holder, End::Closed(self.number));
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        assert!(!self.gone.swap(true, Ordering::Relaxed), "dropped twice");
        self.log.dropped.fetch_add(1, Ordering::Relaxed);
        self.log.note(self.holder, End::Dropped(self.number));
    }
}

/// A sync close hook.
#[expect(clippy::needless_pass_by_value, reason = "a hook takes the value")]
pub(crate) fn close(probe: Probe) {
    probe.close();
}

/// An async close hook.
pub(crate) async fn close_later(probe: Probe) {
    tokio::task::yield_now().await;
    probe.close();
}
