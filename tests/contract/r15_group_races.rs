//! Membership under races: nobody is left behind in a group that has ended, and none is left open.

use std::sync::Mutex;

use session_core::{GroupId, LocalSession, Session, SessionGroup};

use crate::kit::{manager, race, threads};

fn id(name: &str) -> GroupId {
    name.into()
}

#[test]
fn r15_an_active_sessions_group_is_never_an_ended_one() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let come_and_go = || {
        for _ in 0..200 {
            let session = sessions.create_in(id("g")).unwrap();
            assert!(!session.group().is_completed());
            assert!(session.group().sessions().contains(&session));
            session.terminate();
        }
    };
    let move_about = || {
        let session = sessions.create().unwrap();
        for name in ["g", "h"].into_iter().cycle().take(200) {
            session.join(id(name)).unwrap();
            assert_eq!(session.group().id(), Some(&id(name)));
            assert!(!session.group().is_completed());
            assert!(session.group().sessions().contains(&session));
        }
        session.terminate();
    };
    race([&come_and_go, &come_and_go, &move_about, &move_about]);
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
            // It came in time and was ended, or it founded the next group and lives on.
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
fn r15_a_group_that_is_terminated_as_it_is_founded_ends() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..2_000 {
        let terminated = Mutex::new(Vec::<SessionGroup>::new());
        let created = Mutex::new(None);
        let create = || {
            let session = sessions.create_in(id("g")).unwrap();
            *created.lock().unwrap() = Some(session);
        };
        let terminate = || {
            for _ in 0..20 {
                if let Some(group) = sessions.group(&id("g")) {
                    group.terminate();
                    terminated.lock().unwrap().push(group);
                }
            }
        };
        race([&create, &terminate]);
        let session: Session = created.into_inner().unwrap().unwrap();
        session.terminate();
        for group in terminated.into_inner().unwrap() {
            assert!(group.is_completed(), "round {round}");
        }
        assert!(session.group().is_completed());
    }
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
        // Terminated by name, it has ended wherever it was; both groups have ended with it.
        assert!(session.is_completed());
        assert!(old.is_completed());
        assert!(session.group().is_completed());
        assert!(sessions.groups().is_empty());
        assert!(session.group().sessions().is_empty());
    }
}
