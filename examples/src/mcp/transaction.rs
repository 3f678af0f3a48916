//! A SQLite transaction that stays open from call to call.

use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use session_core::{InitContext, LocalSession as _};
use tokio::task::spawn_blocking;

use super::Database;

/// The number of rows that a query returns at most.
const ROWS: usize = 100;

pub(super) struct Transaction {
    sqlite: rusqlite::Connection,
    /// The session's serial, for the log.
    session: u64,
}

impl Transaction {
    pub(super) async fn begin(cx: &InitContext<Database>) -> Result<Self, rusqlite::Error> {
        let path = cx.state().path.clone();
        let session = cx.session().serial();
        let open = move || {
            let sqlite = rusqlite::Connection::open(path)?;
            sqlite.execute_batch("BEGIN")?;
            Ok(Self { sqlite, session })
        };
        spawn_blocking(open).await.expect("it does not panic")
    }

    /// Runs a statement, and returns its rows as JSON.
    pub(super) fn query(&mut self, sql: &str) -> Result<String, rusqlite::Error> {
        let mut statement = self.sqlite.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|column| row.get_ref(column).map(to_json));
            values.collect::<Result<Vec<Value>, _>>()
        })?;
        let rows: Result<Vec<_>, _> = rows.take(ROWS).collect();
        Ok(json!(rows?).to_string())
    }

    /// Commits, and begins the next transaction.
    pub(super) fn commit(&mut self) -> Result<(), rusqlite::Error> {
        self.sqlite.execute_batch("COMMIT; BEGIN")
    }

    pub(super) async fn roll_back(self) -> Result<(), rusqlite::Error> {
        let Self { sqlite, session } = self;
        let rolled_back = spawn_blocking(move || sqlite.execute_batch("ROLLBACK")).await;
        rolled_back.expect("it does not panic")?;
        tracing::info!(session, "transaction rolled back");
        Ok(())
    }
}

fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => json!(integer),
        ValueRef::Real(real) => json!(real),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(blob) => json!(format!("{} bytes", blob.len())),
    }
}
