use std::any::Any;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum_session::{SessionConfig, SessionNullPool, SessionStore};
use session_core::{LocalSession, Property, SessionManager, SessionProperties};
use tokio::runtime::Runtime;
use tower_service::Service;
use tower_sessions::MemoryStore;

use crate::child;
use crate::report::Verdict;
use crate::request::counted_session;

/// The number of sessions created.
pub const SESSIONS: usize = 1_000_000;
const MOST_BYTES: f64 = 300.0;

/// Something that holds sessions.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    name: &'static str,
    fill: fn(&Runtime) -> Box<dyn Any>,
}

/// The compared cases, of which the first is judged.
pub const HOLDERS: [Holder; 4] = [
    Holder {
        name: "a live session with no property",
        fill: bare,
    },
    Holder {
        name: "a live session with a property set and a counter in it",
        fill: with_a_set,
    },
    Holder {
        name: "tower-sessions `MemoryStore`, with a counter",
        fill: tower_sessions,
    },
    Holder {
        name: "axum_session without a database, with a counter",
        fill: axum_session,
    },
];

/// Measures the row.
pub fn run() -> Vec<Verdict> {
    println!("\n### 6. The memory of a live session, with 1 M of them\n");
    println!("| case | resident bytes | allocated bytes |");
    println!("|---|---:|---:|");
    let mut measured = Vec::new();
    for (place, holder) in HOLDERS.iter().enumerate() {
        // Each in its own process, so that no case reuses memory that another left behind.
        let resident = child::resident(place);
        let allocated = child::allocated(place);
        println!("| {} | {resident:.0} | {allocated:.0} |", holder.name);
        measured.push(resident);
    }
    let (ours, peer) = (measured[0], measured[2]);
    vec![Verdict {
        what: "resident bytes of a live session; tower-sessions with a counter".to_owned(),
        measured: format!("{ours:.0}"),
        base: format!("{peer:.0}"),
        ratio: format!("{:.2} x", ours / peer),
        budget: format!("{MOST_BYTES:.0}"),
        ok: ours <= MOST_BYTES,
    }]
}

impl Holder {
    /// Creates [`SESSIONS`] sessions, which live as long as the returned value.
    pub fn fill(self, runtime: &Runtime) -> Box<dyn Any> {
        (self.fill)(runtime)
    }
}

/// Returns the resident bytes of a session. To be called once in a process.
pub fn resident_each(holder: usize, runtime: &Runtime) -> f64 {
    let before = resident();
    let sessions = HOLDERS[holder].fill(runtime);
    let bytes = resident() - before;
    drop(sessions);
    bytes / SESSIONS as f64
}

/// The resident bytes of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it here");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("it is there");
    kilobytes.parse::<f64>().expect("it is a number") * 1024.0
}

fn bare(_: &Runtime) -> Box<dyn Any> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    for _ in 0..SESSIONS {
        sessions.create().expect("there is room");
    }
    Box::new(sessions)
}

#[derive(SessionProperties)]
struct Counters {
    #[property(default)]
    hits: Property<AtomicU64>,
}

fn with_a_set(_: &Runtime) -> Box<dyn Any> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    for _ in 0..SESSIONS {
        let session = sessions.create().expect("there is room");
        let counters = session.props::<Counters>().expect("it is active");
        counters.hits().expect("a default does not fail");
    }
    Box::new(sessions)
}

fn tower_sessions(runtime: &Runtime) -> Box<dyn Any> {
    let store = MemoryStore::default();
    runtime.block_on(async {
        for _ in 0..SESSIONS {
            counted_session(&store).await;
        }
    });
    Box::new(store)
}

/// It creates sessions for requests only, so each takes a request.
fn axum_session(runtime: &Runtime) -> Box<dyn Any> {
    async fn set(session: axum_session::Session<SessionNullPool>) {
        session.set("hits", 0_u64);
    }
    runtime.block_on(async {
        let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default());
        let store = store.await.expect("it needs no database");
        let layer = axum_session::SessionLayer::new(store.clone());
        let mut router = Router::new().route("/", get(set)).layer(layer);
        for _ in 0..SESSIONS {
            let response = router
                .call(Request::new(Body::empty()))
                .await
                .expect("it answers");
            assert_eq!(response.status(), StatusCode::OK);
        }
        Box::new(store) as Box<dyn Any>
    })
}
