//! Eviction: the right session is evicted, and a creation is refused only when there is none to evict.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::harness::{World, close_later, explore, race};
use crate::id::GroupId;
use crate::life::cause::CompletionCause;
use crate::settings::WhenFull;
use crate::sync::runtime::advance;
use crate::{CreateError, LocalSession as _, PropertyKey, Session};

/// More than a tick.
const MOMENT: Duration = Duration::from_millis(200);

fn full_at(max: usize) -> World {
    World::with(|settings| {
        settings.max_sessions = max;
        settings.when_full = WhenFull::EvictIdlest;
    })
}

fn is_evicted(session: &Session) -> bool {
    session.completion_cause() == Some(CompletionCause::Evicted)
}

/// A session that a request has entered is not evicted, not even by a look from before. Another session goes instead.
#[test]
fn a_request_against_eviction() {
    explore(|| {
        let world = full_at(2);
        let idlest = world.session();
        advance(MOMENT);
        let other = world.session();
        advance(MOMENT);
        let entered = AtomicBool::new(false);
        race!(
            || {
                if let Ok(guard) = idlest.enter() {
                    entered.store(true, Ordering::Relaxed);
                    assert!(idlest.local().cause().is_none());
                    advance(MOMENT);
                    drop(guard);
                }
            },
            || drop(world.session()),
        );
        let (evicted, left) = if entered.into_inner() {
            (&other, &idlest)
        } else {
            (&idlest, &other)
        };
        assert_eq!(evicted.completion_cause(), Some(CompletionCause::Evicted));
        assert_eq!(left.completion_cause(), None);
        assert_eq!(world.sessions.active(), 2);
        world.end();
    });
}

/// A creation that evicts takes the place; a creation that is refused evicts nothing.
#[test]
fn a_creation_that_is_refused_has_evicted_nobody() {
    const KEY: PropertyKey<super::harness::Probe> = PropertyKey::new("probe");
    explore(|| {
        let world = full_at(1);
        let session = world.session();
        let inserted = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close_later);
        assert!(inserted.is_ok());
        drop(inserted);
        let created = AtomicBool::new(false);
        race!(|| drop(session.enter()), || match world.try_create(None) {
            Ok(_) => created.store(true, Ordering::Relaxed),
            Err(error) => assert_eq!(error, CreateError::Full),
        },);
        let evicted = session.completion_cause().is_some();
        assert_eq!(evicted, created.into_inner());
        world.end();
    });
}

/// An idle session that one creation is examining is not missed by another creation, and each ends one session.
#[test]
fn two_creations_end_two_idle_sessions() {
    explore(|| {
        let world = full_at(2);
        let idle = [world.session(), world.session()];
        // They have been active since they were placed, so the searches place them again.
        advance(MOMENT);
        for session in &idle {
            drop(session.enter());
        }
        let create = || drop(world.create_entered(None).expect("one is idle"));
        race!(create, create);
        assert!(idle.iter().all(is_evicted));
        assert_eq!(world.sessions.active(), 2);
        world.end();
    });
}

/// A session whose activity has ended can be evicted, whatever a search saw of it before.
#[test]
fn the_end_of_activity_against_a_search() {
    explore(|| {
        let world = full_at(1);
        let session = world.session();
        let request = session.enter().ok();
        let kept = session.keep_alive().ok();
        race!(
            || drop(request),
            || drop(kept),
            || match world.try_create(None) {
                Ok(_) => assert!(is_evicted(&session)),
                Err(error) => assert_eq!(error, CreateError::Full),
            },
        );
        assert!(world.try_create(None).is_ok(), "nobody is active");
        assert!(is_evicted(&session));
        world.end();
    });
}

/// A session that ends just as its activity ends does not stay in the order.
#[test]
fn the_end_of_activity_against_completion() {
    explore(|| {
        let world = full_at(1);
        let request = world.create_entered(None).expect("there is room");
        let session = request.session().clone();
        race!(|| drop(request), || session.terminate());
        assert!(world.is_order_empty());
        world.end();
    });
}

/// A session that has joined a named group does not make room for an anonymous one.
#[test]
fn a_join_against_a_strangers_creation() {
    explore(|| {
        let world = full_at(1);
        let id = GroupId::from("g");
        let session = world.session();
        let (joined, created) = (AtomicBool::new(false), AtomicBool::new(false));
        race!(
            || joined.store(session.join(id.clone()).is_ok(), Ordering::Relaxed),
            || created.store(world.try_create(None).is_ok(), Ordering::Relaxed),
        );
        let joined = joined.into_inner();
        assert_ne!(joined, created.into_inner());
        if joined {
            assert!(world.try_create(None).is_err());
            assert!(world.try_create(Some(&id)).is_ok());
        }
        assert!(is_evicted(&session));
        world.end();
    });
}

/// A session that a stranger's creation is examining, and may not end, is not missed by a user's creation.
#[test]
fn a_users_creation_against_a_strangers() {
    explore(|| {
        let world = full_at(1);
        let session = world.session();
        assert!(session.join(GroupId::from("g")).is_ok());
        race!(
            || assert!(world.try_create(Some(&GroupId::from("h"))).is_ok()),
            || assert!(world.try_create(None).is_err()),
        );
        assert!(is_evicted(&session));
        world.end();
    });
}

/// A session that ends by itself makes room as well as one that is evicted.
#[test]
fn a_termination_against_a_creation() {
    explore(|| {
        let world = full_at(2);
        let session = world.session();
        let request = world.create_entered(None);
        race!(|| session.terminate(), || assert!(
            world.try_create(None).is_ok()
        ),);
        assert_eq!(world.sessions.active(), 2);
        drop(request);
        world.end();
    });
}

/// A session that is created for a request is never idle before the request has come in.
#[test]
fn a_creation_for_a_request_against_another_creation() {
    explore(|| {
        let world = full_at(1);
        let idle = world.session();
        race!(
            || match world.create_entered(None) {
                Ok(request) => assert!(!request.session().is_completed()),
                // The other creation's session has taken the place, and does not count as idle before it is placed.
                Err(error) => assert_eq!(error, CreateError::Full),
            },
            || match world.try_create(None) {
                Ok(_) => {}
                Err(error) => assert_eq!(error, CreateError::Full),
            },
        );
        assert!(is_evicted(&idle));
        world.end();
    });
}
