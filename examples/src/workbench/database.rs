//! The tables that all visitors share: a SQLite file.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::import::{ImportError, import, table_name};
use super::sandbox;

const SAMPLES: [(&str, &str); 2] = [
    ("airports", include_str!("../../data/airports.csv")),
    (
        "seattle_weather",
        include_str!("../../data/seattle-weather.csv"),
    ),
];

/// What visitors may add to the file.
const GROWTH_BYTES: i64 = 256 << 20;
/// So many columns a table may have, or as many as the widest that is given has.
const COLUMNS: i32 = 200;

/// Where the shared tables are, and where results too large for memory go.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    path: PathBuf,
    scratch: PathBuf,
    columns: i32,
    pages: i64,
}

/// Why there is nothing to serve: one line that names the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("give CSV files or one SQLite database, not both")]
    Mixed,
    #[error("cannot read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("cannot load {} as CSV: {error}", path.display())]
    NoTable { path: PathBuf, error: ImportError },
    #[error("cannot open {} as a SQLite database: {error}", path.display())]
    NoDatabase {
        path: PathBuf,
        error: rusqlite::Error,
    },
}

impl Database {
    /// Makes the tables ready: those of the sample data, of the CSV files, or of the SQLite database given.
    ///
    /// `scratch` is a directory of the program's own.
    pub(crate) fn load(files: &[PathBuf], scratch: &Path) -> Result<Self, LoadError> {
        let scratch = scratch.to_owned();
        let mut sources = Vec::new();
        for path in files {
            sources.push((
                path,
                Source::open(path).map_err(|error| LoadError::Unreadable {
                    path: path.clone(),
                    error,
                })?,
            ));
        }
        if let [(path, Source::Sqlite)] = &sources[..] {
            let path = (*path).clone();
            let measured = prepare(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
                .and_then(|connection| measure(&connection));
            return match measured {
                Ok((columns, pages)) => Ok(Self {
                    path,
                    scratch,
                    columns,
                    pages,
                }),
                Err(error) => Err(LoadError::NoDatabase { path, error }),
            };
        }

        let path = scratch.join("workbench.db");
        let no_table = |path: &Path| {
            let path = path.to_owned();
            |error| LoadError::NoTable { path, error }
        };
        let no_database = |error| LoadError::NoDatabase {
            path: path.clone(),
            error,
        };
        let mut connection = prepare(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )
        .map_err(no_database)?;
        if sources.is_empty() {
            for (table, csv) in SAMPLES {
                load_table(&mut connection, table, Cursor::new(csv))
                    .map_err(no_table(Path::new(table)))?;
            }
        }
        for (path, source) in sources {
            let Source::Csv(file) = source else {
                return Err(LoadError::Mixed);
            };
            let table = table_name(&path.file_stem().unwrap_or_default().to_string_lossy());
            load_table(&mut connection, &table, file).map_err(no_table(path))?;
        }
        let (columns, pages) = measure(&connection).map_err(no_database)?;
        Ok(Self {
            path,
            scratch,
            columns,
            pages,
        })
    }

    /// Opens the file for one visitor. Blocks.
    pub(crate) fn open(&self) -> rusqlite::Result<Connection> {
        let connection = open(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        sandbox::confine(&connection, self.columns, self.pages)?;
        Ok(connection)
    }

    /// The directory for results too large for memory.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }
}

enum Source {
    Csv(File),
    Sqlite,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        const MAGIC: &[u8] = b"SQLite format 3\0";
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut head)?;
        file.rewind()?;
        Ok(if head == MAGIC {
            Self::Sqlite
        } else {
            Self::Csv(file)
        })
    }
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // SQLite takes `file:x.db` for a URI, and an absolute path for nothing else.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // SQLite reads nothing before it must: look now, so that a file that is no database fails here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Opens the file and puts it in WAL mode: who reads and who writes don't wait for each other, and what one
/// visitor has not committed stays their own.
fn prepare(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = open(path, flags)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    Ok(connection)
}

/// How wide a visitor's tables may be, and how many pages the file may have.
fn measure(connection: &Connection) -> rusqlite::Result<(i32, i64)> {
    connection.query_row(
        "SELECT max(?1, (SELECT coalesce(max(columns), 0) FROM (
                    SELECT (SELECT count(*) FROM pragma_table_xinfo(sqlite_schema.name)) AS columns FROM sqlite_schema WHERE type = 'table'))),
                page_count + ?2 / page_size
         FROM pragma_page_count, pragma_page_size",
        (COLUMNS, GROWTH_BYTES),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn load_table(
    connection: &mut Connection,
    table: &str,
    source: impl Read + Seek,
) -> Result<(), ImportError> {
    let transaction = connection.transaction()?;
    let rows = import(&transaction, table, source)?;
    transaction.commit()?;
    tracing::debug!(table, rows, "table loaded");
    Ok(())
}
