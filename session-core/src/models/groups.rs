//! Groups: an active session's group is active and registered under its name. Every other group ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::future::block_on;

use super::harness::{Probe, World, close, explore, race};
use crate::id::GroupId;
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;
use crate::{CancellationToken, LocalSession as _, PropertyKey};

const KEY: PropertyKey<Probe> = PropertyKey::new("probe");

fn name() -> GroupId {
    GroupId::from("g")
}

/// The groups that the threads have seen.
#[derive(Default)]
struct Met(Mutex<Vec<SessionGroup>>);

impl Met {
    /// Notes the group, and creates a property in it if it has none.
    fn note(&self, world: &World, group: SessionGroup) {
        if let Err(refused) = group
            .properties()
            .insert_with(&KEY, world.tally.make(), close)
        {
            refused.into_value().take_back();
        }
        self.0.lock().unwrap().push(group);
    }

    fn check(&self, world: &World, sessions: &[&Session]) {
        world.sessions.env.runtime.settle();
        let mut own = Vec::new();
        for session in sessions {
            if session.is_completed() {
                continue;
            }
            let group = session.group();
            assert!(!group.is_completed(), "an active session of an ended group");
            assert!(group.sessions().contains(session));
            if let Some(id) = group.id() {
                assert_eq!(world.sessions.groups.get(id), Some(group.clone()));
            }
            own.push(group);
        }
        for group in self.0.lock().unwrap().iter() {
            if !own.contains(group) {
                assert!(group.is_completed(), "nobody ends it");
            }
        }
        for session in sessions {
            session.terminate();
        }
        world.end();
        for group in self.0.lock().unwrap().iter() {
            assert!(group.is_completed());
            let _cleaned_up = block_on(group.cleanup_completed());
        }
    }
}

#[test]
fn the_last_leave_against_a_new_session_and_a_join() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let last = world.session_in(&name());
        met.note(&world, last.group());
        let joining = world.session();
        let created = Mutex::new(None);
        race!(
            || last.terminate(),
            || {
                joining.join(name()).unwrap();
                met.note(&world, joining.group());
            },
            || {
                let session = world.session_in(&name());
                met.note(&world, session.group());
                *created.lock().unwrap() = Some(session);
            },
        );
        let created = created.into_inner().unwrap().unwrap();
        met.check(&world, &[&last, &joining, &created]);
    });
}

#[test]
fn termination_against_a_new_session_and_a_join() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let joining = world.session();
        met.note(&world, joining.group());
        let created = Mutex::new(None);
        race!(
            || {
                let session = world.session_in(&name());
                met.note(&world, session.group());
                *created.lock().unwrap() = Some(session);
            },
            || {
                if joining.join(name()).is_ok() {
                    met.note(&world, joining.group());
                }
            },
            || {
                if let Some(group) = world.sessions.groups.get(&name()) {
                    group.terminate();
                    let _report = block_on(group.cleanup_completed());
                    assert!(group.is_completed());
                    met.note(&world, group);
                }
            },
        );
        let created = created.into_inner().unwrap().unwrap();
        met.check(&world, &[&joining, &created]);
    });
}

/// A session moves on while a request is inside. The old group's cleanup waits for that request, and not for any that
/// came later.
#[test]
fn a_request_inside_against_its_session_leaving_the_group() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let session = world.session_in(&name());
        let group = session.group();
        met.note(&world, group.clone());
        let guard = session.enter().unwrap();
        let (left, visited) = (AtomicBool::new(false), CancellationToken::new());
        race!(
            || {
                block_on(visited.cancelled());
                left.store(true, Ordering::Relaxed);
                drop(guard);
            },
            || {
                drop(session.enter());
                visited.cancel();
            },
            || {
                for next in ["h", "i"] {
                    session.join(GroupId::from(next)).unwrap();
                    met.note(&world, session.group());
                }
            },
            || {
                let report = block_on(group.cleanup_completed());
                assert!(report.is_clean(), "{report:?}");
                assert!(left.load(Ordering::Relaxed), "a request was not waited for");
            },
        );
        met.check(&world, &[&session]);
    });
}

/// A request leaves as its session moves on. It is not mistaken for another that is still inside.
#[test]
fn two_requests_inside_against_a_move() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let session = world.session_in(&name());
        let (stays, leaves) = (session.enter().unwrap(), session.enter().unwrap());
        session.join(GroupId::from("h")).unwrap();
        let group = session.group();
        met.note(&world, group.clone());
        let left = AtomicBool::new(false);
        race!(
            || drop(leaves),
            || {
                session.join(GroupId::from("i")).unwrap();
                met.note(&world, session.group());
                left.store(true, Ordering::Relaxed);
                drop(stays);
            },
            || {
                let report = block_on(group.cleanup_completed());
                assert!(report.is_clean(), "{report:?}");
                assert!(left.load(Ordering::Relaxed), "a request was not waited for");
            },
        );
        met.check(&world, &[&session]);
    });
}

/// Two sessions leave at the same time, one by its end and one by a move.
#[test]
fn two_last_members_leave() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let ending = world.session_in(&name());
        let moving = world.session_in(&name());
        let group = ending.group();
        met.note(&world, group.clone());
        race!(
            || ending.terminate(),
            || {
                moving.join(GroupId::from("h")).unwrap();
                met.note(&world, moving.group());
            },
            || {
                let _cleaned_up = block_on(ending.cleanup_completed());
                assert!(!group.sessions().contains(&ending), "still a member");
            },
        );
        met.check(&world, &[&ending, &moving]);
    });
}

#[test]
fn a_join_against_completion() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let session = world.session_in(&name());
        met.note(&world, session.group());
        race!(
            || {
                let _ended = session.join(GroupId::from("h"));
                met.note(&world, session.group());
            },
            || session.terminate(),
        );
        met.check(&world, &[&session]);
    });
}

/// An anonymous group is created on first use, once, even at the moment of its session's end.
#[test]
fn an_anonymous_group_against_completion() {
    explore(|| {
        let world = World::new();
        let met = Met::default();
        let session = world.session();
        let ask = || met.note(&world, session.group());
        race!(ask, ask, || session.terminate());
        assert!(
            met.0
                .lock()
                .unwrap()
                .iter()
                .all(|group| *group == session.group())
        );
        met.check(&world, &[&session]);
    });
}
