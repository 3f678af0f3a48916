//! Keys: of all callers that ask for one, one creates its session. A key is live exactly as long as its session has it.

use std::sync::Mutex;
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::error::{CreateError, RekeyError};
use crate::manager::SessionManager;
use crate::settings::WhenFull;
use crate::sync::Ordering;
use crate::sync::runtime::advance;
use crate::{LocalSession as _, Session, SessionKey};

fn key(name: &str) -> SessionKey {
    SessionKey::new(name).unwrap()
}

/// The sessions that callers were given.
#[derive(Default)]
struct Given(Mutex<Vec<Session>>);

impl Given {
    fn add(&self, session: Session) {
        self.0.lock().unwrap().push(session);
    }

    /// The sessions other than `known`: there is at most one.
    fn new_one(self, known: &Session) -> Option<Session> {
        let given = self.0.into_inner().unwrap();
        let mut new = given.into_iter().filter(|session| session != known);
        let first = new.next();
        assert!(new.all(|other| Some(other) == first), "two of one key");
        first
    }
}

/// A request enters, whatever ends the sessions of its key.
#[test]
fn entries_by_a_key_against_the_end_of_its_sessions() {
    explore(|| {
        let world = World::new();
        let known = world.keyed(&key("k")).unwrap();
        let enter = || {
            let guard = world.enter_keyed(&key("k")).expect("there is room");
            assert!(!guard.session().local().lock().is_cleaned_up());
        };
        race!(enter, enter, || {
            known.terminate();
            for next in world.sessions.all() {
                next.terminate();
            }
        });
        world.end();
    });
}

/// They evict one session, and not one each.
#[test]
fn creations_of_one_key_at_the_bound() {
    explore(|| {
        let world = World::with(|settings| {
            settings.max_sessions = 3;
            settings.when_full = WhenFull::EvictIdlest;
        });
        let idle = [(); 3].map(|()| world.session());
        advance(Duration::from_millis(200));
        let given = Given::default();
        let ask = || given.add(world.keyed(&key("k")).expect("there is room"));
        race!(ask, ask, ask);
        let new = given.new_one(&idle[0]).unwrap();
        assert!(!new.is_completed());
        let evicted = idle.iter().filter(|session| session.is_completed());
        assert_eq!(evicted.count(), 1);
        assert_eq!(world.sessions.created.load(Ordering::Relaxed), 4);
        world.end();
    });
}

/// A caller that finds a session whose completion has begun waits for that step, and then creates another one.
#[test]
fn creations_against_completion() {
    explore(|| {
        let world = World::new();
        let first = world.keyed(&key("k")).unwrap();
        let given = Given::default();
        let ask = || {
            let ending = first.local().activity.is_completed();
            let session = world.keyed(&key("k")).unwrap();
            assert!(!ending || session != first, "an ended one");
            assert!(session == first || first.is_completed(), "two of one key");
            given.add(session);
        };
        race!(ask, ask, || {
            first.terminate();
            assert_ne!(world.keyed(&key("k")).as_ref(), Ok(&first));
        });
        let new = world.keyed(&key("k")).unwrap();
        assert!(given.new_one(&first).is_none_or(|given| given == new));
        assert_eq!(world.sessions.created.load(Ordering::Relaxed), 2);
        world.end();
    });
}

/// A session that ends in a full manager frees its place before its key.
#[test]
fn a_creation_against_completion_in_a_full_manager() {
    explore(|| {
        let world = World::with(|settings| settings.max_sessions = 2);
        let (first, _other) = (world.keyed(&key("k")).unwrap(), world.session());
        race!(|| first.terminate(), || drop(
            world.keyed(&key("k")).expect("there is room")
        ));
        world.end();
    });
}

/// A session moves to a key under which others ask for one.
#[test]
fn creations_against_rekey() {
    explore(|| {
        let world = World::new();
        let session = world.keyed(&key("old")).unwrap();
        let (given, moved) = (Given::default(), Mutex::new(None));
        race!(
            || *moved.lock().unwrap() = Some(session.rekey(Some(&key("new")))),
            || match world.keyed(&key("old")) {
                Ok(found) => assert_eq!(found, session),
                Err(error) => assert_eq!(error, CreateError::KeySuperseded),
            },
            || given.add(world.keyed(&key("new")).unwrap()),
        );
        let new = given.new_one(&session);
        let owner = new.as_ref().unwrap_or(&session);
        assert_eq!(world.keyed(&key("new")).as_ref(), Ok(owner));
        match moved.into_inner().unwrap().unwrap() {
            Ok(()) => {
                assert_eq!(new, None);
                let refused = world.keyed(&key("old"));
                assert_eq!(refused, Err(CreateError::KeySuperseded));
            }
            Err(error) => {
                assert_eq!(error, RekeyError::InUse);
                assert!(new.is_some());
                assert_eq!(world.keyed(&key("old")), Ok(session));
            }
        }
        world.end();
    });
}

/// Two sessions move to one key, which a third has that ends.
#[test]
fn two_rekeys_and_the_end_of_the_keys_session() {
    explore(|| {
        let world = World::new();
        let before = world.keyed(&key("k")).unwrap();
        let (one, other) = (world.session(), world.keyed(&key("other")).unwrap());
        let moved = Mutex::new(Vec::new());
        let rekey = |session: &Session| match session.rekey(Some(&key("k"))) {
            Ok(()) => {
                assert!(before.is_completed(), "two of one key");
                moved.lock().unwrap().push(session.clone());
            }
            Err(error) => assert_eq!(error, RekeyError::InUse),
        };
        race!(|| rekey(&one), || rekey(&other), || before.terminate());
        let moved = moved.into_inner().unwrap();
        assert!(moved.len() < 2, "two of one key");
        if let Some(moved) = moved.first() {
            assert_eq!(world.keyed(&key("k")).as_ref(), Ok(moved));
        }
        world.end();
    });
}

/// Two sessions ask for each other's keys.
#[test]
fn two_rekeys_crosswise() {
    explore(|| {
        let world = World::new();
        let (k, l) = (key("k"), key("l"));
        let (one, other) = (world.keyed(&k).unwrap(), world.keyed(&l).unwrap());
        race!(
            || assert_eq!(one.rekey(Some(&l)), Err(RekeyError::InUse)),
            || assert_eq!(other.rekey(Some(&k)), Err(RekeyError::InUse)),
        );
        assert_eq!((world.keyed(&k), world.keyed(&l)), (Ok(one), Ok(other)));
        world.end();
    });
}

/// A session that ends leaves no key behind, whichever it has.
#[test]
fn rekey_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.keyed(&key("old")).unwrap();
        let moved = Mutex::new(None);
        race!(
            || *moved.lock().unwrap() = Some(session.rekey(Some(&key("new")))),
            || session.terminate(),
        );
        assert!(world.sessions.keys.slots.live().is_empty());
        let old = world.keyed(&key("old"));
        match moved.into_inner().unwrap().unwrap() {
            Ok(()) => assert_eq!(old, Err(CreateError::KeySuperseded)),
            Err(error) => {
                assert_eq!(error, RekeyError::SessionEnded);
                assert!(old.is_ok());
            }
        }
        assert!(world.keyed(&key("new")).is_ok());
        world.end();
    });
}

/// An adapter changes a key that no session has yet, while others ask for one: they get it before, and it moves, or
/// they are refused.
#[test]
fn creations_against_a_rekey_by_the_manager() {
    explore(|| {
        let world = World::new();
        let (given, moved) = (Given::default(), Mutex::new(None));
        let ask = || match world.keyed(&key("old")) {
            Ok(session) => given.add(session),
            Err(error) => assert_eq!(error, CreateError::KeySuperseded),
        };
        race!(ask, ask, || *moved.lock().unwrap() =
            Some(world.rekey(&key("old"), Some(&key("new")))));
        let moved = moved.into_inner().unwrap().unwrap().unwrap();
        let mut given = given.0.into_inner().unwrap();
        given.dedup();
        assert!(given.len() < 2, "two of one key");
        assert_eq!(given.pop(), moved);
        let refused = world.keyed(&key("old"));
        assert_eq!(refused, Err(CreateError::KeySuperseded));
        assert_eq!(world.sessions.keys.slots.superseded(), 1);
        world.end();
    });
}

/// Two requests change one key, as after a double click, while its session ends: one of them moves it, or none.
#[test]
fn two_rekeys_by_the_manager_and_the_end_of_the_keys_session() {
    explore(|| {
        let world = World::new();
        let session = world.keyed(&key("old")).unwrap();
        let moved = Mutex::new(Vec::new());
        let change = |new: Option<&SessionKey>| {
            let session = world.rekey(&key("old"), new).unwrap();
            moved.lock().unwrap().extend(session);
            let refused = world.keyed(&key("old"));
            assert_eq!(refused, Err(CreateError::KeySuperseded));
        };
        race!(|| change(Some(&key("new"))), || change(None), || session
            .terminate(),);
        assert!(moved.into_inner().unwrap().len() < 2);
        assert!(world.sessions.keys.slots.live().is_empty());
        assert_eq!(world.sessions.keys.slots.superseded(), 1);
        assert!(world.keyed(&key("new")).is_ok());
        world.end();
    });
}

#[test]
fn creations_against_shutdown() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let given = Given::default();
        let ask = || match manager.get_or_create_keyed(&key("k")) {
            Ok(session) => {
                let _ended = session.rekey(Some(&key("l")));
                given.add(session);
            }
            Err(CreateError::ShuttingDown | CreateError::KeySuperseded) => {}
            Err(error) => panic!("{error}"),
        };
        race!(ask, ask, || {
            let report = block_on(manager.shutdown(Duration::from_secs(1)));
            assert!(report.is_clean());
            let refused = manager.get_or_create_keyed(&key("m"));
            assert_eq!(refused, Err(CreateError::ShuttingDown));
        });
        assert!(given.0.lock().unwrap().iter().all(Session::is_completed));
        drop(manager);
        world.end();
    });
}
