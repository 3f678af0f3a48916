//! CSV into a table: each column gets the narrowest affinity that loses nothing.

use std::io::{Read, Seek};

use csv::StringRecord;
use rusqlite::types::Null;
use rusqlite::{ToSql, Transaction, params_from_iter};

use super::sqlite_message;

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Not CSV, or not well-formed: binary data, rows of different lengths.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// No header line, so no columns.
    #[error("the file is empty")]
    Empty,
    /// What SQLite says of the columns, such as that two have one name.
    #[error("{}", sqlite_message(.0))]
    Sqlite(#[from] rusqlite::Error),
}

/// Loads `source` into a new table called `table` and gives the number of rows.
///
/// The first line names the columns. An empty field is `NULL`. The file is read twice, to look and to load, so
/// that its size is not the memory's.
pub(crate) fn import(
    transaction: &Transaction<'_>,
    table: &str,
    source: impl Read + Seek,
) -> Result<usize, ImportError> {
    let mut reader = csv::Reader::from_reader(source);
    let columns = reader.headers()?.clone();
    if columns.is_empty() {
        return Err(ImportError::Empty);
    }
    let data = reader.position().clone();

    let mut affinities = vec![None; columns.len()];
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        for (affinity, field) in affinities.iter_mut().zip(&record) {
            *affinity = (*affinity).max(Affinity::of(field));
        }
    }
    let affinities: Vec<_> = affinities
        .into_iter()
        .map(|affinity| affinity.unwrap_or(Affinity::Text))
        .collect();
    transaction.execute_batch(&create_table(table, &columns, &affinities))?;

    let places = vec!["?"; columns.len()].join(", ");
    let mut insert =
        transaction.prepare(&format!("INSERT INTO {} VALUES ({places})", quoted(table)))?;
    reader.seek(data)?;
    let mut rows = 0;
    while reader.read_record(&mut record)? {
        // The column's affinity turns the text of a number into the number.
        insert.execute(params_from_iter(record.iter().map(
            |field| -> Box<dyn ToSql + '_> {
                if field.is_empty() {
                    Box::new(Null)
                } else {
                    Box::new(field)
                }
            },
        )))?;
        rows += 1;
    }
    Ok(rows)
}

/// The table's name for a file's: `seattle-weather` is `seattle_weather`, so that SQL needs no quotes.
pub(crate) fn table_name(stem: &str) -> String {
    let mut name: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    if !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}

/// The types that a column can have, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Affinity {
    Integer,
    Real,
    Text,
}

impl Affinity {
    /// What a field needs; `None` if it is empty and fits everywhere.
    fn of(field: &str) -> Option<Self> {
        let digits = field.strip_prefix('-').unwrap_or(field);
        let mut starts = digits.chars();
        Some(match (starts.next(), starts.next()) {
            (None, _) if field.is_empty() => return None,
            // `00401` is a code: a number would lose its zeros.
            (Some('0'), Some('0'..='9')) => Self::Text,
            (Some('0'..='9'), _) if field.parse::<i64>().is_ok() => Self::Integer,
            // More digits than an integer holds must not end as a rounded number.
            (Some('0'..='9'), _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Self::Text,
            (Some('0'..='9' | '.'), _) if field.parse().is_ok_and(f64::is_finite) => Self::Real,
            _ => Self::Text,
        })
    }
}

fn create_table(table: &str, columns: &StringRecord, affinities: &[Affinity]) -> String {
    let columns: Vec<_> = (1..)
        .zip(columns)
        .zip(affinities)
        .map(|((number, column), affinity)| {
            let name = if column.is_empty() {
                format!("column{number}")
            } else {
                column.to_owned()
            };
            let affinity = match affinity {
                Affinity::Integer => "INTEGER",
                Affinity::Real => "REAL",
                Affinity::Text => "TEXT",
            };
            format!("{} {affinity}", quoted(&name))
        })
        .collect();
    format!("CREATE TABLE {} ({})", quoted(table), columns.join(", "))
}

/// A name as SQL takes any name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use rusqlite::Connection;

    use super::*;

    fn imported(csv: &str) -> Result<(Connection, usize), ImportError> {
        let mut connection = Connection::open_in_memory()?;
        let transaction = connection.transaction()?;
        let rows = import(&transaction, "t", Cursor::new(csv.to_owned()))?;
        transaction.commit()?;
        Ok((connection, rows))
    }

    fn types(csv: &str) -> String {
        let (connection, _) = imported(csv).expect("it imports");
        connection
            .query_row(
                "SELECT group_concat(name || ' ' || type, ', ') FROM pragma_table_info('t')",
                [],
                |row| row.get(0),
            )
            .expect("the table is there")
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_fits_all_its_fields() {
        assert_eq!(
            types("a,b,c\n1,2.5,x\n-3,4,5\n"),
            "a INTEGER, b REAL, c TEXT"
        );
        assert_eq!(types("a,b\n,\n7,\n"), "a INTEGER, b TEXT");
        assert_eq!(
            types("a,b,c,d\n00401,99999999999999999999,NaN,1e999\n"),
            "a TEXT, b TEXT, c TEXT, d TEXT"
        );
        assert_eq!(
            types("a,b,c,d\n0,-0.5,.5,1e3\n"),
            "a INTEGER, b REAL, c REAL, d REAL"
        );
    }

    #[test]
    fn an_empty_field_is_null_and_a_number_is_a_number() {
        let (connection, rows) = imported("a,b\n1,\n2,x\n").expect("it imports");
        assert_eq!(rows, 2);
        let row = connection.query_row("SELECT typeof(a), typeof(b) FROM t", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        assert_eq!(row, Ok(("integer".into(), "null".into())));
    }

    #[test]
    fn a_column_without_a_name_gets_one() {
        assert_eq!(types(",a\"b\n0,1\n"), "column1 INTEGER, a\"b INTEGER");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        assert_eq!(types("\u{feff}a\n1\n"), "a INTEGER");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(matches!(imported(""), Err(ImportError::Empty)));
        assert!(matches!(imported("a,b\n1\n"), Err(ImportError::Csv(_))));
        assert!(matches!(
            imported("a,a\n1,2\n"),
            Err(ImportError::Sqlite(_))
        ));
    }

    #[test]
    fn a_table_is_named_after_its_file() {
        assert_eq!(table_name("seattle-weather"), "seattle_weather");
        assert_eq!(table_name("2024 sales"), "_2024_sales");
        assert_eq!(table_name("größe"), "größe");
        assert_eq!(table_name(""), "_");
    }
}
