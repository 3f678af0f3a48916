//! One query that runs, or ran, on the session's connection.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::value::RawValue;
use session_core::{ExclusiveGuard, LocalSession, Session, SessionEnded};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::blocking;
use super::connection::{Connection, QueryError};
use super::spill::Spill;

const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// A query with the rows it has found so far. It holds the connection while it runs.
#[derive(Debug)]
pub(crate) struct Runner {
    id: u64,
    /// The session's serial, for the log.
    session: u64,
    sql: String,
    /// The session's end, and by that or by itself the query's.
    ended: CancellationToken,
    stop: CancellationToken,
    spill: Spill,
    /// Sent when it changes, and when a page gets its first row.
    state: watch::Sender<State>,
    in_transaction: Arc<AtomicBool>,
}

/// How far a runner is.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Running,
    Done { changes: u64 },
    Failed(Arc<QueryError>),
}

/// What can be told of a runner at a glance.
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
        in_transaction: Arc<AtomicBool>,
    ) -> Self {
        let ended = session.completion_token();
        Self {
            id,
            session: session.serial(),
            sql,
            stop: ended.child_token(),
            ended,
            spill: Spill::new(scratch),
            state: watch::Sender::new(State::Running),
            in_transaction,
        }
    }

    /// Runs the query on a task of the session, so that the session's cleanup waits for it.
    pub(crate) fn start(
        self: &Arc<Self>,
        session: &Session,
        connection: ExclusiveGuard<Connection>,
    ) -> Result<(), SessionEnded> {
        let runner = Arc::clone(self);
        session.spawn(move |_| async move {
            let here = Arc::clone(&runner);
            let ran = spawn_blocking(move || here.run(connection)).await;
            if ran.is_err() {
                let panicked = State::Failed(Arc::new(QueryError::Panicked));
                runner.state.send_replace(panicked);
            }
        })?;
        Ok(())
    }

    fn run(&self, mut connection: ExclusiveGuard<Connection>) {
        tracing::info!(session = self.session, runner = self.id, "runner started");
        let on_page = || self.state.send_modify(|_| ());
        let state = match connection.run(&self.sql, self.stop.clone(), &self.spill, on_page) {
            Ok(changes) => State::Done { changes },
            Err(error) => State::Failed(Arc::new(error)),
        };
        // Relaxed: the send below publishes it to those who wait for the end.
        self.in_transaction
            .store(connection.in_transaction(), Ordering::Relaxed);
        tracing::info!(
            session = self.session,
            runner = self.id,
            state = state.word(),
            "runner stopped"
        );
        // Who waits for the end finds the connection free.
        drop(connection);
        self.state.send_replace(state);
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// Asks the query to stop; it does so within moments.
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

    /// Nobody waits longer than the session lasts: a query may take its time to stop.
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

    /// How far the query is: now, whenever that changes, and in the end.
    pub(crate) fn progress(self: Arc<Self>) -> impl Stream<Item = Summary> + Send {
        let mut changes = self.state.subscribe();
        changes.mark_changed();
        stream::unfold(Some((self, changes)), async |next| {
            let (runner, mut changes) = next?;
            changes.changed().await.ok()?;
            // Pages come faster than anybody looks.
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
