//! The import of CSV into a table. Each column gets the narrowest affinity that loses nothing.

use std::collections::HashSet;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Seek, SeekFrom};

use csv::{ByteRecord, Position, ReaderBuilder, StringRecord};
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use super::{blank_lines, sqlite_message};

/// The reason why a file is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not CSV, or not well-formed: binary data, rows of different lengths.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No header line, so no columns.
    #[error("the file is empty")]
    Empty,
    /// A quote is open at the end of the file, so that all rows after it are one field.
    #[error("line {line}: a quote is opened in this row and never closed")]
    Unclosed { line: u64 },
    /// SQLite's error about the columns, such as that two have the same name.
    #[error("{}", sqlite_message(.0))]
    Sqlite(#[from] rusqlite::Error),
}

/// Loads `source` into a new table called `table` and returns the number of rows.
///
/// The first line names the columns. An empty field is `NULL`, and so is a blank line where there is one column. The
/// file is read twice, to find the types and to load, so that it need not fit in memory.
pub(crate) fn import(
    transaction: &Transaction<'_>,
    table: &str,
    mut source: impl Read + Seek,
) -> Result<usize, ImportError> {
    let columns = csv::Reader::from_reader(&mut source).headers()?.len();
    source.rewind()?;
    if columns > 1 {
        return load(transaction, table, source);
    }
    let mut quoted = tempfile::tempfile()?;
    blank_lines::copy_quoted(source, BufWriter::new(&quoted))?;
    quoted.rewind()?;
    load(transaction, table, quoted)
}

fn load(
    transaction: &Transaction<'_>,
    table: &str,
    source: impl Read + Seek,
) -> Result<usize, ImportError> {
    let mut reader = csv::Reader::from_reader(source);
    let mut last = Position::new();
    let columns = reader.headers()?.clone();
    if columns.is_empty() {
        return Err(ImportError::Empty);
    }
    let data = reader.position().clone();

    let mut fits = vec![Fits::default(); columns.len()];
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        for (fits, field) in fits.iter_mut().zip(&record) {
            fits.look_at(field);
        }
        last = record.position().cloned().unwrap_or(last);
    }
    reader.seek(last.clone())?;
    if let Some(line) = unclosed(reader.get_mut(), last.line())? {
        return Err(ImportError::Unclosed { line });
    }
    let affinities: Vec<_> = fits.iter().map(Fits::narrowest).collect();
    transaction.execute_batch(&create_table(table, &columns, &affinities))?;

    let places = vec!["?"; columns.len()].join(", ");
    let mut insert =
        transaction.prepare(&format!("INSERT INTO {} VALUES ({places})", quoted(table)))?;
    // `seek` would do nothing if this is where the last record began.
    reader.seek_raw(SeekFrom::Start(data.byte()), data)?;
    let mut rows = 0;
    while reader.read_record(&mut record)? {
        let values = affinities.iter().zip(&record);
        insert.execute(params_from_iter(
            values.map(|(affinity, field)| affinity.value(field)),
        ))?;
        rows += 1;
    }
    Ok(rows)
}

/// Returns the line in which the last record begins, if that record is open at its end, so that one more line would be
/// part of it. `source` is before that record, in this line or at the end of the one before.
fn unclosed(source: impl Read, mut line: u64) -> csv::Result<Option<u64>> {
    let mut source = BufReader::new(source);
    while let Some(end @ (b'\r' | b'\n')) = source.fill_buf()?.first() {
        line += u64::from(*end == b'\n');
        source.consume(1);
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(source.chain(&b"\nx"[..]));
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record)?;
    let closed = reader.read_byte_record(&mut record)?;
    Ok((!closed).then_some(line))
}

/// The table's name for a file's name. `seattle-weather` is `seattle_weather`, so that SQL needs no quotes.
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

/// The types that a column can have.
#[derive(Clone, Copy)]
enum Affinity {
    Integer,
    Real,
    Text,
}

impl Affinity {
    fn value(self, field: &str) -> Value {
        let number = match self {
            _ if field.is_empty() => return Value::Null,
            Self::Integer => field.parse().ok().map(Value::Integer),
            Self::Real => field.parse().ok().map(Value::Real),
            Self::Text => None,
        };
        number.unwrap_or_else(|| Value::Text(field.to_owned()))
    }
}

/// The types of number that lose nothing of any field of a column. Empty fields fit all.
#[derive(Clone, Default)]
struct Fits {
    /// `None` if all fields so far are empty.
    integer: Option<bool>,
    real: Option<bool>,
}

impl Fits {
    fn look_at(&mut self, field: &str) {
        if field.is_empty() {
            return;
        }
        // One word is enough: most columns need no further check.
        if self.integer != Some(false) {
            self.integer = Some(survives_as_integer(field));
        }
        if self.real != Some(false) {
            self.real = Some(survives_as_real(field));
        }
    }

    fn narrowest(&self) -> Affinity {
        match (self.integer, self.real) {
            (Some(true), _) => Affinity::Integer,
            (_, Some(true)) => Affinity::Real,
            _ => Affinity::Text,
        }
    }
}

/// `00401` is not one: it is a code, and a number would lose its zeros.
fn survives_as_integer(field: &str) -> bool {
    field
        .parse::<i64>()
        .is_ok_and(|number| number.to_string() == field)
}

/// Whether the nearest real is written with the same digits.
fn survives_as_real(field: &str) -> bool {
    let unsigned = field.strip_prefix('-').unwrap_or(field).as_bytes();
    let starts_as_number = match unsigned {
        [] | [b'0', b'0'..=b'9', ..] => false,
        [first, ..] => first.is_ascii_digit() || *first == b'.',
    };
    starts_as_number
        && field.parse().is_ok_and(|real: f64| {
            real.is_finite() && digits_of(field).eq(digits_of(&format!("{real:e}")))
        })
}

/// The digits of a decimal number without leading and trailing zeros.
fn digits_of(number: &str) -> impl Iterator<Item = char> {
    let mantissa = number.split(['e', 'E']).next().unwrap_or(number);
    let is_digit = |c: &char| c.is_ascii_digit();
    let end = mantissa
        .rfind(|c: char| ('1'..='9').contains(&c))
        .map_or(0, |last| last + 1);
    let digits = mantissa[..end].chars().filter(is_digit);
    digits.skip_while(|digit| *digit == '0')
}

fn create_table(table: &str, columns: &StringRecord, affinities: &[Affinity]) -> String {
    let columns: Vec<_> = names(columns)
        .iter()
        .zip(affinities)
        .map(|(name, affinity)| {
            let affinity = match affinity {
                Affinity::Integer => "INTEGER",
                Affinity::Real => "REAL",
                Affinity::Text => "TEXT",
            };
            format!("{} {affinity}", quoted(name))
        })
        .collect();
    format!("CREATE TABLE {} ({})", quoted(table), columns.join(", "))
}

/// A column without a name gets one that no other has in any case: SQLite does not tell `a` from `A`.
fn names(columns: &StringRecord) -> Vec<String> {
    let mut taken: HashSet<_> = columns.iter().map(str::to_ascii_lowercase).collect();
    let mut free = |number: usize| {
        let mut name = format!("column{number}");
        let mut more = 2;
        while !taken.insert(name.clone()) {
            name = format!("column{number}_{more}");
            more += 1;
        }
        name
    };
    (1..)
        .zip(columns)
        .map(|(number, column)| match column {
            "" => free(number),
            column => column.to_owned(),
        })
        .collect()
}

/// A name in quotes, in which SQL accepts any name.
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
    fn a_blank_line_is_a_row_where_there_is_one_column() {
        let (connection, rows) = imported("a\n1\n\n2\n").expect("it imports");
        assert_eq!(rows, 3);
        let nulls = "SELECT count(*) FROM t WHERE a IS NULL";
        assert_eq!(connection.query_row(nulls, [], |row| row.get(0)), Ok(1));
        let (_, rows) = imported("a,b\n1,2\n\n3,4\n").expect("it imports");
        assert_eq!(rows, 2, "with more columns it is not a row");
    }

    #[test]
    fn a_column_without_a_name_gets_one() {
        assert_eq!(types(",a\"b\n0,1\n"), "column1 INTEGER, a\"b INTEGER");
    }

    #[test]
    fn a_made_up_name_is_one_that_no_other_column_has() {
        assert_eq!(
            types(",COLUMN1,column1_2,\n1,2,3,4\n"),
            "column1_3 INTEGER, COLUMN1 INTEGER, column1_2 INTEGER, column4 INTEGER"
        );
    }

    #[test]
    fn a_column_of_numbers_that_do_not_all_survive_is_text() {
        for (fields, column) in [
            ("9007199254740993\n0.5", "a TEXT"),
            ("0.5\n9007199254740993", "a TEXT"),
            ("9007199254740992\n0.5", "a REAL"),
            ("9007199254740993\n7", "a INTEGER"),
            ("12345678901234567.89", "a TEXT"),
            ("1e-400", "a TEXT"),
            ("0.30000000000000004\n0.1\n-0.0", "a REAL"),
            ("100000000000000000000\n1.50", "a REAL"),
            ("007.5", "a TEXT"),
            ("1\n-", "a TEXT"),
            ("-\n1", "a TEXT"),
        ] {
            assert_eq!(types(&format!("a\n{fields}\n")), column, "{fields}");
        }
        let (connection, _) = imported("a\n0.30000000000000004\n0.1\n").expect("it imports");
        let sum = connection.query_row("SELECT a FROM t LIMIT 1", [], |row| row.get(0));
        assert_eq!(sum, Ok(0.1 + 0.2));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_reported_with_its_line() {
        for (csv, at) in [
            ("a,b\n1,2\n3,\"x\n5,6\n7,8\n", 3),
            ("a,b\n1,\"2\"\"", 2),
            ("a,\"b\n1,2\n", 1),
            ("a\n\"\n", 2),
            ("a\r\n1\r\n2\r\n\"3\r\n4\r\n", 4),
        ] {
            let refused = imported(csv).err();
            assert!(
                matches!(refused, Some(ImportError::Unclosed { line }) if line == at),
                "{csv:?}: {refused:?}"
            );
        }
        for (csv, expected) in [
            ("a\n1\n", 1),
            ("a,b\n1,\"2\n3\"", 1),
            ("a,b\n1,2\"\n", 1),
            ("a,b\n", 0),
            ("a,b", 0),
            ("a\n\"\"\n", 1),
        ] {
            let (_, rows) = imported(csv).expect("its quotes are closed");
            assert_eq!(rows, expected, "{csv:?}");
        }
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
