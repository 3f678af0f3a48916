//! The statements of one query, run one after the other.

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Row, Statement};

use super::connection::QueryError;
use super::sandbox::Watch;
use super::spill::{Spill, SpillError};
use super::statements::Running;
use super::writers::Turn;

pub(crate) struct Execution<'a, F> {
    pub(crate) sqlite: &'a rusqlite::Connection,
    pub(crate) running: Running<'a>,
    pub(crate) watch: &'a Watch,
    pub(crate) turn: &'a Turn,
    /// Receives the rows of the last statement that has any.
    pub(crate) spilled: &'a Spill,
    /// Called when a page gets its first row.
    pub(crate) on_page: F,
}

impl<F: Fn()> Execution<'_, F> {
    /// Returns the number of changed rows.
    pub(crate) fn run(self, sql: &str) -> Result<u64, QueryError> {
        match self.run_all(sql) {
            // SQLite stopped waiting because of the cancellation.
            Err(error) if error.is_busy() && self.turn.is_cancelled() => Err(QueryError::Cancelled),
            Err(QueryError::Cancelled) if self.running.was_crowded_out() => {
                Err(QueryError::CrowdedOut)
            }
            result => result,
        }
    }

    fn run_all(&self, sql: &str) -> Result<u64, QueryError> {
        let before = self.sqlite.total_changes();
        let mut statements = Batch::new(self.sqlite, sql);
        loop {
            self.watch.begin();
            let next = self.running.with_room(|| statements.next())?;
            let Some(mut statement) = next else {
                return Ok(self.sqlite.total_changes() - before);
            };
            if !self.watch.lets_run(&statement) {
                return Err(QueryError::TooManyCalls);
            }
            self.run_one(&mut statement)?;
            self.turn.end();
        }
    }

    fn run_one(&self, statement: &mut Statement<'_>) -> Result<(), QueryError> {
        let in_transaction = !self.sqlite.is_autocommit();
        // The columns are known after the first step, which prepares the statement again if the tables have changed
        // since.
        let mut begun = false;
        self.running.with_room(|| {
            let mut rows = statement.raw_query();
            loop {
                let row = match rows.next() {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(Ok::<_, QueryError>(())),
                    // The statement has left nothing behind, so it can be tried again.
                    Err(error) if !begun && in_transaction != self.sqlite.is_autocommit() => {
                        return Err(error);
                    }
                    Err(error) => return Ok(Err(error.into())),
                };
                if let Err(error) = self.keep(row, &mut begun) {
                    return Ok(Err(error.into()));
                }
            }
        })??;
        if !begun && statement.column_count() > 0 {
            self.spilled.begin(columns(statement))?;
        }
        Ok(())
    }

    fn keep(&self, row: &Row<'_>, begun: &mut bool) -> Result<(), SpillError> {
        if !*begun {
            self.spilled.begin(columns(row.as_ref()))?;
            *begun = true;
        }
        if self.spilled.push(row)? {
            (self.on_page)();
        }
        Ok(())
    }
}

fn columns(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}
