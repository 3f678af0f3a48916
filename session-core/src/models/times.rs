//! Changes of a session's times against each other, the sweeper, requests and expiry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, end_if_idle, exhaust, explore, race};
use crate::LocalSession as _;
use crate::life::activity::Activity;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::manager::expiry;
use crate::settings::WhenFull;
use crate::sync::runtime::{JoinHandle, advance};

const IDLE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_secs(2);
/// More than a bucket's width at these timeouts.
const BUCKET: Duration = Duration::from_millis(200);

fn sweeper(world: &World) -> JoinHandle<()> {
    let sweep = expiry::sweep(Arc::downgrade(&world.sessions));
    world.sessions.env.runtime.spawn(sweep)
}

/// A shortened timeout is found by the sweeper, also if it is just about to enter the session again by the longer one.
#[test]
fn a_shortened_timeout_against_the_sweeper() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let session = world.session();
        // Active since, so that the sweeper enters it again.
        advance(IDLE);
        drop(session.enter());
        let token = session.completion_token();
        let sweeper = sweeper(&world);
        race!(|| advance(BUCKET), || session.set_idle_timeout(SHORT));
        assert!(!session.is_completed(), "ended too early");

        advance(SHORT + BUCKET);
        block_on(token.cancelled());
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
        sweeper.abort();
        world.end();
    });
}

/// Of several changes the last one counts, and nothing is left of the entries of the others.
#[test]
fn a_change_against_another_and_the_sweeper() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let session = world.session();
        let sweeper = sweeper(&world);
        race!(
            || {
                session.set_idle_timeout(SHORT * 2);
                session.set_idle_timeout(IDLE);
                session.set_idle_timeout(SHORT);
            },
            || session.set_idle_timeout(SHORT),
            || advance(BUCKET),
        );
        assert!(!session.is_completed(), "ended too early");
        advance(SHORT + BUCKET);
        block_on(session.completion_token().cancelled());

        advance(IDLE + BUCKET);
        while world.sessions.deadlines.entries() > 0 {
            shuttle::thread::yield_now();
        }
        assert_eq!(world.sessions.deadlines.moved(), 0);
        sweeper.abort();
        world.end();
    });
}

/// The new id's entry is one by the new timeout.
#[test]
fn a_shortened_timeout_against_a_change_of_the_id() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let session = world.session();
        let sweeper = sweeper(&world);
        race!(|| session.set_idle_timeout(SHORT), || {
            assert!(session.cycle_id().is_ok());
        });
        advance(SHORT + BUCKET);
        block_on(session.completion_token().cancelled());
        sweeper.abort();
        world.end();
    });
}

/// Dropping dead entries drops none that counts, and all others.
#[test]
fn shortened_timeouts_against_compaction() {
    explore(|| {
        let world = World::with(|settings| settings.idle_timeout = IDLE);
        let sessions = &world.sessions;
        for _ in 0..2 {
            world.session().terminate();
        }
        let session = world.session();
        let sweeper = sweeper(&world);
        race!(
            || {
                for seconds in [6, 4, 2] {
                    session.set_idle_timeout(Duration::from_secs(seconds));
                }
            },
            || world.session().terminate(),
        );
        // Without a compaction this never ends.
        while sessions.deadlines.entries() > 2 {
            shuttle::thread::yield_now();
        }
        assert!(!session.is_completed());
        advance(SHORT + BUCKET);
        block_on(session.completion_token().cancelled());
        sweeper.abort();
        world.end();
    });
}

/// With a timeout of zero a session ends with its last activity, whichever that is, and never during one.
#[test]
fn a_timeout_of_zero_against_requests() {
    explore(|| {
        let world = World::with(|settings| settings.when_full = WhenFull::EvictIdlest);
        let session = world.session();
        let request = session.enter();
        let kept = session.keep_alive();
        race!(
            || session.set_idle_timeout(Duration::ZERO),
            || drop(request),
            || drop(kept),
            || if let Ok(guard) = session.enter() {
                assert!(session.local().cause().is_none(), "ended during a request");
                drop(guard);
            },
        );
        // No sweeper runs.
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
        world.end();
    });
}

/// A timeout of zero that is taken back in time ends nothing, and the session can still be evicted.
#[test]
fn a_timeout_of_zero_against_a_longer_one() {
    explore(|| {
        let world = World::with(|settings| {
            settings.max_sessions = 1;
            settings.when_full = WhenFull::EvictIdlest;
        });
        let session = world.session();
        let request = session.enter();
        session.set_idle_timeout(Duration::ZERO);
        // It has another place in the order afterwards.
        advance(BUCKET);
        let longer = AtomicBool::new(false);
        race!(|| drop(request), || {
            session.set_idle_timeout(IDLE);
            let ended = session.is_completed();
            longer.store(!ended, Ordering::Relaxed);
        });
        assert_eq!(session.is_completed(), !longer.into_inner());
        assert!(world.try_create(None).is_ok());
        assert!(session.is_completed());
        world.end();
    });
}

/// The word alone: a session that was touched is not ended by a limit from before.
#[test]
fn a_touch_against_an_idle_end_in_the_word() {
    exhaust(|| {
        let activity = Activity::new(Ticks(0));
        let (before, ended) = shuttle::thread::scope(|scope| {
            let touch = scope.spawn(|| {
                activity.touch(Ticks(5));
                activity.is_completed()
            });
            let ended = activity.complete_if_idle(&mut State::default(), Ticks(0));
            (touch.join().unwrap(), ended.is_ok())
        });
        // If it was not completed after the touch, it was not ended later.
        assert!(before || !ended, "ended in spite of the touch");
    });
}

#[test]
fn a_touch_against_expiry() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let limit = session.created();
        advance(BUCKET);
        let (touched, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        race!(
            || {
                session.touch();
                touched.store(!session.is_completed(), Ordering::Relaxed);
            },
            || ended.store(end_if_idle(&session, limit), Ordering::Relaxed),
        );
        let (touched, ended) = (touched.into_inner(), ended.into_inner());
        assert_ne!(touched, ended, "touched, and ended all the same");
        world.end();
    });
}

/// A touch of an active session does not hide the end of its activity from an eviction, or from a timeout of zero.
#[test]
fn a_touch_against_the_end_of_activity() {
    explore(|| {
        let world = World::with(|settings| settings.when_full = WhenFull::EvictIdlest);
        let session = world.session();
        let request = session.enter();
        race!(|| drop(request), || session.touch(), || session
            .set_idle_timeout(Duration::ZERO),);
        assert!(session.is_completed());
        world.end();
    });
}

/// A request that presents the id at the last moment makes the longer timeout count.
#[test]
fn the_first_request_by_id_against_the_sweeper() {
    explore(|| {
        let world = World::with(|settings| {
            settings.idle_timeout = IDLE;
            settings.unconfirmed_timeout = Some(SHORT);
        });
        let sessions = &world.sessions;
        let session = world
            .create_entered(None)
            .map(|request| request.session().clone());
        let session = session.expect("there is room");
        let sweeper = sweeper(&world);
        let came = AtomicBool::new(false);
        race!(|| advance(SHORT + BUCKET), || {
            let request = sessions.enter(&session.id());
            came.store(request.is_ok(), Ordering::Relaxed);
        });
        if came.into_inner() {
            advance(IDLE / 2);
            for _ in 0..20 {
                assert!(!session.is_completed(), "ended by the shorter timeout");
                shuttle::thread::yield_now();
            }
            advance(IDLE);
        }
        block_on(session.completion_token().cancelled());
        sweeper.abort();
        world.end();
    });
}
