//! The drain: it ends once the last session is cleaned up, and no creation comes after that.

use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::manager::SessionManager;
use crate::settings::WhenFull;
use crate::sync::Ordering;
use crate::sync::runtime::advance;
use crate::{CreateError, LocalSession as _, Session, SessionKey};

/// Drains, waits, and asserts that nothing is left and nothing comes.
fn drain(world: &World, manager: &SessionManager) {
    manager.drain();
    block_on(manager.drained());
    is_over(world, manager, CreateError::Draining);
}

fn is_over(world: &World, manager: &SessionManager, error: CreateError) {
    let is_over = || {
        assert!(world.sessions.all().is_empty(), "an active session");
        assert_eq!(world.sessions.active(), 0);
        assert_eq!(world.sessions.in_cleanup.load(Ordering::Relaxed), 0);
    };
    is_over();
    assert_eq!(manager.create(), Err(error));
    is_over();
}

/// Creates a session, and ends it with what it holds.
fn come_and_go(world: &World, create: impl FnOnce() -> Result<Session, CreateError>) {
    match create() {
        Ok(session) => {
            drop(session.take_ownership(world.tally.make_plain()));
            session.terminate();
        }
        Err(error) => assert!([CreateError::Draining, CreateError::Full].contains(&error)),
    }
}

#[test]
fn creation_against_the_drain() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let key = SessionKey::new("k").unwrap();
        race!(
            || come_and_go(&world, || manager.create()),
            || come_and_go(&world, || manager.get_or_create_keyed(&key)),
            || drain(&world, &manager),
        );
        drop(manager);
        world.end();
    });
}

/// A creation that finds its group full has taken a place before that.
#[test]
fn creation_in_a_full_group_against_the_drain() {
    explore(|| {
        let world = World::with(|settings| settings.max_per_group = Some((1, WhenFull::Reject)));
        let manager = SessionManager::new(world.sessions.clone());
        let create = || come_and_go(&world, || manager.create_in(GroupId::from("g")));
        race!(create, create, || drain(&world, &manager));
        drop(manager);
        world.end();
    });
}

/// A session that makes room hands its place over.
#[test]
fn eviction_against_the_drain() {
    explore(|| {
        let world = World::with(|settings| {
            settings.max_sessions = 1;
            settings.when_full = WhenFull::EvictIdlest;
        });
        let manager = SessionManager::new(world.sessions.clone());
        let idle = manager.create().unwrap();
        drop(idle.take_ownership(world.tally.make_plain()));
        advance(Duration::from_millis(200));
        race!(
            || come_and_go(&world, || manager.create()),
            || idle.terminate(),
            || drain(&world, &manager),
        );
        drop(manager);
        world.end();
    });
}

/// One who waits is told by the drain, and by the shutdown of a manager without sessions.
#[test]
fn the_wait_against_drain_and_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        race!(|| block_on(manager.drained()), || manager.drain());
        is_over(&world, &manager, CreateError::Draining);
        drop(manager);
        world.end();
    });
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        race!(
            || {
                block_on(manager.drained());
                is_over(&world, &manager, CreateError::ShuttingDown);
            },
            || drop(block_on(manager.shutdown(Duration::from_secs(1)))),
        );
        drop(manager);
        world.end();
    });
}

/// The sessions that a shutdown ends are waited for, and so is one that is just created.
#[test]
fn the_wait_against_creation_and_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        race!(
            || {
                if let Ok(session) = manager.create() {
                    drop(session.take_ownership(world.tally.make_plain()));
                }
            },
            || {
                block_on(manager.drained());
                is_over(&world, &manager, CreateError::ShuttingDown);
            },
            || drop(block_on(manager.shutdown(Duration::from_secs(1)))),
        );
        drop(manager);
        world.end();
    });
}

/// The last step of the last session begins the cleanup of its group.
#[test]
fn the_end_of_a_group_against_the_drain() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let session = manager.create_in(GroupId::from("g")).unwrap();
        let group = session.group();
        drop(group.take_ownership(world.tally.make_plain()));
        race!(|| session.terminate(), || {
            drain(&world, &manager);
            assert!(group.local().lock().is_cleaned_up(), "left behind");
        });
        drop(manager);
        world.end();
    });
}
