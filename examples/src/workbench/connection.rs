//! A session's own connection: its temp tables, its open transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::{Batch, ErrorCode, Statement};
use session_core::{InitContext, LocalSession as _};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::spill::{Spill, SpillError};
use super::{blocking, sandbox, sqlite_message};

/// A connection, and whose it is for the log.
#[derive(Debug)]
pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
    /// The session's serial, for the log.
    session: u64,
}

/// Why a query did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("the query was cancelled")]
    Cancelled,
    #[error(
        "{}: a statement reaches no other file, no setting and no new virtual table, looks at tables with PRAGMA, \
         and calls up to {} functions",
        sqlite_message(.0),
        sandbox::CALLS
    )]
    Refused(rusqlite::Error),
    #[error("{}", sqlite_message(.0))]
    Sql(rusqlite::Error),
    #[error(transparent)]
    Spill(#[from] SpillError),
    #[error("the query panicked")]
    Panicked,
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::Cancelled,
            Some(ErrorCode::AuthorizationForStatementDenied) => Self::Refused(error),
            // It has no code for a function.
            _ if sqlite_message(&error).starts_with("not authorized") => Self::Refused(error),
            _ => Self::Sql(error),
        }
    }
}

impl QueryError {
    /// Somebody asked for it otherwise.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Cancelled)
    }

    /// Another session holds what the statement needs: it may work a little later.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
    }
}

/// The initialiser: opens the connection on first use.
pub(crate) async fn open(cx: &InitContext<Database>) -> rusqlite::Result<Connection> {
    let database = cx.state().clone();
    let session = cx.session().serial();
    tracing::debug!(session, "connection opening");
    let opened = blocking(move || database.open()).await;
    match &opened {
        Ok(_) => tracing::info!(session, "connection opened"),
        Err(error) => tracing::error!(session, %error, "connection failed to open"),
    }
    Ok(Connection {
        sqlite: opened?,
        session,
    })
}

/// The close hook: what was not committed is taken back, then the connection is closed.
pub(crate) async fn close(connection: Connection) -> rusqlite::Result<()> {
    blocking(move || {
        let Connection { sqlite, session } = connection;
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

    /// Runs the statements one after the other and gives the number of rows they changed. Blocks.
    ///
    /// `spilled` has the rows of the last statement that has any; `on_page` is called when a page gets its first.
    pub(crate) fn run(
        &mut self,
        sql: &str,
        cancelled: CancellationToken,
        spilled: &Spill,
        on_page: impl Fn(),
    ) -> Result<u64, QueryError> {
        // Asked every hundred steps of SQLite's machine. An interrupt from outside would be lost between two
        // statements, or before the first.
        self.sqlite
            .progress_handler(100, Some(move || cancelled.is_cancelled()))?;
        let calls = Arc::default();
        self.sqlite
            .authorizer(Some(sandbox::authorizer(Arc::clone(&calls))))?;
        let result = self.step(sql, &calls, spilled, on_page);
        self.sqlite.progress_handler(0, None::<fn() -> bool>)?;
        self.sqlite
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        result
    }

    fn step(
        &self,
        sql: &str,
        calls: &AtomicU32,
        spilled: &Spill,
        on_page: impl Fn(),
    ) -> Result<u64, QueryError> {
        let before = self.sqlite.total_changes();
        let mut statements = Batch::new(&self.sqlite, sql);
        while let Some(mut statement) = statements.next()? {
            calls.store(0, Ordering::Relaxed);
            // The columns are known after the first step: if the tables have changed since the statement was
            // prepared, that prepares it again.
            let mut begun = false;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                if !begun {
                    spilled.begin(columns(row.as_ref()))?;
                    begun = true;
                }
                if spilled.push(row)? {
                    on_page();
                }
            }
            drop(rows);
            if !begun && statement.column_count() > 0 {
                spilled.begin(columns(&statement))?;
            }
        }
        Ok(self.sqlite.total_changes() - before)
    }

    /// The connection itself, for a look at what it sees.
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        &self.sqlite
    }
}

fn columns(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}
