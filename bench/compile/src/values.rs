//! The values of the properties, derived or by hand: types of each set's own, as small as they can be.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::yield_now;

use super::super::app::App;

/// The queries that run.
pub struct Running(AtomicU64);

impl Running {
    /// None yet.
    pub fn none() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more: how many there are now.
    pub fn start(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The colors of the pages.
pub struct Theme(String);

impl Theme {
    /// As the application has it.
    pub fn of(app: &App) -> Self {
        Self(app.name())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The visitor's actions.
pub struct Log(Mutex<Vec<String>>);

impl Log {
    /// A new one.
    pub fn open(app: &App) -> io::Result<Self> {
        match app.name() {
            name if name.is_empty() => Err(io::ErrorKind::NotFound.into()),
            name => Ok(Self(Mutex::new(vec![name]))),
        }
    }

    /// How many entries it has.
    pub fn count(&self) -> usize {
        self.0.lock().expect("nobody panics").len()
    }
}

/// The search index.
pub struct Index(Vec<String>);

impl Index {
    /// Reads it.
    pub async fn load(app: &App) -> Self {
        Self(vec![app.fetch_name().await])
    }

    /// How many words it has.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// The line to the visitor's browser.
pub struct Socket(String);

impl Socket {
    /// Connects.
    pub async fn connect(app: &App) -> io::Result<Self> {
        Ok(Self(app.fetch_name().await))
    }

    /// To whom.
    pub fn peer(&self) -> &str {
        &self.0
    }

    /// Says goodbye.
    pub async fn shut_down(self) -> io::Result<()> {
        yield_now().await;
        drop(self.0);
        Ok(())
    }
}

/// The user that has logged in.
pub struct User(pub String);

impl User {
    /// Logs out.
    pub fn sign_off(self) {
        drop(self.0);
    }
}

/// Where the visitor is in a list.
#[derive(Default)]
pub struct Cursor(Vec<usize>);

impl Cursor {
    /// One further: where that is.
    pub fn advance(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len()
    }
}

/// A connection to the database.
pub struct Connection(Vec<String>);

impl Connection {
    /// Opens one.
    pub async fn open(app: &App) -> io::Result<Self> {
        Ok(Self(vec![app.fetch_name().await]))
    }

    /// Runs a statement: how many that makes.
    pub fn execute(&mut self, statement: &str) -> usize {
        self.0.push(statement.to_owned());
        self.0.len()
    }

    /// Undoes what was not committed.
    pub async fn roll_back(self) -> io::Result<()> {
        yield_now().await;
        drop(self.0);
        Ok(())
    }
}
