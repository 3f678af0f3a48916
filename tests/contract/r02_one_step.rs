//! Completion is one step: read-only, out of the registry, and then the token.

use std::sync::OnceLock;

use session_core::{
    CancellationToken, LocalSession, Property, PropertyKey, Session, SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::{Lookout, manager, race, spin_until, threads};

const NAME: PropertyKey<&str> = PropertyKey::new("name");

#[tokio::test]
async fn r02_the_token_comes_after_the_rest() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let mut cancelled = Box::pin(session.completion_token().cancelled_owned());
    let (own, registry) = (session.clone(), sessions.clone());
    let lookout = Lookout::on(&mut cancelled, move || {
        [
            own.is_completed(),
            own.completion_cause().is_some(),
            own.properties().is_read_only(),
            own.properties().insert(&NAME, "late").is_err(),
            own.enter().is_err(),
            registry.get(&own.id()).is_none(),
            own.completion_token().is_cancelled(),
        ]
    });
    session.terminate();
    assert_eq!(lookout.seen(), [true; 7]);
}

/// A way to see that a session has completed.
type IsCompleted = fn(&Session) -> bool;

#[test]
fn r02_a_thread_that_sees_it_completed_finds_its_id_dead_and_its_token_cancelled() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let ways: [(&str, IsCompleted); 4] = [
        ("is_completed", |session| session.is_completed()),
        ("enter", |session| session.enter().is_err()),
        ("keep_alive", |session| session.keep_alive().is_err()),
        ("insert", |session| {
            session.properties().replace(&NAME, "new").is_err()
        }),
    ];
    for (way, is_completed) in ways {
        for round in 0..500 {
            let session = sessions.create().unwrap();
            let id = session.id();
            race([&|| session.terminate(), &|| {
                spin_until(|| is_completed(&session));
                assert!(sessions.get(&id).is_none(), "{way}, round {round}");
                assert!(
                    session.completion_token().is_cancelled(),
                    "{way}, round {round}"
                );
            }]);
        }
    }
}

#[test]
fn r02_a_token_asked_for_at_that_very_moment_is_cancelled() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..2000 {
        let session = sessions.create().unwrap();
        // Every other round a token exists before.
        let before = (round % 2 == 0).then(|| session.completion_token());
        let asked = OnceLock::new();
        race([&|| session.terminate(), &|| {
            assert!(asked.set(session.completion_token()).is_ok());
        }]);
        let asked: &CancellationToken = asked.get().unwrap();
        assert!(asked.is_cancelled(), "round {round}");
        assert!(before.is_none_or(|token| token.is_cancelled()));
        assert!(session.completion_token().is_cancelled());
    }
}

#[derive(SessionProperties)]
struct TokenKept {
    #[property(init = session_core::InitContext::completion_token)]
    token: Property<CancellationToken>,
}

#[tokio::test]
async fn r02_nobody_outside_can_cancel_the_sessions_own_token() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let untouched = session.completion_token();

    session.completion_token().cancel();
    let (sender, receiver) = oneshot::channel();
    let task = session
        .spawn(|token| async move {
            token.cancel();
            sender.send(token).unwrap();
        })
        .unwrap();
    task.await.unwrap();
    assert!(receiver.await.unwrap().is_cancelled());
    let set = session.props::<TokenKept>().unwrap();
    set.token().unwrap().cancel();

    assert!(!session.is_completed());
    assert!(!untouched.is_cancelled());
    assert!(!session.completion_token().is_cancelled());
    drop(session.enter().expect("it is active"));

    session.terminate();
    assert!(untouched.is_cancelled());
}

#[tokio::test]
async fn r02_the_tokens_of_tasks_and_initializers_are_cancelled_too() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let set = session.props::<TokenKept>().unwrap();
    let of_initializer = set.token().unwrap().clone();
    let task = session
        .spawn(|token| async move { token.cancelled().await })
        .unwrap();
    session.terminate();
    assert!(of_initializer.is_cancelled());
    task.await.unwrap();
}

#[tokio::test]
async fn r02_a_dead_id_stays_dead() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let id = session.id();
    let copy = id.encode().parse().unwrap();
    assert_eq!(sessions.get(&copy).as_ref(), Some(&session));
    let inside = session.enter().unwrap();
    session.terminate();
    assert!(
        sessions.get(&id).is_none(),
        "while the session is in cleanup"
    );
    assert!(sessions.sessions().is_empty());
    drop(inside);
    let _ = session.cleanup_completed().await;
    assert!(sessions.get(&id).is_none());
    assert_ne!(sessions.create().unwrap().id(), id);
    assert!(
        sessions.get(&id).is_none(),
        "a client that presents it is a stranger"
    );
}
