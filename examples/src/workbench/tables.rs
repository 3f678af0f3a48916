//! The list of tables.

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

/// The tables, up to the limit of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Tables {
    tables: Vec<Table>,
    /// Whether there are more than are listed.
    more: bool,
}

/// The maximum bytes of names in a list. A column's name counts for a few more.
const MOST_BYTES: usize = 512 << 10;
const COLUMN_BYTES: usize = 32;

/// Lists the tables, the session's own first and then the shared ones, by name. Blocks.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Tables> {
    let mut names = connection.prepare(
        "SELECT name, 1 AS temporary FROM sqlite_temp_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         UNION ALL
         SELECT name, 0 FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY temporary DESC, name",
    )?;
    // Generated columns are hidden with another number than the hidden columns of virtual tables.
    let mut columns = connection
        .prepare("SELECT name, type FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1")?;
    let mut tables = Vec::new();
    let mut bytes = 0;
    let mut rows = names.query([])?;
    while let Some(row) = rows.next()? {
        let (name, temporary) = (row.get::<_, String>(0)?, row.get(1)?);
        let column = |row: &Row<'_>| {
            Ok(Column {
                name: row.get(0)?,
                r#type: row.get(1)?,
            })
        };
        let schema = if temporary { "temp" } else { "main" };
        let columns = columns.query_map((&name, schema), column)?;
        // A view may name a table that is gone, and a virtual table a missing module. Both are listed without columns.
        let columns: Vec<_> = columns.collect::<Result<_, _>>().unwrap_or_default();
        let of_column = |column: &Column| column.name.len() + column.r#type.len() + COLUMN_BYTES;
        bytes += name.len() + columns.iter().map(of_column).sum::<usize>();
        if bytes > MOST_BYTES {
            return Ok(Tables { tables, more: true });
        }
        tables.push(Table {
            name,
            temporary,
            columns,
        });
    }
    Ok(Tables {
        tables,
        more: false,
    })
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
                 CREATE TABLE keyed (id INTEGER PRIMARY KEY AUTOINCREMENT, twice AS (id * 2));",
            )
            .expect("it is SQL");
        let tables = list(&connection).expect("they are listed");
        assert!(!tables.more);
        let tables = tables.tables.iter();
        let shown: Vec<_> = tables
            .map(|table| (&*table.name, table.temporary, table.columns.len()))
            .collect();
        assert_eq!(
            shown,
            [
                ("z", true, 1),
                ("a", false, 0),
                ("b", false, 2),
                ("keyed", false, 2)
            ]
        );
    }
}
