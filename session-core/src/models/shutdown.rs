//! The manager's end against creation: no session lives on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::manager::SessionManager;
use crate::session::Session;
use crate::sync::Mutex;
use crate::sync::runtime::advance;
use crate::{CreateError, LocalSession as _};

#[test]
fn creation_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.shared.clone());
        let created = Mutex::new(Vec::<Session>::new());
        let create = || match manager.create() {
            Ok(session) => {
                drop(session.take_ownership(world.tally.make_plain()));
                created.lock().push(session);
            }
            Err(error) => assert_eq!(error, CreateError::ShuttingDown),
        };
        race!(create, create, || {
            let report = block_on(manager.shutdown(Duration::from_secs(1)));
            assert!(report.is_clean());
            assert_eq!(manager.create(), Err(CreateError::ShuttingDown));
            let created = created.lock().clone();
            for session in created {
                assert!(session.local().lock().is_cleaned_up(), "left behind");
            }
        });
        assert!(created.lock().iter().all(Session::is_completed));
        // The sweeper goes with it.
        drop(manager);
        world.end();
    });
}

/// A shutdown waits for what had completed a moment before it, too.
#[test]
fn termination_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.shared.clone());
        let session = manager.create().unwrap();
        let owned = session.take_ownership(world.tally.make_plain());
        race!(|| session.terminate(), || {
            let report = block_on(manager.shutdown(Duration::from_secs(1)));
            assert!(report.is_clean());
            assert!(session.local().lock().is_cleaned_up(), "left behind");
        });
        drop((owned, manager));
        world.end();
    });
}

/// A shutdown that runs out of time leaves cleanups no more to wait for, and ends.
#[test]
fn shutdown_against_its_timeout() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.shared.clone());
        let session = manager.create().unwrap();
        let guard = session.enter().unwrap();
        let ended = AtomicBool::new(false);
        race!(
            || {
                let report = block_on(manager.shutdown(Duration::from_millis(10)));
                ended.store(true, Ordering::Relaxed);
                assert_eq!(report.unfinished(), []);
                assert!(session.local().lock().is_cleaned_up());
            },
            || {
                while !ended.load(Ordering::Relaxed) {
                    advance(Duration::from_millis(10));
                    shuttle::thread::yield_now();
                }
            },
            move || drop(guard),
        );
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
        race!(move || drop(manager), || _ = session.cycle_id(), || drop(
            session.take_ownership(world.tally.make_plain())
        ),);
        assert!(session.is_completed());
        world.end();
    });
}
