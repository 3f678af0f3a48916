//! The workbench in the test's process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Once};
use std::time::Duration;

use axum::Router;
use examples::workbench::{self, Database};
use rusqlite::Connection;
use session_core::{LocalSession as _, Session, SessionManager};
use session_test::{Browser, CleanupRecord, SessionsExt as _};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::kit::log::Log;
use crate::kit::program::assert_nothing_open;

/// The name of the visitors' cookie.
pub(crate) const COOKIE: &str = "workbench-3000";
const IDLE: Duration = Duration::from_secs(1200);
/// How long a transaction may be idle while others wait.
const PATIENCE: Duration = Duration::from_secs(55);

pub(crate) struct Workbench {
    pub(crate) app: Router,
    pub(crate) sessions: SessionManager,
    ends: CleanupRecord,
    /// Its files, those that it was given among them.
    files: TempDir,
}

impl Workbench {
    /// With the sample data.
    pub(crate) fn new() -> Self {
        Self::patient(PATIENCE)
    }

    /// With the sample data, and a visitor.
    pub(crate) fn visited() -> (Self, Browser) {
        let workbench = Self::new();
        let visitor = workbench.visitor();
        (workbench, visitor)
    }

    /// With the sample data. A transaction may be idle for so long while others wait.
    pub(crate) fn patient(patience: Duration) -> Self {
        Self::start(directory(), &[], patience)
    }

    /// With a database that is made so, `given.db`.
    pub(crate) fn given(sql: &str) -> Self {
        let files = directory();
        make_database(&files.path().join("given.db"), sql);
        Self::start(files, &["given.db"], PATIENCE)
    }

    /// With the only table of a CSV file.
    pub(crate) fn given_csv(name: &str, csv: &str) -> Self {
        let files = directory();
        fs::write(files.path().join(name), csv).expect("there is room");
        Self::start(files, &[name], PATIENCE)
    }

    fn start(files: TempDir, given: &[&str], patience: Duration) -> Self {
        static LOG: Once = Once::new();
        LOG.call_once(start_log);
        let given: Vec<_> = given.iter().map(|name| files.path().join(name)).collect();
        let database = Database::load(&given, files.path(), patience).expect("it can be served");
        let sessions = workbench::manage_sessions(&database, IDLE);
        let address = "127.0.0.1:3000".parse().expect("it is an address");
        Self {
            app: workbench::app(database, sessions.clone(), address),
            ends: sessions.record_cleanups(),
            sessions,
            files,
        }
    }

    /// A new visitor.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// The visitor's session, and its lines of the log.
    pub(crate) fn session(&self, visitor: &Browser) -> (Session, Log) {
        let session = visitor.session(&self.sessions).expect("it has a session");
        let own = format!("session={}", session.serial());
        let lines = LINES.subscribe();
        (session, Log { lines, own })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Awaits this while the file with this name is not there.
    pub(crate) async fn without<T>(&self, name: &str, future: impl Future<Output = T>) -> T {
        let (path, aside) = (self.path(name), self.path("aside"));
        fs::rename(&path, &aside).expect("nobody has it open");
        let output = future.await;
        fs::rename(&aside, &path).expect("it is there");
        output
    }

    pub(crate) fn assert_nothing_open(&self) {
        assert_nothing_open("self", self.files.path());
    }

    /// Ends it. All sessions must have ended in order, or do so now, with every connection and file closed.
    pub(crate) async fn close(self) {
        let report = self.sessions.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_clean(), "{report:?}");
        self.ends.assert_clean().await;
        assert_nothing_open("self", self.files.path());
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

pub(crate) fn make_database(path: &Path, sql: &str) {
    let made = Connection::open(path).and_then(|database| database.execute_batch(sql));
    made.expect("it is made");
}

/// All lines of this process's log.
static LINES: LazyLock<watch::Sender<Vec<String>>> = LazyLock::new(watch::Sender::default);

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).into_owned();
        LINES.send_modify(|lines| lines.push(text));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start_log() {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter("info,examples=debug")
        .with_writer(|| Lines)
        .init();
}
