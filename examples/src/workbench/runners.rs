//! The queries of one session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use session_core::{ExclusiveGuard, InitContext, Session, SessionEnded};

use super::connection::Connection;
use super::database::Database;
use super::runner::Runner;

/// So many results stay readable, the latest ones.
const KEPT: usize = 8;

/// The queries that a session runs, and the last ones that ran.
#[derive(Debug)]
pub(crate) struct RunnerRegistry {
    runners: Mutex<VecDeque<Arc<Runner>>>,
    next_id: AtomicU64,
    scratch: PathBuf,
    /// What the connection said after its last statement: to ask it now would be to wait for it.
    in_transaction: Arc<AtomicBool>,
}

impl RunnerRegistry {
    /// The initialiser.
    pub(crate) fn new(cx: &InitContext<Database>) -> Self {
        Self {
            runners: Mutex::default(),
            next_id: AtomicU64::new(1),
            scratch: cx.state().scratch().to_owned(),
            in_transaction: Arc::default(),
        }
    }

    /// Starts a query on the connection, which it holds until it stops.
    pub(crate) fn start(
        &self,
        session: &Session,
        connection: ExclusiveGuard<Connection>,
        sql: String,
    ) -> Result<Arc<Runner>, SessionEnded> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let runner = Runner::new(
            id,
            session,
            sql,
            &self.scratch,
            Arc::clone(&self.in_transaction),
        );
        let runner = Arc::new(runner);
        runner.start(session, connection)?;
        let mut runners = self.runners();
        runners.push_back(Arc::clone(&runner));
        // Only the one with the connection runs, and it is among the latest.
        let forgotten = runners.len().saturating_sub(KEPT);
        let forgotten: Vec<_> = runners.drain(..forgotten).collect();
        drop(runners);
        drop(forgotten);
        Ok(runner)
    }

    /// The runner of that id, unless it is too long ago.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Runner>> {
        self.runners()
            .iter()
            .find(|runner| runner.id() == id)
            .cloned()
    }

    /// All there are, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Runner>> {
        self.runners().iter().cloned().collect()
    }

    /// Whether the session has a transaction open.
    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    fn runners(&self) -> MutexGuard<'_, VecDeque<Arc<Runner>>> {
        self.runners.lock().expect("no holder panics")
    }
}
