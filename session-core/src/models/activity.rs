//! Activity against an end by idleness: a session with a request inside is not ended, and a request that comes too late
//! is refused.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Probe, World, end_if_idle, exhaust, explore, race};
use crate::id::GroupId;
use crate::life::activity::Activity;
use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sessions::session::Session;
use crate::sync::runtime::advance;
use crate::{LocalSession as _, PropertyKey, RequestGuard};

const PROBE: PropertyKey<Probe> = PropertyKey::new("probe");

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

/// Two threads make the first clone of one guard. It is one request all the same, which leaves once.
#[test]
fn clones_of_a_guard_against_each_other() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let guard = session.enter().unwrap();
        let inside = || session.local().activity.inside();
        let clones = Mutex::new(Vec::new());
        let clone = || {
            drop(guard.clone());
            let clone = guard.clone();
            clones.lock().unwrap().push(clone);
        };
        race!(clone, clone);
        let mut clones = clones.into_inner().unwrap();
        drop(guard);
        assert_eq!(inside(), 1);
        drop(clones.remove(0));
        assert_eq!(inside(), 1);
        drop(clones);
        assert_eq!(inside(), 0);
        world.end();
    });
}

/// Cleanup waits for the last guard of a request, and no longer.
#[test]
fn the_clones_of_a_guard_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let properties = session.properties();
        properties.insert(&PROBE, world.tally.make_plain()).unwrap();
        let guard = session.enter().unwrap();
        let clone = guard.clone();
        let leave = |guard: RequestGuard| {
            let clone = guard.clone();
            drop(guard);
            assert_eq!(world.tally.closed(), 0, "closed under a request");
            drop(clone);
        };
        race!(move || leave(guard), move || leave(clone), || {
            session.terminate();
            let report = block_on(session.cleanup_completed());
            assert!(report.is_clean(), "{report:?}");
        });
        world.end();
    });
}

/// The group that is left waits for the last guard of a request that was inside, and for the other request.
#[test]
fn the_clones_of_a_guard_against_a_join() {
    explore(|| {
        let world = World::new();
        let session = world.session_in(&GroupId::from("old"));
        let old = session.group();
        let value = world.tally.make_plain();
        old.properties().insert(&PROBE, value).unwrap();
        let guard = session.enter().unwrap();
        let other = session.enter().unwrap();
        let not_closed = || assert_eq!(world.tally.closed(), 0, "closed under a request");
        race!(
            move || {
                let clone = guard.clone();
                drop(guard);
                not_closed();
                drop(clone);
            },
            move || {
                not_closed();
                drop(other);
            },
            || session.join(GroupId::from("new")).unwrap(),
        );
        assert!(block_on(old.cleanup_completed()).is_clean());
        assert_eq!(world.tally.closed(), 1);
        world.end();
    });
}
