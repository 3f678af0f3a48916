//! Ids: a session is found by its current id, and by no id once it has ended.

use super::harness::{World, explore, race};
use crate::LocalSession as _;
use crate::sessions::session::Session;

fn cycle(world: &World, session: &Session) {
    let before = session.id();
    let cycled = session.cycle_id();
    assert!(
        world.sessions.ids.get(&before).is_none(),
        "an old id lives on"
    );
    if let Ok(new) = &cycled {
        let found = world.sessions.ids.get(&new.id());
        assert!(found.is_none_or(|found| found == *session));
    }
}

#[test]
fn cycle_id_against_look_up_and_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        race!(
            || cycle(&world, &session),
            || {
                let found = world.sessions.all();
                assert!(!found.is_empty() || session.is_completed(), "not found");
            },
            || {
                session.terminate();
                assert!(world.sessions.all().is_empty());
                assert!(session.cycle_id().is_err());
            },
        );
        assert!(
            world.sessions.all().is_empty(),
            "an ended session came back"
        );
        world.end();
    });
}

#[test]
fn cycle_id_against_cycle_id() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        race!(
            || cycle(&world, &session),
            || cycle(&world, &session),
            || assert!(!world.sessions.all().is_empty(), "not found"),
        );
        assert_eq!(world.sessions.all().len(), 1);
        assert_eq!(world.sessions.ids.get(&session.id()), Some(session.clone()));
        world.end();
    });
}
