//! Lingering groups: each is joined, or ends once, and none is left behind.

use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::manager::SessionManager;
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;
use crate::{CompletionCause, LocalSession as _};

fn name() -> GroupId {
    GroupId::from("g")
}

fn world() -> World {
    World::with(|settings| settings.group_linger = Duration::from_secs(60))
}

/// A group that lingers, and has something to close.
fn lingering(world: &World, name: GroupId) -> SessionGroup {
    let session = world.session_in(&name);
    let group = session.group();
    drop(group.take_ownership(world.tally.make_plain()));
    session.terminate();
    group
}

/// The end of its time.
fn end(world: &World) {
    world.sessions.groups.end_lingering(|_| true);
}

/// Asserts that the active session has an active group, registered under its name.
fn check(world: &World, session: &Session) {
    let group = session.group();
    assert!(!group.is_completed(), "an active session of an ended group");
    assert!(group.sessions().contains(session));
    assert_eq!(world.sessions.groups.get(&name()), Some(group));
}

/// A join is before the end of a lingering group, which then goes on, or after it, and creates another.
#[test]
fn a_join_and_a_creation_against_the_end() {
    explore(|| {
        let world = world();
        let group = lingering(&world, name());
        let joining = world.session();
        race!(
            || {
                joining.join(name()).unwrap();
                check(&world, &joining);
            },
            || check(&world, &world.session_in(&name())),
            || end(&world),
        );
        check(&world, &joining);
        assert_eq!(group.is_completed(), joining.group() != group);
        assert_eq!(world.sessions.groups.lingering.len(), 0);
        world.end();
    });
}

/// A group that is joined as its last session leaves never ends.
#[test]
fn a_join_against_the_last_leave() {
    explore(|| {
        let world = world();
        let last = world.session_in(&name());
        let group = last.group();
        let joining = world.session();
        race!(|| last.terminate(), || joining.join(name()).unwrap());
        check(&world, &joining);
        assert_eq!(joining.group(), group);
        // It leaves again, and the earlier stay does not end this one.
        joining.terminate();
        assert_eq!(world.sessions.groups.lingering.len(), 1);
        assert!(!group.is_completed());
        world.end();
        assert!(group.is_completed());
    });
}

/// A stay that is over does not end a later one.
#[test]
fn the_end_of_one_stay_against_the_next() {
    explore(|| {
        let world = world();
        let group = lingering(&world, name());
        race!(|| end(&world), || world.session_in(&name()).terminate());
        let now = world.sessions.groups.get(&name());
        assert_eq!(now.is_some(), world.sessions.groups.lingering.len() == 1);
        assert!(now.is_none_or(|now| !now.is_completed()));
        end(&world);
        assert!(group.is_completed());
        world.end();
    });
}

#[test]
fn termination_against_the_last_leave_and_the_end() {
    explore(|| {
        let world = world();
        let last = world.session_in(&name());
        let group = last.group();
        drop(group.take_ownership(world.tally.make_plain()));
        race!(|| last.terminate(), || group.terminate(), || end(&world));
        world.sessions.env.runtime.settle();
        assert!(group.local().lock().is_cleaned_up());
        assert_eq!(world.sessions.groups.lingering.len(), 0);
        assert_eq!(world.sessions.groups.get(&name()), None);
        world.end();
    });
}

/// A shutdown leaves no group behind, in whichever place it finds it.
#[test]
fn the_last_leave_and_a_join_against_shutdown() {
    explore(|| {
        let world = world();
        let manager = SessionManager::new(world.sessions.clone());
        let last = world.session_in(&name());
        let group = last.group();
        drop(group.take_ownership(world.tally.make_plain()));
        let joining = world.session();
        race!(|| last.terminate(), || _ = joining.join(name()), || {
            let report = block_on(manager.shutdown(Duration::from_secs(1)));
            assert!(report.is_clean());
            assert!(group.local().lock().is_cleaned_up(), "left behind");
        },);
        assert_eq!(world.sessions.groups.lingering.len(), 0);
        drop(manager);
        world.end();
    });
}

#[test]
fn the_end_against_shutdown() {
    explore(|| shutdown_against(end));
}

#[test]
fn termination_against_shutdown() {
    explore(|| {
        shutdown_against(|world| {
            if let Some(group) = world.sessions.groups.get(&name()) {
                group.terminate();
            }
        });
    });
}

fn shutdown_against(end: fn(&World)) {
    let world = world();
    let manager = SessionManager::new(world.sessions.clone());
    let group = lingering(&world, name());
    race!(|| end(&world), || {
        let report = block_on(manager.shutdown(Duration::from_secs(1)));
        assert!(report.is_clean());
        assert!(group.local().lock().is_cleaned_up(), "left behind");
    });
    drop(manager);
    world.end();
}

/// At the bound the longest lingering end, unless they are joined.
#[test]
fn the_bound_of_lingering_groups() {
    explore(|| {
        let world = World::with(|settings| {
            settings.group_linger = Duration::from_secs(60);
            settings.max_sessions = 3;
        });
        let groups = ["g", "h", "i"].map(|name| lingering(&world, GroupId::from(name)));
        let [one, other] = ["j", "k"].map(|name| world.session_in(&GroupId::from(name)));
        let joining = world.session();
        let leave = |session: &Session| {
            session.terminate();
            assert!(world.sessions.groups.lingering.len() <= 3);
        };
        race!(|| leave(&one), || leave(&other), || joining
            .join(name())
            .unwrap());
        check(&world, &joining);
        // Two have come, and one or two of the first two have had to go.
        let joined = joining.group() == groups[0];
        assert_eq!(groups[0].is_completed(), !joined);
        let over = 5 - 3 - usize::from(joined);
        let ended = groups.iter().filter(|group| group.is_completed());
        assert!((over..=2).contains(&ended.count()));
        for group in groups.iter().filter(|group| group.is_completed()) {
            let cause = CompletionCause::LastSessionEnded;
            assert_eq!(group.completion_cause(), Some(cause));
        }
        world.end();
    });
}
