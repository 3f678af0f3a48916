//! A session's own connection: its temp tables, its open transaction.

use std::sync::Mutex;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, ErrorCode};
use session_core::{InitContext, SessionId};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::spill::{Spill, SpillError};
use super::{blocking, sqlite_message};

/// A connection, and whose it is for the log.
#[derive(Debug)]
pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
    session: SessionId,
}

/// Why a query did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("the query was cancelled")]
    Cancelled,
    #[error("{}", sqlite_message(.0))]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Spill(#[from] SpillError),
    #[error("the query panicked")]
    Panicked,
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
    let session = cx.session().id();
    tracing::debug!(?session, "connection opening");
    let opened = blocking(move || database.open()).await;
    match &opened {
        Ok(_) => tracing::info!(?session, "connection opened"),
        Err(error) => tracing::error!(?session, %error, "connection failed to open"),
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
            tracing::info!(?session, "transaction rolled back");
        }
        sqlite.close().map_err(|(_, error)| error)?;
        tracing::info!(?session, "connection closed");
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
        spilled: &Mutex<Spill>,
        on_page: impl Fn(),
    ) -> Result<u64, QueryError> {
        // Asked every thousand steps of SQLite's machine. An interrupt from outside would be lost between two
        // statements, or before the first.
        self.sqlite
            .progress_handler(1000, Some(move || cancelled.is_cancelled()))?;
        let result = self.step(sql, spilled, on_page);
        self.sqlite.progress_handler(0, None::<fn() -> bool>)?;
        match result {
            Err(QueryError::Sql(error))
                if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                Err(QueryError::Cancelled)
            }
            result => result,
        }
    }

    fn step(
        &self,
        sql: &str,
        spilled: &Mutex<Spill>,
        on_page: impl Fn(),
    ) -> Result<u64, QueryError> {
        let before = self.sqlite.total_changes();
        let mut statements = Batch::new(&self.sqlite, sql);
        while let Some(mut statement) = statements.next()? {
            if statement.column_count() > 0 {
                let columns = statement.column_names().map(str::to_owned).collect();
                spilled.lock().expect("no holder panics").begin(columns)?;
            }
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                if spilled.lock().expect("no holder panics").push(row)? {
                    on_page();
                }
            }
        }
        Ok(self.sqlite.total_changes() - before)
    }

    /// The connection itself, for a look at what it sees.
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        &self.sqlite
    }
}
