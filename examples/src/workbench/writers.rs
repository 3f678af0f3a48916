//! Writers that wait for another session. SQLite has one writer at a time, so a transaction that is left open blocks
//! the others.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::TransactionState;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// A write-ahead log of this size is long. It shrinks once no transaction reads from an old part of it.
const LONG_LOG: u64 = 128 << 20;
/// How much longer a writer waits than a transaction may be idle.
const MARGIN: Duration = Duration::from_secs(3);

/// How often a writer looks again.
const MOMENT: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Writers {
    waiting: AtomicUsize,
    log: PathBuf,
    /// How long an open transaction may be idle while others wait for it.
    pub(crate) patience: Duration,
}

/// A waiting writer, until this is dropped.
#[derive(Debug)]
struct Waiting(Arc<Writers>);

/// A query's turn to write.
#[derive(Debug)]
pub(crate) struct Turn {
    writers: Arc<Writers>,
    cancelled: CancellationToken,
    /// The time since which one of its statements waits.
    since: Mutex<Option<(Instant, Waiting)>>,
}

impl Writers {
    pub(crate) fn new(database: &Path, patience: Duration) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self {
            waiting: AtomicUsize::new(0),
            log: log.into(),
            patience,
        }
    }

    fn wait(self: &Arc<Self>) -> Waiting {
        // Relaxed: nothing else depends on the number.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }

    /// Whether a writer waits for the end of a transaction in this state. Blocks.
    pub(crate) fn wait_for(&self, state: TransactionState) -> bool {
        match state {
            TransactionState::Write => {
                self.waiting.load(Ordering::Relaxed) > 0 || self.log_is_long()
            }
            TransactionState::Read => self.log_is_long(),
            _ => false,
        }
    }

    fn log_is_long(&self) -> bool {
        std::fs::metadata(&self.log).is_ok_and(|log| log.len() > LONG_LOG)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turn {
    pub(crate) fn new(writers: &Arc<Writers>, cancelled: CancellationToken) -> Self {
        Self {
            writers: Arc::clone(writers),
            cancelled,
            since: Mutex::default(),
        }
    }

    /// Waits a moment while another session writes. Returns whether to try again. Blocks a thread of a runtime.
    pub(crate) fn wait(&self) -> bool {
        let begin = || (Instant::now(), self.writers.wait());
        let since = self.since().get_or_insert_with(begin).0;
        let moment = self.cancelled.run_until_cancelled(sleep(MOMENT));
        let passed = Handle::current().block_on(moment);
        passed.is_some() && since.elapsed() < self.writers.patience + MARGIN
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// The statement has ended.
    pub(crate) fn end(&self) {
        self.since().take();
    }

    fn since(&self) -> MutexGuard<'_, Option<(Instant, Waiting)>> {
        self.since.lock().expect("no holder panics")
    }
}
