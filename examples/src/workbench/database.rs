//! The tables that all visitors share: a SQLite file.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio_util::sync::CancellationToken;

use super::import::{ImportError, import, table_name};
use super::sandbox::{self, Bounds};
use super::statements::Statements;
use super::writers::Writers;

const SAMPLES: [(&str, &str); 2] = [
    ("airports", include_str!("../../data/airports.csv")),
    (
        "seattle_weather",
        include_str!("../../data/seattle-weather.csv"),
    ),
];

/// The tables that all visitors of a workbench share, and where results are kept that are too large for memory. Clones
/// are the same one.
#[derive(Clone, Debug)]
pub struct Database {
    path: PathBuf,
    scratch: PathBuf,
    bounds: Bounds,
    writers: Arc<Writers>,
    statements: Arc<Statements>,
}

/// The reason why there is nothing to serve, as one line that names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is a SQLite database among several files.
    #[error("give CSV files or one SQLite database, not both")]
    Mixed,
    /// The file cannot be read.
    #[error("cannot read {file}: {1}", file = .0.display())]
    Unreadable(PathBuf, io::Error),
    /// The file is neither a SQLite database nor CSV.
    #[error("cannot load {file} as CSV: {1}", file = .0.display())]
    NoTable(PathBuf, ImportError),
    /// SQLite cannot open the file.
    #[error("cannot open {file} as a SQLite database: {1}", file = .0.display())]
    NoDatabase(PathBuf, rusqlite::Error),
}

impl Database {
    /// Prepares the tables of the sample data, of the CSV files, or of the given SQLite database. Blocks.
    ///
    /// `scratch` is a directory of its own, which must stay. `patience` is how long an open transaction may be idle while
    /// others wait for it.
    ///
    /// # Errors
    ///
    /// If a file can't be loaded; there are then no tables.
    pub fn load(files: &[PathBuf], scratch: &Path, patience: Duration) -> Result<Self, LoadError> {
        let ready = |path: PathBuf, bounds| Self {
            writers: Arc::new(Writers::new(&path, patience)),
            statements: Arc::default(),
            scratch: scratch.to_owned(),
            path,
            bounds,
        };
        let mut sources = Vec::new();
        for path in files {
            let source = Source::open(path);
            let source = source.map_err(|error| LoadError::Unreadable(path.clone(), error))?;
            sources.push((path, source));
        }
        if let [(path, Source::Sqlite)] = &sources[..] {
            let path = (*path).clone();
            let measured = prepare(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
                .and_then(|connection| Bounds::of(&connection));
            return match measured {
                Ok(bounds) => Ok(ready(path, bounds)),
                Err(error) => Err(LoadError::NoDatabase(path, error)),
            };
        }

        let path = scratch.join("workbench.db");
        let no_table = |path: &Path| {
            let path = path.to_owned();
            |error| LoadError::NoTable(path, error)
        };
        let no_database = |error| LoadError::NoDatabase(path.clone(), error);
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
        let bounds = Bounds::of(&connection).map_err(no_database)?;
        Ok(ready(path, bounds))
    }

    /// The file.
    #[cfg(unix)]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file for one visitor. Blocks.
    pub(crate) fn open(&self) -> rusqlite::Result<Connection> {
        let opening = self.statements.begin(CancellationToken::new());
        opening.with_room(|| {
            let connection = open(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            self.bounds.confine(&connection)?;
            Ok(connection)
        })
    }

    /// The sessions that wait to write.
    pub(crate) fn writers(&self) -> &Arc<Writers> {
        &self.writers
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.statements
    }

    /// The size limit of a file.
    pub(crate) fn most_file_bytes(&self) -> u64 {
        self.bounds.file_bytes
    }

    /// Whether the visitor may create tables. Each connection holds the text of all of them in memory.
    pub(crate) fn has_room_for_tables(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(sandbox::text_of_tables(connection)? < self.bounds.text_of_tables)
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
    // SQLite takes `file:x.db` for a URI, but never an absolute path.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // SQLite reads the file as late as possible. Read now, so that a file that is not a database fails here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Opens the file in WAL mode: readers and writers do not wait for each other, and a visitor does not see the
/// uncommitted changes of another.
fn prepare(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = open(path, flags)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    Ok(connection)
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
