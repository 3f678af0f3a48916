//! The wait for cleanups: those under way, and those of the groups that end with them.

use shuttle::future::block_on;

use super::harness::{World, explore, race};
use crate::id::GroupId;
use crate::manager::SessionManager;
use crate::{LocalSession as _, Session};

fn is_cleaned_up(session: &Session) -> bool {
    session.local().lock().is_cleaned_up()
}

/// Whichever cleanup ends first, while others begin and end.
#[test]
fn cleanups_against_the_wait_for_them() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let name = GroupId::from("g");
        let [one, other, later] = [(), (), ()].map(|()| {
            let session = world.session_in(&name);
            drop(session.take_ownership(world.tally.make_plain()));
            session
        });
        let group = one.group();
        drop(group.take_ownership(world.tally.make_plain()));
        later.terminate();
        other.terminate();
        one.terminate();
        let unrelated = world.session();
        drop(unrelated.take_ownership(world.tally.make_plain()));
        race!(
            || {
                block_on(manager.settled());
                assert!([&one, &other, &later].into_iter().all(is_cleaned_up));
                assert!(group.local().lock().is_cleaned_up(), "its group is not");
            },
            || unrelated.terminate(),
        );
        drop(manager);
        world.end();
    });
}

/// A change of id owes the end of the group that the session leaves.
#[test]
fn an_end_that_is_owed_against_the_wait_for_it() {
    explore(|| {
        let world = World::new();
        let manager = SessionManager::new(world.sessions.clone());
        let session = world.session();
        let left = session.group();
        drop(left.take_ownership(world.tally.make_plain()));
        let mut request = session.enter().unwrap();
        drop(request.log_in("g".into()).unwrap());
        drop(request);
        block_on(manager.settled());
        assert!(left.local().lock().is_cleaned_up(), "its end was owed");
        drop(manager);
        world.end();
    });
}
