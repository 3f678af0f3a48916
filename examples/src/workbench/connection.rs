//! A session's own connection, with its temp tables and its open transaction.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::ErrorCode;
use rusqlite::hooks::{AuthContext, Authorization};
use session_core::{InitContext, LocalSession as _};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::execution::Execution;
use super::sandbox::{self, Watch};
use super::spill::{Spill, SpillError};
use super::writers::Turn;
use super::{blocking, sqlite_message};

/// A connection, and the session that owns it.
#[derive(Debug)]
pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
    database: Database,
    /// The session's serial, for the log.
    session: u64,
    /// Set if its transaction was rolled back for others, and no query has been told so yet.
    rolled_back: bool,
}

/// The reason why a query did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("the query was cancelled")]
    Cancelled,
    #[error(
        "{}: a statement reaches no other file, no setting and no new virtual table, looks at tables with PRAGMA, \
         calls up to {} functions, and makes tables of up to 1 MiB of text in all",
        .0.message,
        sandbox::CALLS
    )]
    Refused(SqlError),
    #[error("{}", .0.message)]
    Sql(SqlError),
    #[error(
        "this statement was not run: your transaction was rolled back, since it was idle for long and others waited"
    )]
    RolledBack,
    #[error("another query found no memory, and this one has run longest")]
    CrowdedOut,
    #[error(
        "a table computes too much by itself: a statement may add up to {} function calls in generated columns, \
         checks, defaults and indexes",
        sandbox::SCHEMA_CALLS
    )]
    TooManyCalls,
    #[error(transparent)]
    Spill(#[from] SpillError),
    #[error("the query panicked")]
    Panicked,
}

/// SQLite's error, without the statement that it would keep.
#[derive(Debug)]
pub(crate) struct SqlError {
    code: Option<ErrorCode>,
    message: String,
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        let error = SqlError {
            code: error.sqlite_error_code(),
            message: sqlite_message(&error),
        };
        match error.code {
            Some(ErrorCode::OperationInterrupted) => Self::Cancelled,
            Some(ErrorCode::AuthorizationForStatementDenied) => Self::Refused(error),
            // SQLite has no code for a refused function.
            _ if error.message.starts_with("not authorized") => Self::Refused(error),
            _ => Self::Sql(error),
        }
    }
}

impl QueryError {
    /// Whether the query failed. A cancelled one did not: a client asked for it.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Cancelled)
    }

    /// Whether another session holds what the statement needs, so that it may work a little later.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Sql(error) if error.code == Some(ErrorCode::DatabaseBusy))
    }
}

/// The initializer: opens the connection on first use.
pub(crate) async fn open(cx: &InitContext<Database>) -> rusqlite::Result<Connection> {
    let database = cx.state().clone();
    let session = cx.session().serial();
    tracing::debug!(session, "connection opening");
    let opening = database.clone();
    let opened = blocking(move || opening.open()).await;
    match &opened {
        Ok(_) => tracing::info!(session, "connection opened"),
        Err(error) => tracing::error!(session, %error, "connection failed to open"),
    }
    Ok(Connection {
        sqlite: opened?,
        database,
        session,
        rolled_back: false,
    })
}

/// The close hook: rolls back uncommitted changes, then closes the connection.
pub(crate) async fn close(connection: Connection) -> rusqlite::Result<()> {
    blocking(move || {
        let Connection {
            sqlite, session, ..
        } = connection;
        if !sqlite.is_autocommit() {
            sqlite.execute_batch("ROLLBACK")?;
            tracing::info!(session, "transaction rolled back");
        }
        sqlite.close().map_err(|(_, error)| error)?;
        tracing::info!(session, "connection closed");
        Ok(())
    })
    .await
}

impl Connection {
    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.sqlite.is_autocommit()
    }

    /// Rolls back the transaction if others wait for its end, and returns whether it did. The next query is told so.
    /// Blocks.
    pub(crate) fn roll_back_for_others(&mut self) -> rusqlite::Result<bool> {
        let state = self.sqlite.transaction_state(Some("main"))?;
        let in_the_way = self.database.writers().wait_for(state);
        if in_the_way {
            self.sqlite.execute_batch("ROLLBACK")?;
            self.rolled_back = true;
            tracing::info!(session = self.session, "transaction rolled back for others");
        }
        Ok(in_the_way)
    }

    /// How long its transaction may be idle while others wait.
    pub(crate) fn patience(&self) -> Duration {
        self.database.writers().patience
    }

    /// Runs the statements one after the other and returns the number of rows they changed. Blocks.
    ///
    /// `spilled` has the rows of the last statement that has any. `on_page` is called when a page gets its first row.
    pub(crate) fn run(
        &mut self,
        sql: &str,
        cancelled: CancellationToken,
        spilled: &Spill,
        on_page: impl Fn(),
    ) -> Result<u64, QueryError> {
        if std::mem::take(&mut self.rolled_back) {
            return Err(QueryError::RolledBack);
        }
        let database = self.database.clone();
        let has_room_for_tables = database.has_room_for_tables(&self.sqlite)?;
        let watch = Arc::new(Watch::new(has_room_for_tables));
        let turn = Arc::new(Turn::new(database.writers(), cancelled.clone()));
        // Called every hundred steps of SQLite's virtual machine. An interrupt from outside would be lost between two
        // statements, or before the first.
        let (stop, waiting) = (cancelled.clone(), Arc::clone(&turn));
        self.sqlite
            .progress_handler(100, Some(move || stop.is_cancelled()))?;
        self.sqlite
            .busy_handler(Some(move |_attempts| waiting.wait()))?;
        self.sqlite
            .authorizer(Some(sandbox::authorizer(Arc::clone(&watch))))?;
        let execution = Execution {
            sqlite: &self.sqlite,
            running: database.statements().begin(cancelled),
            watch: &watch,
            turn: &turn,
            spilled,
            on_page,
        };
        let result = execution.run(sql);
        self.sqlite.progress_handler(0, None::<fn() -> bool>)?;
        self.sqlite.busy_handler(None::<fn(i32) -> bool>)?;
        self.sqlite
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        result
    }

    /// The connection itself, for reading what it sees.
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        &self.sqlite
    }
}
