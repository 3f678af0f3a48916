//! Reasons: the call that completes a session leaves its own, and no other call does.

use std::sync::Mutex;

use super::harness::{World, end_if_idle, explore, race};
use crate::id::GroupId;
use crate::life::cause::{CompletionCause, Ending};
use crate::{LifecycleEvent, LocalSession as _};

#[test]
fn a_reason_against_another_none_and_expiry() {
    explore(|| {
        let world = World::new();
        let mut events = world.sessions.env.events.subscribe().0;
        let session = world.session();
        let limit = session.created();
        let won = Mutex::new(Vec::new());
        let check = |ended, reason: Option<&'static str>| {
            if ended {
                won.lock().unwrap().push(reason);
            }
            // Whichever has won, the reason is there with the cause.
            let cause = session.completion_cause().expect("it has ended");
            let reason = session.completion_reason();
            assert!(reason.is_none() || cause == CompletionCause::Terminated);
        };
        race!(
            || check(session.complete(Ending::because("first")), Some("first")),
            || check(session.complete(CompletionCause::Terminated), None),
            || check(end_if_idle(&session, limit), None),
        );
        world.end();
        let won = won.into_inner().unwrap();
        let reason = session.completion_reason();
        assert_eq!(won, [reason.as_deref()]);
        assert!(matches!(events.try_recv(), Ok(LifecycleEvent::Created(..))));
        let Ok(LifecycleEvent::Completed(_, _, told)) = events.try_recv() else {
            panic!("it has completed");
        };
        assert_eq!(told, reason);
    });
}

/// The sessions that a group ends have the reason of the call that closed the group.
#[test]
fn the_reasons_of_a_group_against_a_session_s() {
    explore(|| {
        let world = World::new();
        let id = GroupId::from("g");
        let members = [world.session_in(&id), world.session_in(&id)];
        let group = members[0].group();
        race!(
            || group.terminate_because("first"),
            || group.terminate_because("second"),
            || members[0].terminate_because("own"),
        );
        world.end();
        let closed = group.completion_reason().expect("a call has closed it");
        assert!(["first", "second"].contains(&&*closed));
        let [one, other] = members.map(|session| session.completion_reason());
        assert!(one.as_deref() == Some("own") || one.as_ref() == Some(&closed));
        assert_eq!(other, Some(closed));
    });
}

/// A group that its last session leaves while it is being terminated has the reason of that call.
#[test]
fn the_reason_of_a_group_against_a_member_that_leaves() {
    explore(|| {
        let world = World::new();
        let session = world.session_in(&GroupId::from("g"));
        let group = session.group();
        race!(|| group.terminate_because("closed"), || {
            let _ = session.join("other".into());
        });
        world.end();
        let expected = match group.completion_cause() {
            Some(CompletionCause::Terminated) => Some("closed"),
            _ => None,
        };
        assert_eq!(group.completion_reason().as_deref(), expected);
    });
}
