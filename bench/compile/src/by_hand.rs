//! The same property set as a person writes it without the derive.

#[path = "values.rs"]
mod values;

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{LocalSession as _, PropertyError, PropertyKey, PropertyRef, Refused, Session};
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio::time::timeout;

use self::values::{Connection, Cursor, Index, Log, Running, Socket, Theme, User};
use super::app::{App, Touched};

const HITS: PropertyKey<AtomicU64> = PropertyKey::new("hits");
const NOTES: PropertyKey<Mutex<Vec<String>>> = PropertyKey::new("notes");
const RUNNING: PropertyKey<Running> = PropertyKey::new("running");
const THEME: PropertyKey<Theme> = PropertyKey::new("theme");
const LOG: PropertyKey<Log> = PropertyKey::new("log");
const INDEX: PropertyKey<Index> = PropertyKey::new("index");
const SOCKET: PropertyKey<Socket> = PropertyKey::new("socket");
const USER: PropertyKey<User> = PropertyKey::new("user");
const CURSOR: PropertyKey<Arc<Lock<Cursor>>> = PropertyKey::new("cursor");
const CONNECTION: PropertyKey<Arc<Lock<Connection>>> = PropertyKey::new("connection");

// The dictionary takes a hook with a value that is there already. So what is made once is that it was inserted.
const SOCKET_IS_MADE: PropertyKey<()> = PropertyKey::new("socket is made");
const CONNECTION_IS_MADE: PropertyKey<()> = PropertyKey::new("connection is made");

type BoxError = Box<dyn Error + Send + Sync>;

/// For how long a caller waits for what is lent to another.
const LEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A visitor's desk.
pub struct Workbench {
    session: Session,
    app: Arc<App>,
}

impl Workbench {
    /// That of this session.
    pub fn of(session: Session, app: Arc<App>) -> Self {
        Self { session, app }
    }

    /// How many requests came.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    pub fn hits(&self) -> Result<PropertyRef<AtomicU64>, PropertyError> {
        self.session
            .properties()
            .get_or_init(&HITS, AtomicU64::default)
    }

    /// The visitor's notes.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    pub fn notes(&self) -> Result<PropertyRef<Mutex<Vec<String>>>, PropertyError> {
        self.session
            .properties()
            .get_or_init(&NOTES, Mutex::default)
    }

    /// The queries that run.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    pub fn running(&self) -> Result<PropertyRef<Running>, PropertyError> {
        self.session
            .properties()
            .get_or_init(&RUNNING, Running::none)
    }

    /// The colors of the pages.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    pub fn theme(&self) -> Result<PropertyRef<Theme>, PropertyError> {
        self.session
            .properties()
            .get_or_init(&THEME, || Theme::of(&self.app))
    }

    /// The visitor's actions.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer fails, panics or would wait for itself, or the session has ended.
    pub fn log(&self) -> Result<PropertyRef<Log>, PropertyError> {
        self.session
            .properties()
            .get_or_try_init(&LOG, || Log::open(&self.app))
    }

    /// The search index.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    pub async fn index(&self) -> Result<PropertyRef<Index>, PropertyError> {
        let app = self.app.clone();
        self.session
            .properties()
            .get_or_init_async(&INDEX, move || async move { Index::load(&app).await })
            .await
    }

    /// The line to the visitor's browser.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer fails, panics or would wait for itself, or the session has ended.
    pub async fn socket(&self) -> Result<PropertyRef<Socket>, PropertyError> {
        let properties = self.session.properties();
        if let Some(socket) = properties.get(&SOCKET) {
            return Ok(socket);
        }
        let (session, app) = (self.session.clone(), self.app.clone());
        let make = move || async move {
            let socket = Socket::connect(&app).await?;
            let properties = session.properties();
            properties.insert_with(&SOCKET, socket, Socket::shut_down)?;
            Ok::<_, BoxError>(())
        };
        properties
            .get_or_try_init_async(&SOCKET_IS_MADE, make)
            .await?;
        properties.get(&SOCKET).ok_or(PropertyError::SessionEnded)
    }

    /// The user that has logged in.
    ///
    /// `None` until `set_user` has put a value there.
    pub fn user(&self) -> Option<PropertyRef<User>> {
        self.session.properties().get(&USER)
    }

    /// Sets `user`, once.
    ///
    /// # Errors
    ///
    /// Hands the value back if there is one already, or the session has ended.
    pub fn set_user(&self, value: User) -> Result<PropertyRef<User>, Refused<User>> {
        self.session
            .properties()
            .insert_with(&USER, value, User::sign_off)
    }

    /// Where the visitor is in a list.
    ///
    /// Made on first use, once per session; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, it is lent for too long, or the session has ended.
    pub async fn cursor(&self) -> Result<OwnedMutexGuard<Cursor>, PropertyError> {
        let cursor = self
            .session
            .properties()
            .get_or_init(&CURSOR, Arc::default)?;
        self.lend(cursor).await
    }

    /// The visitor's own connection.
    ///
    /// Made on first use, once per session; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer fails, panics or would wait for itself, it is lent for too long, or the session has ended.
    pub async fn connection(&self) -> Result<OwnedMutexGuard<Connection>, PropertyError> {
        let properties = self.session.properties();
        if let Some(connection) = properties.get(&CONNECTION) {
            return self.lend(connection).await;
        }
        let (session, app) = (self.session.clone(), self.app.clone());
        let make = move || async move {
            let connection = Arc::new(Lock::new(Connection::open(&app).await?));
            let properties = session.properties();
            properties.insert_with(&CONNECTION, connection, roll_back)?;
            Ok::<_, BoxError>(())
        };
        properties
            .get_or_try_init_async(&CONNECTION_IS_MADE, make)
            .await?;
        let connection = properties.get(&CONNECTION);
        self.lend(connection.ok_or(PropertyError::SessionEnded)?)
            .await
    }

    /// Lends it as soon as nobody else has it.
    async fn lend<T: Send + 'static>(
        &self,
        lent: PropertyRef<Arc<Lock<T>>>,
    ) -> Result<OwnedMutexGuard<T>, PropertyError> {
        let free = Arc::clone(&lent).lock_owned();
        let Ok(guard) = timeout(LEND_TIMEOUT, free).await else {
            return Err(PropertyError::Busy);
        };
        if self.session.is_completed() {
            return Err(PropertyError::SessionEnded);
        }
        Ok(guard)
    }
}

async fn roll_back(connection: Arc<Lock<Connection>>) -> io::Result<()> {
    match Arc::into_inner(connection) {
        Some(connection) => connection.into_inner().roll_back().await,
        // It is still lent: its holder drops it.
        None => Ok(()),
    }
}

/// Calls every accessor.
pub fn touch(session: Session, app: Arc<App>) -> Touched {
    Box::pin(async move {
        let bench = Workbench::of(session, app);
        bench.set_user(User("ada".to_owned()))?;
        bench.hits()?.fetch_add(1, Ordering::Relaxed);
        bench.notes()?.lock().expect("nobody panics").clear();
        bench.running()?.start();
        bench.cursor().await?.advance();
        bench.connection().await?.execute("begin");
        let user = bench.user().map(|user| user.0.clone());
        let theme = bench.theme()?.name().to_owned();
        let peer = bench.socket().await?.peer().to_owned();
        let words = bench.log()?.count() + bench.index().await?.count();
        Ok(format!("{user:?} {theme} {peer} {words}"))
    })
}
