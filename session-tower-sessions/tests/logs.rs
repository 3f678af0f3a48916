//! The log lines for an operator, which show no id. Alone in its process: tracing caches a callsite's interest at first
//! use.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::{Router, routing::get};
use session_core::{LocalSession as _, PropertyKey, SessionManager};
use session_test::Browser;
use session_tower_sessions::LiveSessions;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{MemoryStore, Session as Theirs, SessionManagerLayer, SessionStore};
use tracing_subscriber::filter::LevelFilter;

const DRAFT: PropertyKey<String> = PropertyKey::new("draft");

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A store that is away from time to time.
#[derive(Clone, Debug, Default)]
struct Store {
    records: MemoryStore,
    away: Arc<AtomicBool>,
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.records.create(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.records.save(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Error::Backend("the store is away".to_owned()));
        }
        self.records.load(id).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.records.delete(id).await
    }
}

#[tokio::test]
async fn an_operator_is_told_and_no_id_is_shown() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    let sessions = SessionManager::builder().build().unwrap();
    let store = Store::default();
    let app = Router::new()
        .route(
            "/live",
            get(async |live: session_axum::Session, theirs: Theirs| {
                theirs.insert("marker", true).await.unwrap();
                live.id().encode()
            }),
        )
        .route(
            "/forgotten",
            get(async |live: session_axum::Session| {
                live.properties().insert(&DRAFT, String::new()).unwrap();
                live.id().encode()
            }),
        )
        .route(
            "/cycle",
            get(async |theirs: Theirs| theirs.cycle_id().await.unwrap()),
        )
        .route(
            "/log-out",
            get(async |theirs: Theirs| theirs.flush().await.unwrap()),
        )
        .layer(LiveSessions::around(
            sessions,
            SessionManagerLayer::new(store.clone()),
        ));
    let forgotten = Browser::new(app.clone());
    let ann = Browser::new(app);
    let mut secrets = vec![
        forgotten.get("/forgotten").await.text().to_owned(),
        ann.get("/live").await.text().to_owned(),
    ];
    let mut remember = || secrets.extend(ann.cookie("id"));
    remember();
    store.away.store(true, Ordering::Relaxed);
    ann.get("/live").await.assert_status(503);
    store.away.store(false, Ordering::Relaxed);
    ann.get("/cycle").await.assert_status(200);
    remember();
    ann.get("/log-out").await.assert_status(200);
    ann.get("/live").await.assert_status(200);
    remember();
    let id = ann.cookie("id").unwrap().parse::<Id>().unwrap();
    store.records.delete(&id).await.unwrap();
    ann.get("/log-out").await.assert_status(200);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in [
        "no live session for a request",
        "the store is away",
        "the id in tower-sessions has changed",
        "logged out of tower-sessions",
        "tower-sessions no longer knows the id",
        "set `LiveSessions::with_marker`",
    ] {
        assert!(log.contains(line), "{line} is not in\n{log}");
    }
    assert_eq!(secrets.len(), 5);
    assert_eq!(log.matches("with_marker").count(), 1, "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{log}");
    }
}
