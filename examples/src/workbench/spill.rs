//! A query's rows, page by page: a few in memory, the rest in a file without a name.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tempfile::SpooledTempFile;

/// A page ends after this many rows, or with the row that fills its bytes.
const PAGE_ROWS: u64 = 100;
const PAGE_BYTES: usize = 64 << 10;
/// The size limit of a row as JSON.
const ROW_BYTES: usize = 512 << 10;
/// How much memory a result may take before it goes to disk, and how much of the disk.
const MEMORY_BYTES: usize = 256 << 10;
const DISK_BYTES: u64 = 256 << 20;

/// The rows of one query. Any page can be read at any time, also while rows are still coming.
///
/// In memory are the page being filled, eight bytes for every page before it, and a small result's rows.
#[derive(Debug)]
pub(crate) struct Spill {
    /// Has its own lock, so that a caller that only counts does not wait for the disk.
    found: Mutex<Found>,
    pages: Mutex<Pages>,
}

/// The result so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The names of the columns; empty before a statement that has rows.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    /// Includes the one being filled.
    pub(crate) pages: usize,
}

#[derive(Debug)]
struct Pages {
    file: SpooledTempFile,
    /// Where each page in the file ends.
    ends: Vec<u64>,
    /// The page being filled, as JSON without its closing bracket.
    tail: Vec<u8>,
    tail_rows: u64,
    limit: u64,
}

/// Why a row could not be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpillError {
    #[error("the result is larger than {} MiB: ask for less", DISK_BYTES >> 20)]
    TooLarge,
    #[error("a row is larger than {} KiB: ask for less", ROW_BYTES >> 10)]
    RowTooLarge,
    #[error("the result cannot be stored")]
    Io(#[from] io::Error),
}

impl Spill {
    /// Creates a spill without rows. A file is created in `directory` once there are many.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            found: Mutex::default(),
            pages: Mutex::new(Pages {
                file: tempfile::spooled_tempfile_in(MEMORY_BYTES, directory),
                ends: Vec::new(),
                tail: vec![b'['],
                tail_rows: 0,
                limit: DISK_BYTES,
            }),
        }
    }

    /// Drops the rows so far: only those of the last statement are the query's.
    pub(crate) fn begin(&self, columns: Vec<String>) -> Result<(), SpillError> {
        let mut pages = lock(&self.pages);
        pages.file.set_len(0)?;
        pages.ends.clear();
        pages.clear_tail();
        *lock(&self.found) = Found {
            columns,
            ..Found::default()
        };
        Ok(())
    }

    /// Keeps a row, and returns whether it is the first of its page.
    pub(crate) fn push(&self, row: &Row<'_>) -> Result<bool, SpillError> {
        let json = json(row)?;
        let is_first = lock(&self.pages).push(&json)?;
        let mut found = lock(&self.found);
        found.rows += 1;
        found.pages += usize::from(is_first);
        Ok(is_first)
    }

    /// The rows of a page, counted from 0, as one JSON array; `None` if it is not there. Blocks.
    ///
    /// Page 0 always exists, possibly without rows.
    pub(crate) fn page(&self, page: usize) -> io::Result<Option<Box<RawValue>>> {
        let json = lock(&self.pages).read(page)?;
        Ok(json.map(RawValue::from_string).transpose()?)
    }

    /// Waits for no row and no page.
    pub(crate) fn found(&self) -> Found {
        lock(&self.found).clone()
    }

    /// The number of pages so far. Like [`found`](Self::found), it waits for no row and no page.
    pub(crate) fn pages(&self) -> usize {
        lock(&self.found).pages
    }
}

impl Pages {
    fn push(&mut self, row: &[u8]) -> Result<bool, SpillError> {
        if self.tail_rows == PAGE_ROWS || self.tail.len() >= PAGE_BYTES {
            self.flush()?;
        }
        if self.tail_rows > 0 {
            self.tail.push(b',');
        }
        self.tail.extend_from_slice(row);
        self.tail_rows += 1;
        Ok(self.tail_rows == 1)
    }

    fn flush(&mut self) -> Result<(), SpillError> {
        let start = self.end();
        // With the bracket that closes it.
        let end = start + self.tail.len() as u64 + 1;
        if end > self.limit {
            return Err(SpillError::TooLarge);
        }
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(&self.tail)?;
        self.file.write_all(b"]")?;
        self.ends.push(end);
        self.clear_tail();
        Ok(())
    }

    fn clear_tail(&mut self) {
        self.tail.truncate(1);
        self.tail_rows = 0;
    }

    fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn read(&mut self, page: usize) -> io::Result<Option<String>> {
        let mut json;
        if let Some(&end) = self.ends.get(page) {
            let start = if page == 0 { 0 } else { self.ends[page - 1] };
            self.file.seek(SeekFrom::Start(start))?;
            json = String::new();
            (&mut self.file)
                .take(end - start)
                .read_to_string(&mut json)?;
        } else if page == 0 || (page == self.ends.len() && self.tail_rows > 0) {
            json = String::from_utf8_lossy(&self.tail).into_owned();
            json.push(']');
        } else {
            return Ok(None);
        }
        Ok(Some(json))
    }
}

/// The locked state is consistent even after a holder panicked: at worst a row is missing, or not counted.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The row as a JSON array, unless it is too large.
fn json(row: &Row<'_>) -> Result<Vec<u8>, SpillError> {
    let width = row.as_ref().column_count();
    let cells = (0..width).map(|column| Cell(row.get_ref_unwrap(column)));
    let mut json = Bounded(Vec::new());
    serde_json::Serializer::new(&mut json)
        .collect_seq(cells)
        .map_err(|_| SpillError::RowTooLarge)?;
    Ok(json.0)
}

/// The bytes written, up to [`ROW_BYTES`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ROW_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as JSON. A value that JSON can't represent is text.
struct Cell<'a>(ValueRef<'a>);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Beyond these bounds a reader that knows only doubles would show another number.
        const EXACT: std::ops::RangeInclusive<i64> = -(1 << 53)..=1 << 53;
        match self.0 {
            ValueRef::Null => serializer.serialize_unit(),
            ValueRef::Integer(number) if EXACT.contains(&number) => {
                serializer.serialize_i64(number)
            }
            ValueRef::Integer(number) => serializer.collect_str(&number),
            ValueRef::Real(number) if number.is_finite() => serializer.serialize_f64(number),
            ValueRef::Real(number) => serializer.collect_str(&number),
            ValueRef::Text(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => serializer.collect_str(&format_args!("x'{}'", Hex(bytes))),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn spilled(sql: &str) -> Result<Spill, SpillError> {
        fill(Spill::new(&std::env::temp_dir()), sql)
    }

    fn fill(spill: Spill, sql: &str) -> Result<Spill, SpillError> {
        let connection = Connection::open_in_memory().expect("memory opens");
        let mut statement = connection.prepare(sql).expect("it is SQL");
        spill.begin(statement.column_names().map(str::to_owned).collect())?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().expect("it has rows") {
            spill.push(row)?;
        }
        drop(rows);
        Ok(spill)
    }

    fn numbers(rows: u64) -> String {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) SELECT i FROM n"
        )
    }

    fn page(spill: &Spill, page: usize) -> Vec<Vec<u64>> {
        let json = spill.page(page).expect("it reads").expect("it is there");
        serde_json::from_str(json.get()).expect("it is JSON")
    }

    #[test]
    fn every_page_can_be_read_in_any_order_and_again() {
        let spill = spilled(&numbers(100_250)).expect("it fits");
        assert!(lock(&spill.pages).file.is_rolled(), "it is on disk");
        assert_eq!((spill.found().rows, spill.pages()), (100_250, 1003));
        for number in [1002, 0, 500, 0, 1002] {
            let first = page(&spill, number)[0][0];
            assert_eq!(first, number as u64 * PAGE_ROWS + 1);
        }
        assert_eq!(page(&spill, 1002).len(), 50);
        assert!(spill.page(1003).expect("it reads").is_none());
    }

    #[test]
    fn a_small_result_needs_no_file_and_none_has_an_empty_page() {
        let spill = spilled(&numbers(100)).expect("it fits");
        assert!(!lock(&spill.pages).file.is_rolled());
        assert_eq!(spill.pages(), 1);
        let empty = spilled("SELECT 1 AS one WHERE 0").expect("it fits");
        assert_eq!(
            (empty.pages(), empty.found().columns),
            (0, vec!["one".to_owned()])
        );
        assert!(page(&empty, 0).is_empty());
    }

    #[test]
    fn wide_rows_make_pages_of_few_rows() {
        let spill =
            spilled("WITH t(x) AS (VALUES (1), (2), (3)) SELECT hex(zeroblob(40000)) FROM t")
                .expect("it fits");
        assert_eq!((spill.found().rows, spill.pages()), (3, 3));
    }

    #[test]
    fn a_result_larger_than_the_disk_may_hold_is_refused() {
        let spill = Spill::new(&std::env::temp_dir());
        lock(&spill.pages).limit = 10_000;
        assert!(matches!(
            fill(spill, &numbers(10_000)),
            Err(SpillError::TooLarge)
        ));
    }

    #[test]
    fn who_only_counts_waits_for_no_page() {
        let spill = spilled(&numbers(7)).expect("it fits");
        let _writing = lock(&spill.pages);
        assert_eq!((spill.found().rows, spill.pages()), (7, 1));
    }

    #[test]
    fn a_row_larger_than_the_memory_may_hold_is_refused() {
        let too_large = spilled("SELECT zeroblob(200000), zeroblob(200000)");
        assert!(matches!(too_large, Err(SpillError::RowTooLarge)));
    }

    #[test]
    fn each_type_has_its_json() {
        let spill = spilled("SELECT NULL, 7, -1.5, 'a\"b', x'00ff', 9007199254740993, 9e999")
            .expect("it fits");
        let json = spill.page(0).expect("it reads").expect("it is there");
        assert_eq!(
            json.get(),
            r#"[[null,7,-1.5,"a\"b","x'00ff'","9007199254740993","inf"]]"#
        );
    }
}
