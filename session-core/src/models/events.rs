//! Events: in the order in which things happened, and none lost.

use super::harness::{World, explore, race};
use crate::event::LifecycleEvents;
use crate::id::{GroupId, SessionId};
use crate::{LifecycleEvent, LocalSession as _, Subject};

fn of_session(events: &mut LifecycleEvents, id: SessionId) -> Vec<&'static str> {
    let mut told = Vec::new();
    while let Ok(event) = events.0.try_recv() {
        let (subject, what) = match event {
            LifecycleEvent::Created(subject) => (subject, "created"),
            LifecycleEvent::Completed(subject, _) => (subject, "completed"),
            LifecycleEvent::CleanedUp(subject, _) => (subject, "cleaned up"),
        };
        if subject == Subject::Session(id) {
            told.push(what);
        }
    }
    told
}

#[test]
fn creation_against_an_end_through_the_group() {
    explore(|| {
        let world = World::new();
        let mut events = world.shared.events.subscribe();
        let id = GroupId::from("g");
        let created = crate::sync::Mutex::new(None);
        race!(
            || *created.lock() = Some(world.session_in(&id)),
            || {
                if let Some(group) = world.shared.groups.get(&id) {
                    group.terminate();
                }
            },
            || drop(world.session()),
        );
        let session = created.lock().take().unwrap();
        session.terminate();
        world.end();
        let told = of_session(&mut events, session.id());
        assert_eq!(told, ["created", "completed", "cleaned up"]);
    });
}

#[test]
fn a_subscriber_against_another() {
    explore(|| {
        let world = World::new();
        race!(|| drop(world.shared.events.subscribe()), || {
            let mut events = world.shared.events.subscribe();
            let session = world.session();
            assert_eq!(of_session(&mut events, session.id()), ["created"]);
        },);
        world.end();
    });
}
