use std::any::Any;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum_session::{SessionConfig, SessionNullPool, SessionStore};
use session_core::{LocalSession, Property, Session, SessionManager, SessionProperties};
use tokio::runtime::Runtime;
use tower_service::Service;
use tower_sessions::MemoryStore;

use crate::child;
use crate::report::Verdict;
use crate::request::counted_session;

/// The number of sessions created.
pub const SESSIONS: usize = 100_000;

/// Something that holds sessions.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    name: &'static str,
    fill: fn(&Runtime) -> Box<dyn Any>,
    /// The bytes that a session may have allocated. A peer has no budget.
    budget: Option<f64>,
}

/// The compared cases.
pub const HOLDERS: [Holder; 5] = [
    Holder {
        name: "a live session with no property",
        fill: bare,
        budget: Some(200.0),
    },
    Holder {
        name: "a live session with a property set and a counter in it",
        fill: with_a_counter,
        budget: Some(380.0),
    },
    Holder {
        name: "a live session with a property set and four lists in it",
        fill: with_four,
        budget: Some(1_000.0),
    },
    Holder {
        name: "tower-sessions `MemoryStore`, with a counter",
        fill: tower_sessions,
        budget: None,
    },
    Holder {
        name: "axum_session without a database, with a counter",
        fill: axum_session,
        budget: None,
    },
];

/// Measures the row.
pub fn run() -> Vec<Verdict> {
    println!("\n### 6. The memory of a live session, with {SESSIONS} of them\n");
    println!("| case | resident bytes | allocated bytes |");
    println!("|---|---:|---:|");
    let mut verdicts = Vec::new();
    for (place, holder) in HOLDERS.iter().enumerate() {
        // Each in its own process, so that no case reuses memory that another left behind.
        let resident = child::resident(place);
        let allocated = child::allocated(place);
        println!("| {} | {resident:.0} | {allocated:.0} |", holder.name);
        verdicts.extend(holder.budget.map(|budget| Verdict {
            what: format!("bytes allocated for {}", holder.name),
            measured: format!("{allocated:.0}"),
            base: String::new(),
            ratio: String::new(),
            budget: format!("{budget:.0}"),
            ok: allocated <= budget,
        }));
    }
    verdicts
}

impl Holder {
    /// The name of the case.
    pub fn name(self) -> &'static str {
        self.name
    }

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
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it here");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("it is there");
    kilobytes.parse::<f64>().expect("it is a number") * 1024.0
}

fn bare(_: &Runtime) -> Box<dyn Any> {
    fill_with(|_| {})
}

fn fill_with(used: impl Fn(&Session)) -> Box<dyn Any> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    for _ in 0..SESSIONS {
        used(&sessions.create().expect("there is room"));
    }
    Box::new(sessions)
}

#[derive(SessionProperties)]
struct Counters {
    #[property(default)]
    hits: Property<AtomicU64>,
}

#[derive(SessionProperties)]
struct Lists {
    #[property(default)]
    searches: Property<Vec<u8>>,
    #[property(default)]
    results: Property<Vec<u8>>,
    #[property(default)]
    notes: Property<Vec<u8>>,
    #[property(default)]
    errors: Property<Vec<u8>>,
}

fn with_a_counter(_: &Runtime) -> Box<dyn Any> {
    fill_with(|session| {
        let counters = session.props::<Counters>().expect("it is active");
        counters.hits().expect("a default does not fail");
    })
}

fn with_four(_: &Runtime) -> Box<dyn Any> {
    fill_with(|session| {
        let lists = session.props::<Lists>().expect("it is active");
        for list in [
            lists.searches(),
            lists.results(),
            lists.notes(),
            lists.errors(),
        ] {
            list.expect("a default does not fail");
        }
    })
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
