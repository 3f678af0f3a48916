//! The queries of one session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use session_axum::Props;
use session_core::{ExclusiveGuard, InitContext, Session, SessionEnded};

use super::connection::Connection;
use super::database::Database;
use super::runner::{Runner, Transaction};
use super::set::Workbench;

/// How many of the latest results stay readable.
const KEPT: usize = 8;

/// The queries that a session is running, and the last ones that ran.
#[derive(Debug)]
pub(crate) struct RunnerRegistry {
    runners: Mutex<VecDeque<Arc<Runner>>>,
    next_id: AtomicU64,
    scratch: PathBuf,
    transaction: Arc<Transaction>,
}

impl RunnerRegistry {
    /// The initializer.
    pub(crate) fn new(cx: &InitContext<Database>) -> Self {
        Self {
            runners: Mutex::default(),
            next_id: AtomicU64::new(1),
            scratch: cx.state().scratch().to_owned(),
            transaction: Arc::default(),
        }
    }

    /// Starts a query on the connection, which it holds until it stops.
    pub(crate) fn start(
        &self,
        session: &Session,
        workbench: &Props<Workbench>,
        connection: ExclusiveGuard<Connection>,
        sql: String,
    ) -> Result<Arc<Runner>, SessionEnded> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let runner = Runner::new(
            id,
            session,
            sql,
            &self.scratch,
            Arc::clone(&self.transaction),
        );
        let runner = Arc::new(runner);
        runner.start(session, workbench.clone(), connection)?;
        let mut runners = self.runners();
        runners.push_back(Arc::clone(&runner));
        // Only the query that holds the connection runs, and it is among the latest.
        let forgotten = runners.len().saturating_sub(KEPT);
        let forgotten: Vec<_> = runners.drain(..forgotten).collect();
        drop(runners);
        drop(forgotten);
        Ok(runner)
    }

    /// The runner with this id, unless it is too old.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Runner>> {
        self.runners()
            .iter()
            .find(|runner| runner.id() == id)
            .cloned()
    }

    /// All runners, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Runner>> {
        self.runners().iter().cloned().collect()
    }

    /// The id of the query that was started last.
    pub(crate) fn latest(&self) -> u64 {
        // Acquire: a thread that sees the transaction open, or the connection free, also sees the query that caused it.
        self.next_id.load(Ordering::Acquire) - 1
    }

    /// Whether the session has a transaction open.
    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.is_open.load(Ordering::Relaxed)
    }

    /// Whether the last transaction was rolled back for others, and no query has been told so since.
    pub(crate) fn is_rolled_back(&self) -> bool {
        self.transaction.is_rolled_back.load(Ordering::Relaxed)
    }

    pub(crate) fn set_rolled_back(&self) {
        self.transaction.is_open.store(false, Ordering::Relaxed);
        self.transaction
            .is_rolled_back
            .store(true, Ordering::Relaxed);
    }

    fn runners(&self) -> MutexGuard<'_, VecDeque<Arc<Runner>>> {
        self.runners.lock().expect("no holder panics")
    }
}
