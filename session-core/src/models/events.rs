//! Events: they come in the order in which things happened, and none is lost.

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::life::event::LifecycleEvents;
use crate::{LifecycleEvent, LocalSession as _, Subject};

fn of_session(events: &mut LifecycleEvents, serial: u64) -> Vec<&'static str> {
    let mut told = Vec::new();
    while let Ok(event) = events.0.try_recv() {
        let (subject, what) = match event {
            LifecycleEvent::Created(subject) => (subject, "created"),
            LifecycleEvent::Completed(subject, ..) => (subject, "completed"),
            LifecycleEvent::CleanedUp(subject, _) => (subject, "cleaned up"),
        };
        if subject == Subject::Session(serial) {
            told.push(what);
        }
    }
    told
}

#[test]
fn creation_against_an_end_through_the_group() {
    explore(|| {
        let world = World::new();
        let mut events = world.sessions.env.events.subscribe();
        let id = GroupId::from("g");
        let created = crate::sync::Mutex::new(None);
        race!(
            || *created.lock() = Some(world.session_in(&id)),
            || {
                if let Some(group) = world.sessions.groups.get(&id) {
                    group.terminate();
                }
            },
            || drop(world.session()),
        );
        let session = created.lock().take().unwrap();
        session.terminate();
        world.end();
        let told = of_session(&mut events, session.serial());
        assert_eq!(told, ["created", "completed", "cleaned up"]);
    });
}

#[test]
fn a_subscriber_against_another() {
    explore(|| {
        let world = World::new();
        race!(|| drop(world.sessions.env.events.subscribe()), || {
            let mut events = world.sessions.env.events.subscribe();
            let session = world.session();
            assert_eq!(of_session(&mut events, session.serial()), ["created"]);
        },);
        world.end();
    });
}

/// No event names a session or group before its `Created` event does.
#[test]
fn the_ends_of_a_group_against_its_creation() {
    explore(|| {
        let world = World::new();
        let id = GroupId::from("g");
        let mut events = world.sessions.env.events.subscribe();
        let come_and_go = || {
            let session = world.session_in(&id);
            session.terminate();
            let _anonymous_or_left = session.group();
        };
        race!(come_and_go, come_and_go, || drop(world.session().group()));
        world.end();
        let mut alive = std::collections::HashSet::new();
        while let Ok(event) = events.0.try_recv() {
            match event {
                LifecycleEvent::Created(subject) => assert!(alive.insert(subject.serial())),
                LifecycleEvent::Completed(subject, ..) => {
                    assert!(alive.contains(&subject.serial()), "not created: {subject}");
                }
                LifecycleEvent::CleanedUp(subject, _) => {
                    assert!(alive.remove(&subject.serial()), "not created: {subject}");
                }
            }
        }
        assert!(alive.is_empty());
    });
}
