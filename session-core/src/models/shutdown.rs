//! The manager's end against creation: no session lives on.

use std::time::Duration;

use super::harness::{World, block_on, explore, race};
use crate::manager::SessionManager;
use crate::{CreateError, LocalSession as _};

#[test]
fn creation_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.shared.clone());
        let create = || match manager.create() {
            Ok(session) => Some(session),
            Err(CreateError::ShuttingDown) => None,
            Err(error) => panic!("{error}"),
        };
        race!(
            world,
            || drop(create()),
            || {
                if let Some(session) = create() {
                    drop(session.take_ownership(world.tally.make_plain()));
                }
            },
            || {
                let report = block_on(manager.shutdown(Duration::from_secs(1)));
                assert!(report.is_clean());
                assert_eq!(manager.create(), Err(CreateError::ShuttingDown));
            },
        );
        assert!(manager.sessions().is_empty());
        drop(manager);
        world.end();
    });
}

/// The last clone of a manager goes while its sessions change their ids.
#[test]
fn the_last_clone_against_cycle_id() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.shared.clone());
        let session = manager.create().unwrap();
        race!(
            world,
            move || drop(manager),
            || _ = session.cycle_id(),
            || drop(session.take_ownership(world.tally.make_plain())),
        );
        assert!(session.is_completed());
        world.end();
    });
}
