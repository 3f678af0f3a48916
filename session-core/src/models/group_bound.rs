//! The bound of a group: it is never exceeded, one session is ended for one that comes, and a session that is refused
//! stays where and what it was.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::sessions::session::Session;
use crate::settings::WhenFull;
use crate::{CompletionCause, CreateError, CycleError, JoinError, LocalSession as _};

fn id(name: &str) -> GroupId {
    GroupId::from(name)
}

fn bounded(max: usize, when_full: WhenFull) -> World {
    World::with(|settings| settings.max_per_group = Some((max, when_full)))
}

/// The number of active sessions in the group.
fn active(world: &World, name: &str) -> usize {
    let group = world.sessions.groups.get(&id(name));
    let active = |group: crate::SessionGroup| {
        let sessions = group.members(|member| member.is_active);
        let active = sessions.into_iter().filter_map(Session::of);
        active.filter(|session| !session.is_completed()).count()
    };
    group.map_or(0, active)
}

fn is_evicted(session: &Session) -> bool {
    session.completion_cause() == Some(CompletionCause::Evicted)
}

#[test]
fn joins_and_a_creation_at_the_bound() {
    explore(|| {
        let world = bounded(2, WhenFull::Reject);
        let member = world.session_in(&id("g"));
        let (one, other) = (world.session(), world.session());
        let admitted = AtomicUsize::new(0);
        let count = |admitted_one: bool| {
            assert!(active(&world, "g") <= 2);
            admitted.fetch_add(usize::from(admitted_one), Ordering::Relaxed);
        };
        let join = |session: &Session| match session.join(id("g")) {
            Ok(()) => count(true),
            Err(error) => {
                assert_eq!(error, JoinError::Full);
                assert_eq!(session.group().id(), None);
                count(false);
            }
        };
        race!(|| join(&one), || join(&other), || {
            match world.try_create(Some(&id("g"))) {
                Ok(_) => count(true),
                Err(error) => {
                    assert_eq!(error, CreateError::Full);
                    count(false);
                }
            }
        });
        assert_eq!(admitted.into_inner(), 1);
        assert_eq!(active(&world, "g"), 2);
        // The place in the manager of the one that was refused is free again.
        assert_eq!(world.sessions.active(), world.sessions.all().len());
        assert!(!member.is_completed());
        world.end();
    });
}

/// A session that leaves the group, or ends, makes room.
#[test]
fn a_join_against_those_that_leave() {
    explore(|| {
        let world = bounded(2, WhenFull::Reject);
        let (ending, moving) = (world.session_in(&id("g")), world.session_in(&id("g")));
        let (one, other) = (world.session(), world.session());
        race!(
            || ending.terminate(),
            || moving.join(id("h")).unwrap(),
            || {
                let _joined = one.join(id("g"));
                assert!(active(&world, "g") <= 2);
            },
        );
        // Room has come about for two.
        assert_eq!(other.join(id("g")), Ok(()));
        assert_eq!(one.join(id("g")), Ok(()));
        assert_eq!(world.session().join(id("g")), Err(JoinError::Full));
        world.end();
    });
}

/// One session ends for each that comes.
#[test]
fn joins_against_their_own_evictions() {
    explore(|| {
        let world = bounded(1, WhenFull::EvictIdlest);
        let member = world.session_in(&id("g"));
        let (one, other) = (world.session(), world.session());
        let join = |session: &Session| {
            // The other may have ended it already, as soon as it was a member.
            session.join(id("g")).unwrap();
            assert!(active(&world, "g") <= 1);
        };
        race!(|| join(&one), || join(&other), || drop(member.enter()));
        assert!(is_evicted(&member));
        assert_ne!(is_evicted(&one), is_evicted(&other));
        assert_eq!(active(&world, "g"), 1);
        world.end();
    });
}

/// A session that is about to be evicted, and moves to another group before, goes on.
#[test]
fn eviction_against_a_move() {
    explore(|| {
        let world = bounded(2, WhenFull::EvictIdlest);
        // The group stays open when the member has moved, and another session fills it again.
        let stays = world.session_in(&id("g"));
        let inside = stays.enter().unwrap();
        let member = world.session_in(&id("g"));
        let (one, other) = (world.session(), world.session());
        let moved = AtomicBool::new(false);
        race!(
            || moved.store(member.join(id("h")).is_ok(), Ordering::Relaxed),
            || one.join(id("g")).unwrap(),
            || other.join(id("g")).unwrap(),
        );
        assert_ne!(moved.into_inner(), is_evicted(&member));
        assert_ne!(is_evicted(&one), is_evicted(&other));
        assert!(!stays.is_completed());
        drop(inside);
        world.end();
    });
}

/// No session is ended for a creation if another one leaves room.
#[test]
fn eviction_against_termination() {
    explore(|| {
        let world = bounded(2, WhenFull::EvictIdlest);
        let (one, other) = (world.session_in(&id("g")), world.session_in(&id("g")));
        let safe = AtomicBool::new(false);
        race!(
            || {
                other.terminate();
                // There is room for one more from now on, and no more than one comes.
                safe.store(!one.is_completed(), Ordering::Relaxed);
            },
            || drop(world.session_in(&id("g"))),
        );
        assert!(!safe.into_inner() || !is_evicted(&one));
        assert_eq!(active(&world, "g"), 2 - usize::from(is_evicted(&one)));
        world.end();
    });
}

/// Two sessions change groups in opposite directions, and both groups are full.
#[test]
fn two_that_change_places() {
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        for log_in in [false, true] {
            explore(match (when_full, log_in) {
                (WhenFull::Reject, false) => || crosswise(WhenFull::Reject, false),
                (WhenFull::Reject, true) => || crosswise(WhenFull::Reject, true),
                (WhenFull::EvictIdlest, false) => || crosswise(WhenFull::EvictIdlest, false),
                (WhenFull::EvictIdlest, true) => || crosswise(WhenFull::EvictIdlest, true),
            });
        }
    }
}

fn crosswise(when_full: WhenFull, log_in: bool) {
    let world = bounded(1, when_full);
    let (one, other) = (world.session_in(&id("g")), world.session_in(&id("h")));
    let go = |session: &Session, to: &str| {
        let moved = if log_in {
            let Ok(mut request) = session.enter() else {
                return;
            };
            request.log_in(id(to)).map(drop).map_err(|error| {
                let full = error == CycleError::Full;
                assert!(full || error == CycleError::SessionEnded);
                full
            })
        } else {
            let moved = session.join(id(to));
            moved.map_err(|error| error == JoinError::Full)
        };
        match when_full {
            WhenFull::Reject => assert_eq!(moved, Err(true)),
            // It may have been ended in its turn, and is not refused.
            WhenFull::EvictIdlest => assert_ne!(moved, Err(true)),
        }
    };
    race!(|| go(&one, "h"), || go(&other, "g"));
    world.sessions.env.runtime.settle();
    for group in ["g", "h"] {
        assert!(active(&world, group) <= 1);
    }
    if when_full == WhenFull::Reject {
        assert_eq!(one.group().id(), Some(&id("g")));
        assert_eq!(other.group().id(), Some(&id("h")));
    }
    world.end();
}

/// A log-in that is refused changes nothing. One that succeeds is not listed in the group before the old id is dead.
#[test]
fn a_log_in_at_the_bound() {
    explore(|| {
        let world = bounded(1, WhenFull::Reject);
        let member = world.session_in(&id("user"));
        let session = world.session_in(&id("before"));
        let old = session.id();
        let mut request = session.enter().unwrap();
        let other = session.enter().unwrap();
        race!(
            || match request.log_in(id("user")) {
                Ok(new) => {
                    assert_eq!(session.id(), new.id());
                    assert_eq!(session.group().id(), Some(&id("user")));
                }
                Err(error) => {
                    assert_eq!(error, CycleError::Full);
                    assert_eq!(session.id(), old);
                    assert!(world.sessions.enter(&old).is_ok());
                    assert!(!other.is_parted() && !request.is_parted());
                    assert_eq!(session.group().id(), Some(&id("before")));
                    assert_eq!(active(&world, "before"), 1);
                }
            },
            || member.terminate(),
            || {
                let group = world.sessions.groups.get(&id("user"));
                let listed = group.is_some_and(|group| group.sessions().contains(&session));
                assert!(!listed || world.sessions.enter(&old).is_err());
            },
        );
        drop((request, other));
        world.end();
    });
}
