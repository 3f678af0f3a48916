//! The sweeper and eviction against requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, close_later, explore, race};
use crate::builder::WhenFull;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::sync::runtime::advance;
use crate::{CreateError, LocalSession as _, PropertyKey};

const IDLE: Duration = Duration::from_secs(10);
/// More than a bucket's width at that timeout.
const BUCKET: Duration = Duration::from_millis(200);

/// The sweeper ends a session once it has been idle for its timeout, and never before.
#[test]
fn a_request_against_the_sweeper() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let shared = &world.shared;
        let session = world.session();
        let token = session.completion_token();
        let sweep = shared.expiry.clone().sweep(Arc::downgrade(shared));
        let sweeper = shared.runtime.spawn(sweep);

        let arrived = AtomicU64::new(0);
        race!(|| advance(IDLE + BUCKET), || {
            if let Ok(guard) = session.enter() {
                arrived.store(shared.clock.now().0, Ordering::Relaxed);
                assert!(session.local().cause().is_none(), "ended during a request");
                drop(guard);
            }
        },);
        if session.is_completed() {
            let idle = shared.clock.past().since(Ticks(arrived.into_inner()));
            assert!(idle >= IDLE, "ended too early");
        }

        // Nobody comes any more: if it does not end now it never does.
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

/// Who entered is not evicted, not even by a look that was taken before: another goes instead.
#[test]
fn a_request_against_eviction() {
    explore(|| {
        let world = World::with(|settings| {
            settings.idle_timeout = IDLE;
            settings.max_sessions = 2;
            settings.when_full = WhenFull::EvictIdlest;
        });
        let idlest = world.session();
        advance(BUCKET);
        let other = world.session();
        advance(BUCKET);
        let entered = AtomicBool::new(false);
        race!(
            || {
                if let Ok(guard) = idlest.enter() {
                    entered.store(true, Ordering::Relaxed);
                    assert!(idlest.local().cause().is_none());
                    advance(BUCKET);
                    drop(guard);
                }
            },
            || drop(world.session()),
        );
        let (evicted, left) = if entered.into_inner() {
            (&other, &idlest)
        } else {
            (&idlest, &other)
        };
        assert_eq!(evicted.completion_cause(), Some(CompletionCause::Evicted));
        assert_eq!(left.completion_cause(), None);
        assert_eq!(world.shared.stats().active, 2);
        world.end();
    });
}

/// A creation that evicts gets the place; one that is refused evicts nobody.
#[test]
fn a_creation_that_is_refused_has_evicted_nobody() {
    const KEY: PropertyKey<super::harness::Probe> = PropertyKey::new("probe");
    explore(|| {
        let world = World::with(|settings| {
            settings.max_sessions = 1;
            settings.when_full = WhenFull::EvictIdlest;
        });
        let session = world.session();
        let inserted = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close_later);
        assert!(inserted.is_ok());
        drop(inserted);
        let created = AtomicBool::new(false);
        race!(
            || drop(session.enter()),
            || match world.shared.create(None) {
                Ok(_) => created.store(true, Ordering::Relaxed),
                Err(error) => assert_eq!(error, CreateError::Full),
            },
        );
        let evicted = session.completion_cause().is_some();
        assert_eq!(evicted, created.into_inner());
        world.end();
    });
}
