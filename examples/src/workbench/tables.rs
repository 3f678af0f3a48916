//! Which tables there are.

use rusqlite::{Connection, Row};
use serde::Serialize;

/// A table or view as a connection sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    name: String,
    /// Whether it is the session's own and ends with it.
    temporary: bool,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: String,
    r#type: String,
}

/// Lists them: the session's own first, then those of all by name. Blocks.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut tables = connection.prepare(
        "SELECT name, 1 AS temporary FROM sqlite_temp_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         UNION ALL
         SELECT name, 0 FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY temporary DESC, name",
    )?;
    let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info(?1, ?2)")?;
    let table = |row: &Row<'_>| {
        let (name, temporary) = (row.get::<_, String>(0)?, row.get(1)?);
        let column = |row: &Row<'_>| {
            Ok(Column {
                name: row.get(0)?,
                r#type: row.get(1)?,
            })
        };
        let columns =
            columns.query_map((&name, if temporary { "temp" } else { "main" }), column)?;
        // A view may name tables that are gone: it is listed without columns.
        let columns = columns.collect::<Result<_, _>>().unwrap_or_default();
        Ok(Table {
            name,
            temporary,
            columns,
        })
    };
    tables.query_map([], table)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_tables_come_first_and_a_broken_view_breaks_nothing() {
        let connection = Connection::open_in_memory().expect("memory opens");
        connection
            .execute_batch(
                "CREATE TABLE b (x INTEGER, y TEXT);
                 CREATE VIEW a AS SELECT * FROM gone;
                 CREATE TEMP TABLE z (w);
                 CREATE TABLE keyed (id INTEGER PRIMARY KEY AUTOINCREMENT);",
            )
            .expect("it is SQL");
        let tables = list(&connection).expect("they are listed");
        let shown: Vec<_> = tables
            .iter()
            .map(|table| (&*table.name, table.temporary, table.columns.len()))
            .collect();
        assert_eq!(
            shown,
            [
                ("z", true, 1),
                ("a", false, 0),
                ("b", false, 2),
                ("keyed", false, 1)
            ]
        );
    }
}
