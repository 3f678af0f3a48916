//! Membership under races: no session is left in a group that has ended, and no group is left open.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use session_core::{GroupId, LocalSession, Session, SessionGroup};

use crate::kit::{Lookout, manager, race, threads};

fn id(name: &str) -> GroupId {
    name.into()
}

#[test]
fn r15_an_active_sessions_group_is_never_an_ended_one() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let come_and_go = || {
        for _ in 0..10_000 {
            let session = sessions.create_in(id("g")).unwrap();
            assert!(!session.group().is_completed());
            session.terminate();
        }
    };
    let move_about = || {
        let session = sessions.create().unwrap();
        for name in ["g", "h"].into_iter().cycle().take(10_000) {
            session.join(id(name)).unwrap();
            assert_eq!(session.group().id(), Some(&id(name)));
            assert!(!session.group().is_completed());
            assert!(session.group().sessions().contains(&session));
        }
        session.terminate();
    };
    race([&come_and_go, &come_and_go]);
    race([&come_and_go, &move_about]);
    race([&move_about, &move_about]);
    assert!(sessions.groups().is_empty());
}

#[test]
fn r15_newcomers_and_a_termination() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for _ in 0..300 {
        let first = sessions.create_in(id("g")).unwrap();
        let group = first.group();
        let newcomers = Mutex::new(Vec::<Session>::new());
        let create = || {
            let newcomer = sessions.create_in(id("g")).unwrap();
            newcomers.lock().unwrap().push(newcomer);
        };
        let join = || {
            let newcomer = sessions.create().unwrap();
            if newcomer.join(id("g")).is_ok() {
                newcomers.lock().unwrap().push(newcomer);
            }
        };
        race([&|| group.terminate(), &create, &join]);
        assert!(first.is_completed() && group.is_completed());
        for newcomer in newcomers.into_inner().unwrap() {
            // It came in time and was ended, or it founded the next group and is active.
            assert_eq!(newcomer.is_completed(), newcomer.group() == group);
            assert_eq!(
                newcomer.is_completed(),
                sessions.get(&newcomer.id()).is_none()
            );
            newcomer.terminate();
        }
        assert!(sessions.groups().is_empty());
    }
}

#[test]
fn r15_a_group_that_is_terminated_as_it_is_founded_ends_with_its_session() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let terminated = Mutex::new(Vec::<SessionGroup>::new());
    let founding = AtomicBool::new(true);
    let found = || {
        for _ in 0..30_000 {
            let session = sessions.create_in(id("g")).unwrap();
            if session.is_completed() {
                assert!(sessions.get(&session.id()).is_none());
            }
            session.terminate();
        }
        founding.store(false, Ordering::Relaxed);
    };
    let terminate = || {
        while founding.load(Ordering::Relaxed) {
            if let Some(group) = sessions.group(&id("g")) {
                group.terminate();
                terminated.lock().unwrap().push(group);
            }
        }
    };
    race([&found, &terminate]);
    let terminated = terminated.into_inner().unwrap();
    assert!(!terminated.is_empty());
    assert!(terminated.iter().all(LocalSession::is_completed));
    assert!(sessions.groups().is_empty() && sessions.sessions().is_empty());
}

#[test]
fn r15_join_and_a_termination() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for _ in 0..300 {
        let session = sessions.create_in(id("old")).unwrap();
        let old = session.group();
        race([
            &|| {
                let _ = session.join(id("new"));
            },
            &|| session.terminate(),
            &|| old.terminate(),
        ]);
        // Terminated by name, it has ended wherever it was. Both groups have ended with it.
        assert!(session.is_completed());
        assert!(old.is_completed());
        assert!(session.group().is_completed());
        assert!(sessions.groups().is_empty());
        assert!(session.group().sessions().is_empty());
    }
}

#[tokio::test]
async fn r15_nobody_joins_a_group_whose_last_session_has_just_left() {
    let sessions = manager();
    let session = sessions.create_in(id("g")).unwrap();
    let group = session.group();
    let mut events = sessions.subscribe();
    // The second event: it completed before, and now it has been cleaned up.
    let mut cleaned_up = Box::pin(async {
        events.next().await;
        events.next().await;
    });
    let inside = session.enter().unwrap();
    session.terminate();
    let own = sessions.clone();
    let lookout = Lookout::on(&mut cleaned_up, move || own.create_in(id("g")).unwrap());
    drop(inside);
    let _ = session.cleanup_completed().await;
    let newcomer = lookout.seen();
    assert!(group.is_completed() && !newcomer.is_completed());
    assert_ne!(newcomer.group(), group);
    assert!(!newcomer.group().is_completed());
}
