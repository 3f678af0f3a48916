//! One query that is running, or ran, on the session's connection.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::value::RawValue;
use session_axum::Props;
use session_core::{ExclusiveGuard, LocalSession, Session, SessionEnded};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connection::{Connection, QueryError};
use super::set::Workbench;
use super::spill::Spill;
use super::{blocking, idle_transaction};

/// The bytes kept of a query that failed.
const KEPT_CHARACTERS: usize = 500;
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// A query with the rows it has found so far. It holds the connection while it runs.
#[derive(Debug)]
pub(crate) struct Runner {
    id: u64,
    /// The session's serial, for the log.
    session: u64,
    /// The text. Only the beginning of a query that failed is kept.
    sql: Mutex<Arc<String>>,
    /// The session's completion token. `stop`, its child, stops the query: with the session, or alone.
    ended: CancellationToken,
    stop: CancellationToken,
    spill: Spill,
    /// Sent when the state changes, and when a page gets its first row.
    state: watch::Sender<State>,
    transaction: Arc<Transaction>,
}

/// The session's transaction as of the connection's last statement. Asking the connection now would wait for it.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) is_open: AtomicBool,
    /// Set if it was rolled back for others, and no query has been told so yet.
    pub(crate) is_rolled_back: AtomicBool,
}

/// The progress of a runner.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Running,
    Done { changes: u64 },
    Failed(Arc<QueryError>),
}

/// The summary of a runner.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    id: u64,
    state: &'static str,
    columns: Vec<String>,
    /// Rows and pages so far.
    total: u64,
    pages: usize,
    /// Rows inserted, updated or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Runner {
    pub(crate) fn new(
        id: u64,
        session: &Session,
        sql: String,
        scratch: &Path,
        transaction: Arc<Transaction>,
    ) -> Self {
        let ended = session.completion_token();
        Self {
            id,
            session: session.serial(),
            sql: Mutex::new(Arc::new(sql)),
            stop: ended.child_token(),
            ended,
            spill: Spill::new(scratch),
            state: watch::Sender::new(State::Running),
            transaction,
        }
    }

    /// Runs the query on a task of the session, so that the session's cleanup waits for it. The task then watches the
    /// transaction, if the query has left one open.
    pub(crate) fn start(
        self: &Arc<Self>,
        session: &Session,
        workbench: Props<Workbench>,
        connection: ExclusiveGuard<Connection>,
    ) -> Result<(), SessionEnded> {
        let runner = Arc::clone(self);
        let patience = connection.patience();
        session.spawn(move |ended| async move {
            let here = Arc::clone(&runner);
            let ran = spawn_blocking(move || here.run(connection)).await;
            if ran.is_err() {
                let panicked = State::Failed(Arc::new(QueryError::Panicked));
                runner.state.send_replace(panicked);
            }
            let watch = idle_transaction::watch(&workbench, runner.id, patience);
            let _ended = ended.run_until_cancelled(watch).await;
        })?;
        Ok(())
    }

    fn run(&self, mut connection: ExclusiveGuard<Connection>) {
        tracing::info!(session = self.session, runner = self.id, "runner started");
        let on_page = || self.state.send_modify(|_| ());
        let sql = self.sql();
        let state = match connection.run(&sql, self.stop.clone(), &self.spill, on_page) {
            Ok(changes) => State::Done { changes },
            Err(error) => {
                *self.lock_sql() = beginning(&sql);
                State::Failed(Arc::new(error))
            }
        };
        // Relaxed: the send below publishes it to the callers that wait for the end.
        let transaction = &self.transaction;
        let is_open = connection.in_transaction();
        transaction.is_open.store(is_open, Ordering::Relaxed);
        transaction.is_rolled_back.store(false, Ordering::Relaxed);
        tracing::info!(
            session = self.session,
            runner = self.id,
            state = state.word(),
            "runner stopped"
        );
        // A caller that waits for the end finds the connection free.
        drop(connection);
        self.state.send_replace(state);
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn sql(&self) -> Arc<String> {
        Arc::clone(&self.lock_sql())
    }

    fn lock_sql(&self) -> MutexGuard<'_, Arc<String>> {
        self.sql.lock().expect("no holder panics")
    }

    /// Asks the query to stop, which it does within moments.
    pub(crate) fn cancel(&self) {
        self.stop.cancel();
    }

    /// Cancels the query unless the guard is disarmed.
    pub(crate) fn cancel_on_drop(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Waits for the end of the query.
    pub(crate) async fn stopped(&self) -> Result<State, SessionEnded> {
        self.wait(|state| !matches!(state, State::Running)).await
    }

    /// Waits for the first row of a page, counted from 0, or for the end of the query.
    pub(crate) async fn reached(&self, page: usize) -> Result<(), SessionEnded> {
        self.wait(|state| !matches!(state, State::Running) || page < self.spill.pages())
            .await?;
        Ok(())
    }

    /// No caller waits longer than the session lasts, since a query may take a while to stop.
    async fn wait(&self, until: impl Fn(&State) -> bool) -> Result<State, SessionEnded> {
        let mut state = self.state.subscribe();
        if until(&state.borrow_and_update()) {
            return Ok(state.borrow().clone());
        }
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Err(SessionEnded),
            state = state.wait_for(until) => Ok(state.expect("the sender is `self`'s").clone()),
        }
    }

    /// The query's progress: now, whenever it changes, and at the end.
    pub(crate) fn progress(self: Arc<Self>) -> impl Stream<Item = Summary> + Send {
        let mut changes = self.state.subscribe();
        changes.mark_changed();
        stream::unfold(Some((self, changes)), async |next| {
            let (runner, mut changes) = next?;
            changes.changed().await.ok()?;
            // Pages arrive faster than a client reads them.
            sleep(PROGRESS_EVERY).await;
            let running = matches!(*changes.borrow_and_update(), State::Running);
            let summary = runner.summary();
            Some((summary, running.then_some((runner, changes))))
        })
    }

    /// The rows of a page as a JSON array; `None` if it is not there.
    pub(crate) async fn page(self: &Arc<Self>, page: usize) -> io::Result<Option<Box<RawValue>>> {
        let runner = Arc::clone(self);
        blocking(move || runner.spill.page(page)).await
    }

    pub(crate) fn summary(&self) -> Summary {
        let state = self.state.borrow().clone();
        let (changes, error) = match &state {
            State::Running => (None, None),
            State::Done { changes } => (Some(*changes), None),
            State::Failed(error) => (None, error.is_failure().then(|| error.to_string())),
        };
        let found = self.spill.found();
        Summary {
            id: self.id,
            state: state.word(),
            columns: found.columns,
            total: found.rows,
            pages: found.pages,
            changes,
            error,
        }
    }
}

/// As much of the text as shows which query it was.
fn beginning(sql: &Arc<String>) -> Arc<String> {
    match sql.char_indices().nth(KEPT_CHARACTERS) {
        Some((end, _)) => Arc::new(format!("{}…", &sql[..end])),
        None => Arc::clone(sql),
    }
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done { .. } => "done",
            Self::Failed(error) if error.is_failure() => "failed",
            Self::Failed(_) => "cancelled",
        }
    }
}
