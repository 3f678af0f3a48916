//! A new tag against new sessions and new ids: no session whose id has another tag lives on.

use std::sync::Mutex;
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::error::CycleError;
use crate::id::GroupId;
use crate::id::node_tag::NodeTag;
use crate::life::cause::CompletionCause;
use crate::manager::SessionManager;
use crate::sync::Ordering;
use crate::{CreateError, LocalSession as _, Session, SessionKey};

const LOST: Option<CompletionCause> = Some(CompletionCause::OwnershipLost);

fn tag(number: u32) -> NodeTag {
    NodeTag::of_bits(number)
}

/// A manager whose first tag is set, or none.
fn manager(world: &World, first: Option<NodeTag>) -> SessionManager {
    let manager = SessionManager::new(world.sessions.clone());
    if let Some(first) = first {
        manager.set_tag(first);
    }
    manager
}

/// No active session has another tag, and nothing but that ended these.
fn check(world: &World, sessions: &[Session], now: NodeTag) {
    for session in sessions {
        let lost = session.id().tag() != now;
        assert_eq!(session.local().cause(), if lost { LOST } else { None });
    }
    let active = world.sessions.all();
    assert!(active.iter().all(|session| session.id().tag() == now));
    assert_eq!(world.sessions.active(), active.len());
}

type Create = fn(&SessionManager) -> Session;

/// Two of these against the new tag, from none and from another.
fn creation(create: Create, first: Option<NodeTag>) {
    let world = World::new();
    let manager = manager(&world, first);
    let created = Mutex::new(Vec::new());
    let create = || {
        let session = create(&manager);
        created.lock().unwrap().push(session);
    };
    race!(create, create, || {
        manager.set_tag(tag(2));
        let session = manager.create().unwrap();
        assert_eq!(
            (session.id().tag(), session.local().cause()),
            (tag(2), None)
        );
    });
    check(&world, &created.into_inner().unwrap(), tag(2));
    drop(manager);
    world.end();
}

#[test]
fn creation_against_set_tag() {
    fn create(manager: &SessionManager) -> Session {
        manager.create().unwrap()
    }
    explore(|| creation(create, None));
    explore(|| creation(create, Some(tag(1))));
}

#[test]
fn creation_with_a_request_against_set_tag() {
    fn create(manager: &SessionManager) -> Session {
        let request = manager.create_entered(Some(&GroupId::from("g")));
        request.unwrap().session().clone()
    }
    explore(|| creation(create, None));
    explore(|| creation(create, Some(tag(1))));
}

/// A caller may find the other's session before that one has looked at the tag.
#[test]
fn keyed_creation_against_set_tag() {
    fn create(manager: &SessionManager) -> Session {
        let key = SessionKey::new("k").unwrap();
        let session = manager.get_or_create_keyed(&key).unwrap();
        let _ = session.cycle_id();
        session
    }
    explore(|| creation(create, None));
    explore(|| creation(create, Some(tag(1))));
}

/// A session ends though its id changes, and does not go over to the new tag.
#[test]
fn cycle_id_and_log_in_against_set_tag() {
    explore(|| {
        let world = World::new();
        let manager = manager(&world, Some(tag(1)));
        let session = manager.create().unwrap();
        let owned = session.take_ownership(world.tally.make_plain());
        let other = manager.create().unwrap();
        race!(
            || {
                for new in [session.cycle_id(), session.cycle_id()]
                    .into_iter()
                    .flatten()
                {
                    assert_eq!(new.id().tag(), tag(1));
                }
            },
            || {
                let Ok(mut request) = other.enter() else {
                    return;
                };
                match request.log_in(GroupId::from("g")) {
                    Ok(new) => assert_eq!(new.id().tag(), tag(1)),
                    Err(error) => assert_eq!(error, CycleError::SessionEnded),
                }
            },
            || _ = manager.set_tag(tag(2)),
        );
        // At once, before any task has run.
        assert_eq!(
            [&session, &other].map(|session| session.local().cause()),
            [LOST; 2]
        );
        check(&world, &[session, other], tag(2));
        drop((owned, manager));
        world.end();
    });
}

/// The first tag, of which no id knows before.
#[test]
fn cycle_id_against_the_first_tag() {
    explore(|| {
        let world = World::new();
        let manager = manager(&world, None);
        let session = manager.create().unwrap();
        race!(
            || drop(session.cycle_id()),
            || drop(session.cycle_id()),
            || {
                manager.set_tag(tag(2));
            }
        );
        check(&world, &[session], tag(2));
        drop(manager);
        world.end();
    });
}

/// Each session is ended by one of the two, and counted once.
#[test]
fn set_tag_against_set_tag() {
    explore(|| {
        let world = World::new();
        let manager = manager(&world, Some(tag(1)));
        let before = [(); 2].map(|()| manager.create().unwrap());
        let (ended, created) = (Mutex::new(0), Mutex::new(Vec::new()));
        let set = |number| {
            let count = manager.set_tag(tag(number));
            *ended.lock().unwrap() += count;
        };
        race!(|| set(2), || set(3), || {
            created.lock().unwrap().push(manager.create().unwrap());
        });
        let now = world.sessions.tag.get().unwrap();
        assert_ne!(now, tag(1));
        check(&world, &before, now);
        let created = created.into_inner().unwrap();
        check(&world, &created, now);
        // A creation may end its own session.
        let lost = created.iter().filter(|session| session.is_completed());
        let ended = ended.into_inner().unwrap();
        assert!((2..=2 + lost.count()).contains(&ended), "{ended}");
        drop(manager);
        world.end();
    });
}

/// A shutdown waits for sessions that the new tag ends, whichever finds them.
#[test]
fn set_tag_against_cycle_id_and_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = manager(&world, Some(tag(1)));
        let session = manager.create_in(GroupId::from("g")).unwrap();
        let owned = session.take_ownership(world.tally.make_plain());
        let of_group = session.group().take_ownership(world.tally.make_plain());
        race!(
            || drop(session.cycle_id()),
            || _ = manager.set_tag(tag(2)),
            || {
                let report = block_on(manager.shutdown(Duration::from_secs(1)));
                assert!(report.is_clean(), "{report:?}");
                assert!(session.local().lock().is_cleaned_up(), "left behind");
                assert!(
                    session.group().local().lock().is_cleaned_up(),
                    "left behind"
                );
            },
        );
        let cause = session.local().cause();
        assert!(cause == LOST || cause == Some(CompletionCause::Shutdown));
        drop((owned, of_group, manager));
        world.end();
    });
}

#[test]
fn set_tag_against_creation_and_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = manager(&world, Some(tag(1)));
        race!(
            || match manager.create() {
                Ok(session) => drop(session.take_ownership(world.tally.make_plain())),
                Err(error) => assert_eq!(error, CreateError::ShuttingDown),
            },
            || _ = manager.set_tag(tag(2)),
            || assert!(block_on(manager.shutdown(Duration::from_secs(1))).is_clean()),
        );
        assert!(world.sessions.all().is_empty());
        assert_eq!(world.sessions.active(), 0);
        assert_eq!(world.sessions.in_cleanup.load(Ordering::Relaxed), 0);
        drop(manager);
        world.end();
    });
}
