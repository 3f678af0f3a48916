//! A server's life in short. Sessions, properties, owned values and tasks come and go, requests are cancelled at
//! random, and memory stays as it was.
//!
//! It runs for `SESSION_SOAK_SECONDS`, ten unless told otherwise.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use session_core::{
    Exclusive, GroupId, InitContext, LocalSession, Property, PropertyKey, Session, SessionManager,
    SessionProperties, WhenFull,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds of churn that one check of the memory covers.
const ROUNDS: u64 = 2_000;

/// How long the tables of the allocator, of tokio and of the timer grow at first.
const WARM_UP: Duration = Duration::from_secs(2);

/// Short, since an ended session's id stays in the timer until it would have been due.
const IDLE: Duration = Duration::from_millis(500);

/// The bytes that the test itself, or a thread that is ending, may still hold.
const ONCE: usize = 4 * 1024;

/// The bytes that the ids in the timer and the reserves of tables may take.
const SLACK: usize = 256 * 1024;

const NOTES: PropertyKey<Vec<u64>> = PropertyKey::new("notes");

/// The counts of what the server's visitors have opened and what has been closed.
#[derive(Default)]
struct App {
    opened: AtomicU64,
    closed: AtomicU64,
}

struct Connection(Arc<App>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(SessionProperties)]
#[session(state = Arc<App>)]
struct Visitor {
    #[property(async_init = open, close = close)]
    connection: Exclusive<Connection>,
    #[property(default)]
    seen: Property<AtomicU64>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct User {
    #[property(init = || vec![0; 64])]
    history: Property<Vec<u8>>,
}

async fn open(cx: &InitContext<Arc<App>>) -> Connection {
    tokio::task::yield_now().await;
    cx.state().opened.fetch_add(1, Ordering::Relaxed);
    Connection(cx.state().clone())
}

async fn close(connection: Connection) {
    tokio::task::yield_now().await;
    drop(connection);
}

/// A small generator, so that every run churns alike.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn request(session: Session, dice: u64) -> Option<()> {
    let guard = session.enter().ok()?;
    let visitor = session.props::<Visitor>().ok()?;
    match dice {
        0 => drop(visitor.connection().await.ok()?),
        1 => {
            visitor.seen().ok()?.fetch_add(1, Ordering::Relaxed);
        }
        2 => {
            let owned = session.take_ownership(vec![dice; 32]).ok()?;
            owned.dispose();
        }
        3 => drop(session.take_ownership(String::from("until the end")).ok()?),
        4 => {
            session.properties().replace(&NOTES, vec![dice]).ok()?;
        }
        5 => {
            session.properties().remove(&NOTES).ok()?;
        }
        6 => {
            let _task = session
                .spawn(session_core::CancellationToken::cancelled_owned)
                .ok()?;
        }
        7 => {
            session.group().props::<User>().ok()?.history().ok()?;
        }
        8 => {
            let _id = session.cycle_id().ok()?;
        }
        9 => session
            .join(GroupId::from(format!("user {}", dice % 3)))
            .ok()?,
        _ => {
            let _kept = session.keep_alive().ok()?;
            tokio::task::yield_now().await;
        }
    }
    drop(guard);
    Some(())
}

async fn churn(sessions: &SessionManager, dice: &mut Dice) {
    let mut live: Vec<Session> = Vec::new();
    for _ in 0..ROUNDS {
        match dice.roll(10) {
            0 | 1 => {
                let created = match dice.roll(2) {
                    0 => sessions.create(),
                    _ => sessions.create_in(GroupId::from(format!("user {}", dice.roll(20)))),
                };
                live.extend(created);
            }
            2 if !live.is_empty() => {
                let at = usize::try_from(dice.roll(live.len() as u64)).unwrap();
                live.swap_remove(at).terminate();
            }
            _ if !live.is_empty() => {
                let at = usize::try_from(dice.roll(live.len() as u64)).unwrap();
                let request = tokio::spawn(request(live[at].clone(), dice.roll(11)));
                if dice.roll(4) == 0 {
                    // The client hangs up, at once or a little later.
                    for _ in 0..dice.roll(3) {
                        tokio::task::yield_now().await;
                    }
                    request.abort();
                }
            }
            _ => {}
        }
        live.retain(|session| !session.is_completed());
        if live.len() > 100 {
            live.swap_remove(0).terminate();
        }
        tokio::task::yield_now().await;
    }
    for session in live.drain(..) {
        session.terminate();
        let report = session.cleanup_completed().await;
        assert!(report.problems().is_empty(), "{report:?}");
    }
    while sessions.stats().in_cleanup > 0 {
        tokio::task::yield_now().await;
    }
}

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Memory that is held only now and then (a table that is being moved, say) does not count.
fn median(looks: &[usize]) -> usize {
    let mut looks = looks.to_vec();
    looks.sort_unstable();
    looks[looks.len() / 2]
}

/// A server's whole life: it churns until `until` and is shut down.
fn live(until: Instant) {
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let app = Arc::new(App::default());
    runtime.block_on(async {
        let sessions = SessionManager::builder()
            .idle_timeout(IDLE)
            .max_sessions(1_000, WhenFull::EvictIdlest)
            .state(app.clone())
            .build()
            .expect("there is a runtime");
        let mut dice = Dice(42);
        let mut looks = Vec::new();
        while looks.is_empty() || Instant::now() < until {
            churn(&sessions, &mut dice).await;
            if start.elapsed() > WARM_UP {
                looks.push(live_bytes());
            }
        }
        let created = sessions.stats().created;
        let third = looks.len().div_ceil(3);
        let (early, late) = (
            median(&looks[..third]),
            median(&looks[looks.len() - third..]),
        );
        println!(
            "{created} sessions came and went; {early} bytes held early on, {late} at the end"
        );
        assert!(late <= early + SLACK, "{looks:?}");

        let report = sessions.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_clean(), "{report:?}");
    });
    drop(runtime);
    assert_eq!(
        app.opened.load(Ordering::Relaxed),
        app.closed.load(Ordering::Relaxed)
    );
    assert!(
        Arc::into_inner(app).is_some(),
        "the manager and its sessions are gone, and with them the state"
    );
}

#[test]
fn memory_is_flat_and_nothing_leaks() {
    let seconds = std::env::var("SESSION_SOAK_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    // The first life allocates the things that a process allocates once.
    live(Instant::now());
    let before = live_bytes();
    live(Instant::now() + Duration::from_secs(seconds.unwrap_or(10)));
    let after = live_bytes();
    println!("{before} bytes before the second life, {after} after it");
    assert!(after <= before + ONCE, "{} bytes leaked", after - before);
}
