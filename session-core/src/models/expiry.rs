//! The sweeper against requests, and against changes of the entries that it has to sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::LocalSession as _;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::manager::expiry;
use crate::sync::runtime::advance;

const IDLE: Duration = Duration::from_secs(10);
/// More than a bucket's width at that timeout.
const BUCKET: Duration = Duration::from_millis(200);

/// The sweeper ends a session once it has been idle for its timeout, and never before.
#[test]
fn a_request_against_the_sweeper() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let sessions = &world.sessions;
        let session = world.session();
        let token = session.completion_token();
        let sweep = expiry::sweep(Arc::downgrade(sessions));
        let sweeper = sessions.env.runtime.spawn(sweep);

        let arrived = AtomicU64::new(0);
        race!(|| advance(IDLE + BUCKET), || {
            if let Ok(guard) = session.enter() {
                arrived.store(sessions.env.clock.now().0, Ordering::Relaxed);
                assert!(session.local().cause().is_none(), "ended during a request");
                drop(guard);
            }
        },);
        if session.is_completed() {
            let idle = sessions.env.clock.past().since(Ticks(arrived.into_inner()));
            assert!(idle >= IDLE, "ended too early");
        }

        // No more requests come: if the session does not end now, it never does.
        advance(IDLE + BUCKET);
        block_on(token.cancelled());
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
        sweeper.abort();
        world.end();
    });
}

/// Dropping dead entries drops no living one, whatever is added and removed meanwhile.
#[test]
fn changes_of_an_id_against_compaction() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let sessions = &world.sessions;
        for _ in 0..2 {
            world.session().terminate();
        }
        let session = world.session();
        let sweep = expiry::sweep(Arc::downgrade(sessions));
        let sweeper = sessions.env.runtime.spawn(sweep);
        race!(
            || {
                for _ in 0..2 {
                    assert!(session.cycle_id().is_ok());
                }
            },
            || world.session().terminate(),
        );
        // Without a compaction this never ends.
        while sessions.deadlines.entries() > 2 {
            shuttle::thread::yield_now();
        }
        assert!(!session.is_completed());

        advance(IDLE + BUCKET);
        block_on(session.completion_token().cancelled());
        sweeper.abort();
        world.end();
    });
}
