//! Superseded ids: an id that was taken from its client is not an unknown id.

use std::sync::Mutex;
use std::time::Duration;

use super::harness::{World, explore, race};
use crate::error::NotLive;
use crate::life::clock::Ticks;
use crate::sessions::session::Session;
use crate::sessions::superseded::SupersededId;
use crate::{CycleError, LocalSession as _};

/// A time later than any that a model reaches.
const LATER: Ticks = Ticks(1 << 30);

/// A look-up in between always finds the id live or superseded.
#[test]
fn a_look_up_against_cycle_id_and_log_out() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let first = session.id();
        let ids = Mutex::new(vec![first]);
        let taken = Mutex::new(Vec::new());
        race!(
            || {
                if let Ok(new) = session.cycle_id() {
                    ids.lock().unwrap().push(new.id());
                    taken.lock().unwrap().push(new.into_superseded());
                }
            },
            || {
                let logged_out = session
                    .terminate_and_supersede()
                    .expect("nothing else ends it");
                taken.lock().unwrap().push(logged_out);
            },
            || {
                for _ in 0..2 {
                    let entered = world.sessions.enter(&first);
                    assert_ne!(entered.err(), Some(NotLive::Unknown));
                }
            },
        );
        for id in ids.into_inner().unwrap() {
            assert_eq!(world.sessions.enter(&id).unwrap_err(), NotLive::Superseded);
        }
        drop(taken);
        world.end();
    });
}

/// An id that has ended in any other way is unknown.
#[test]
fn log_out_against_termination() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let id = session.id();
        let taken = Mutex::new(None);
        race!(
            || *taken.lock().unwrap() = session.terminate_and_supersede(),
            || session.terminate(),
            || drop(world.sessions.enter(&id)),
        );
        let expected = match *taken.lock().unwrap() {
            Some(_) => NotLive::Superseded,
            None => NotLive::Unknown,
        };
        assert_eq!(world.sessions.enter(&id).unwrap_err(), expected);
        world.end();
    });
}

/// A request with a response head starts the time of the id; one without a head makes it unknown at once. The sweeper
/// goes over both before the time has passed.
#[test]
fn the_end_of_a_request_against_time() {
    explore(|| {
        let world = World::new();
        let (told, untold) = (world.session(), world.session());
        let [told_id, untold_id] = [&told, &untold].map(Session::id);
        let (told, untold) = (
            told.terminate_and_supersede().unwrap(),
            untold.terminate_and_supersede().unwrap(),
        );
        let is = |id, refused| assert_eq!(world.sessions.enter(&id).unwrap_err(), refused);
        race!(
            || drop(told),
            || {
                untold.forget();
                is(untold_id, NotLive::Unknown);
            },
            || _ = world.sessions.ids.expire(Ticks(0)),
            || is(told_id, NotLive::Superseded),
        );
        is(told_id, NotLive::Superseded);
        world.sessions.ids.expire(LATER);
        assert_eq!(
            world.sessions.enter(&told_id).unwrap_err(),
            NotLive::Unknown
        );
        assert_eq!(world.sessions.ids.superseded(), 0);
        world.end();
    });
}

/// At the bound the oldest become unknown; those whose clients have not been told yet stay.
#[test]
fn the_bound_of_superseded_ids() {
    explore(|| {
        let world = World::with(|settings| settings.max_sessions = 2);
        let (one, other) = (world.session(), world.session());
        let ids = Mutex::new(Vec::new());
        let cycle = |session: &Session| {
            for _ in 0..2 {
                let old = session.id();
                ids.lock().unwrap().push(old);
                let new = session.cycle_id().unwrap();
                assert!(world.sessions.ids.superseded() <= 2);
                // At most two are pending, so this one has a place.
                let refused = world.sessions.enter(&old).unwrap_err();
                assert_eq!(refused, NotLive::Superseded);
                drop(new);
            }
        };
        race!(|| cycle(&one), || cycle(&other), || _ =
            world.sessions.ids.expire(LATER));
        world.sessions.ids.expire(LATER);
        assert_eq!(world.sessions.ids.superseded(), 0);
        // This includes the ids that had to make room.
        for id in ids.into_inner().unwrap() {
            assert_eq!(world.sessions.enter(&id).unwrap_err(), NotLive::Unknown);
        }
        world.end();
    });
}

/// Of two requests that change the id only one succeeds. Only that one has an id to tell, the session's.
#[test]
fn two_responses_and_two_cycles_of_one_session() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let id = session.id();
        let told = Mutex::new(Vec::new());
        let mut requests = [0; 2].map(|_| world.sessions.enter(&id).unwrap());
        let [one, other] = &mut requests;
        let cycle = |request: &mut crate::RequestGuard| match request.cycle_id() {
            Ok(new) => {
                assert!(!request.is_parted());
                told.lock().unwrap().push(new.id());
            }
            Err(error) => assert_eq!(error, CycleError::Parted),
        };
        race!(|| cycle(one), || cycle(other), || drop(
            world.sessions.enter(&id)
        ),);
        assert_eq!(told.into_inner().unwrap(), [session.id()]);
        drop(requests);
        world.end();
    });
}

/// Two requests that present the same two ids, in different orders, log out.
#[test]
fn the_end_of_several_presented_ids() {
    explore(|| {
        let world = World::new();
        let (one, other) = (world.session(), world.session());
        let ids = [one.id(), other.id()];
        let taken = Mutex::new(Vec::<SupersededId>::new());
        let log_out = |sessions: [&Session; 2]| {
            for session in sessions {
                let logged_out = session.terminate_and_supersede();
                taken.lock().unwrap().extend(logged_out);
            }
        };
        race!(
            || log_out([&one, &other]),
            || log_out([&other, &one]),
            || drop(world.sessions.enter(&ids[0])),
        );
        assert_eq!(taken.lock().unwrap().len(), 2, "each was ended by one");
        for id in ids {
            assert_eq!(world.sessions.enter(&id).unwrap_err(), NotLive::Superseded);
        }
        drop(taken);
        world.end();
    });
}

#[test]
fn the_sweeper_against_the_first_superseded_id() {
    explore(|| {
        let world = World::new();
        let manager = crate::manager::SessionManager::new(world.sessions.clone());
        let session = manager.create().unwrap();
        let id = session.id();
        race!(
            || drop(session.terminate_and_supersede()),
            || while world.sessions.enter(&id).is_ok() {
                shuttle::thread::yield_now();
            },
        );
        // From here on only the clock wakes the sweeper.
        while world.sessions.enter(&id).unwrap_err() == NotLive::Superseded {
            crate::sync::runtime::advance(Duration::from_secs(31));
            shuttle::thread::yield_now();
        }
        drop(manager);
        world.end();
    });
}
