//! The manager's end against creation. No session lives on.

use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::manager::SessionManager;
use crate::sessions::session::Session;
use crate::sync::Mutex;
use crate::sync::runtime::advance;
use crate::{CreateError, LocalSession as _, Trouble};

#[test]
fn creation_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
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
        // The sweeper ends with it.
        drop(manager);
        world.end();
    });
}

/// A shutdown also waits for sessions that completed a moment before it.
#[test]
fn termination_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
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

/// A shutdown that runs out of time leaves cleanups nothing to wait for. No more time has to pass.
#[test]
fn shutdown_against_its_timeout() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let session = manager.create().unwrap();
        let owned = session.take_ownership(world.tally.make_plain());
        let guard = session.enter().unwrap();
        race!(
            || {
                let report = block_on(manager.shutdown(Duration::from_millis(1)));
                assert_eq!(report.unfinished(), []);
                let [(_, report)] = report.problems() else {
                    panic!("{report:?}")
                };
                assert_eq!(report.problems()[0].trouble(), &Trouble::StillHeld);
            },
            || {
                while !world.sessions.env.hurry.is_cancelled() {
                    advance(Duration::from_millis(1));
                    shuttle::thread::yield_now();
                }
            },
        );
        drop((guard, owned, manager));
        world.end();
    });
}

/// The last clone of a manager is dropped while its sessions change their ids.
#[test]
fn the_last_clone_against_cycle_id() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let session = manager.create().unwrap();
        race!(move || drop(manager), || _ = session.cycle_id(), || drop(
            session.take_ownership(world.tally.make_plain())
        ),);
        assert!(session.is_completed());
        world.end();
    });
}

/// A change of the id that comes too late is not taken for a cleanup that has not ended.
#[test]
fn a_late_cycle_id_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let session = manager.create().unwrap();
        race!(
            || {
                for _ in 0..3 {
                    let _ = session.cycle_id();
                }
            },
            || {
                let report = block_on(manager.shutdown(Duration::from_secs(1)));
                assert!(report.is_clean(), "{report:?}");
            },
        );
        drop(manager);
        world.end();
    });
}

/// A group that its last session leaves at the moment of shutdown is not left behind.
#[test]
fn a_change_of_group_against_shutdown() {
    for log_in in [false, true] {
        let model = if log_in {
            || leaving(true)
        } else {
            || leaving(false)
        };
        explore(model);
    }
}

fn leaving(log_in: bool) {
    let world = World::new();
    let manager = SessionManager::new(world.sessions.clone());
    let session = manager.create_in(GroupId::from("g")).unwrap();
    let group = session.group();
    let owned = group.take_ownership(world.tally.make_plain());
    race!(
        || if log_in {
            if let Ok(mut request) = session.enter() {
                drop(request.log_in(GroupId::from("h")));
            }
        } else {
            let _ = session.join(GroupId::from("h"));
        },
        || {
            let report = block_on(manager.shutdown(Duration::from_secs(1)));
            assert!(report.is_clean());
            assert!(group.local().lock().is_cleaned_up(), "left behind");
        },
    );
    drop((owned, manager));
    world.end();
}
