//! Activity against an end by idleness: a session with a request inside is not ended, and a request that comes too late
//! is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::harness::{World, end_if_idle, exhaust, explore, race};
use crate::life::activity::Activity;
use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sessions::session::Session;
use crate::sync::runtime::advance;

/// The word alone: a decision with an older limit never misses a request that comes and goes.
#[test]
fn a_visit_against_an_idle_end_in_the_word() {
    exhaust(|| {
        let activity = Activity::new(Ticks(0));
        let entered = AtomicBool::new(false);
        let ended = shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                if let Some(epoch) = activity.enter() {
                    entered.store(true, Ordering::Relaxed);
                    activity.leave(epoch, || Ticks(5));
                }
            });
            let locked = &mut State::default();
            activity.complete_if_idle(locked, Ticks(0)).is_ok()
        });
        assert_ne!(ended, entered.into_inner());
        assert_eq!(activity.inside(), 0);
    });
}

/// Runs `visit` against an end by idleness whose limit is older than the visit.
fn against_idle_end(visit: fn(&Session) -> bool) {
    let world = World::new();
    let session = world.session();
    let limit = session.created();
    let (visited, ended) = (AtomicBool::new(false), AtomicBool::new(false));
    race!(|| visited.store(visit(&session), Ordering::Relaxed), || {
        ended.store(end_if_idle(&session, limit), Ordering::Relaxed);
    });
    assert_ne!(visited.into_inner(), ended.into_inner());
    world.end();
}

/// A visit during which time passes.
fn pass(session: &Session) {
    advance(Duration::from_secs(1));
    assert!(session.local().cause().is_none(), "ended during a visit");
}

#[test]
fn a_request_against_an_idle_end() {
    explore(|| {
        against_idle_end(|session| session.enter().map(|_guard| pass(session)).is_ok());
    });
}

#[test]
fn a_keep_alive_guard_against_an_idle_end() {
    explore(|| {
        against_idle_end(|session| session.keep_alive().map(|_guard| pass(session)).is_ok());
    });
}

/// Of two guards that keep a session alive, dropping the first ends nothing.
#[test]
fn keep_alive_guards_against_each_other() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let limit = session.created();
        let keep = || {
            let kept = session.keep_alive().expect("the session is active");
            assert!(!end_if_idle(&session, limit), "ended during activity");
            drop(kept);
        };
        race!(keep, keep);
        world.end();
    });
}
