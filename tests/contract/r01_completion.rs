//! A session completes once, for one cause, and `terminate()` works from anywhere.

use std::sync::mpsc;
use std::time::Duration;

use session_core::{
    CompletionCause, InitContext, LifecycleEvent, LocalSession, Property, PropertyError,
    PropertyKey, Session, SessionGroup, SessionProperties, Subject, WhenFull,
};

use crate::kit::{Log, builder, come, manager, race, settle, threads};

const ANY: PropertyKey<u8> = PropertyKey::new("any");

/// The causes in the `Completed` events so far.
fn causes(events: &[LifecycleEvent]) -> Vec<CompletionCause> {
    let causes = events.iter().filter_map(|event| match event {
        LifecycleEvent::Completed(_, cause, ..) => Some(*cause),
        _ => None,
    });
    causes.collect()
}

#[tokio::test(start_paused = true)]
async fn r01_each_cause_is_told() {
    let sessions = builder()
        .idle_timeout(Duration::from_secs(60))
        .absolute_timeout(Duration::from_secs(600))
        .max_sessions(2, WhenFull::EvictIdlest)
        .build()
        .unwrap();

    let terminated = sessions.create().unwrap();
    assert_eq!(terminated.completion_cause(), None);
    terminated.terminate();
    assert_eq!(
        terminated.completion_cause(),
        Some(CompletionCause::Terminated)
    );

    let idle = sessions.create().unwrap();
    let _ = idle.cleanup_completed().await;
    assert_eq!(idle.completion_cause(), Some(CompletionCause::IdleTimeout));

    let old = sessions.create().unwrap();
    let inside = old.enter().unwrap();
    old.completion_token().cancelled().await;
    assert_eq!(
        old.completion_cause(),
        Some(CompletionCause::AbsoluteTimeout)
    );
    drop(inside);

    let evicted = sessions.create().unwrap();
    let group = evicted.group();
    tokio::time::advance(Duration::from_secs(5)).await;
    let shut_down = [sessions.create().unwrap(), sessions.create().unwrap()];
    assert_eq!(evicted.completion_cause(), Some(CompletionCause::Evicted));
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );

    sessions.shutdown(Duration::from_secs(1)).await;
    for session in shut_down {
        assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
    }
}

#[tokio::test]
async fn r01_the_first_cause_stays() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create().unwrap();
    let inside = session.enter().unwrap();
    session.terminate();
    session.terminate();
    session.group().terminate();
    let shutdown = sessions.shutdown(Duration::from_secs(1));
    drop(inside);
    shutdown.await;
    session.terminate();
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::Terminated)
    );

    let own = Subject::Session(session.serial());
    let seen: Vec<_> = come(&mut events)
        .into_iter()
        .filter_map(|event| match event {
            LifecycleEvent::Created(subject) if subject == own => Some("created"),
            LifecycleEvent::Completed(subject, ..) if subject == own => Some("completed"),
            LifecycleEvent::CleanedUp(subject, _) if subject == own => Some("cleaned up"),
            _ => None,
        })
        .collect();
    assert_eq!(seen, ["created", "completed", "cleaned up"]);
    assert!(session.is_completed(), "and never back");
}

#[test]
fn r01_of_racing_causes_one_wins() {
    let runtime = threads();
    let _entered = runtime.enter();
    for round in 0..300 {
        let sessions = builder()
            .max_sessions(1, WhenFull::EvictIdlest)
            .build()
            .unwrap();
        let mut events = sessions.subscribe();
        let log = Log::default();
        let session = sessions.create_in("racers".into()).unwrap();
        let _owned = session.take_ownership(log.tell("dropped")).unwrap();
        let group = session.group();
        race([
            &|| session.terminate(),
            &|| group.terminate(),
            &|| drop(sessions.create()),
            &|| {
                let ended = runtime.block_on(sessions.shutdown(Duration::from_secs(5)));
                assert!(ended.is_clean());
            },
        ]);
        runtime.block_on(session.cleanup_completed());

        let cause = session.completion_cause().unwrap();
        let own = Subject::Session(session.serial());
        let told: Vec<_> = come(&mut events)
            .into_iter()
            .filter(
                |event| matches!(event, LifecycleEvent::Completed(subject, ..) if *subject == own),
            )
            .collect();
        assert_eq!(causes(&told), [cause], "round {round}");
        assert_eq!(log.entries(), ["dropped"]);
    }
}

#[tokio::test(start_paused = true)]
async fn r01_expiry_and_a_termination_at_the_same_moment_are_one_completion() {
    for early in [true, false] {
        let sessions = builder()
            .idle_timeout(Duration::from_secs(64))
            .build()
            .unwrap();
        let mut events = sessions.subscribe();
        let session = sessions.create().unwrap();
        let other = session.clone();
        if early {
            // Registered before or after the sweeper's own timer, so that it fires before or after it.
            settle().await;
        }
        let at_the_moment = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(64_512)).await;
            other.terminate();
        });
        let _ = session.cleanup_completed().await;
        at_the_moment.await.unwrap();
        let cause = session.completion_cause().unwrap();
        assert_eq!(causes(&come(&mut events)), [cause]);
    }
}

#[test]
fn r01_terminate_returns_nothing() {
    fn signals<L>(_terminate: fn(&L)) {}
    signals::<Session>(LocalSession::terminate);
    signals::<SessionGroup>(LocalSession::terminate);
}

/// Checks that the session was terminated, and that its cleanup ends.
async fn assert_terminated(session: &Session) {
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::Terminated)
    );
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn r01_terminate_from_a_request_and_from_a_task() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    request.session().terminate();
    drop(request);
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let own = session.clone();
    let task = session
        .spawn(|token| async move {
            own.terminate();
            assert!(token.is_cancelled());
        })
        .unwrap();
    task.await.unwrap();
    assert_terminated(&session).await;
}

#[tokio::test(start_paused = true)]
async fn r01_terminate_from_hooks_and_destructors() {
    struct Terminates(Session);
    impl Drop for Terminates {
        fn drop(&mut self) {
            self.0.terminate();
        }
    }
    const HELD: PropertyKey<Session> = PropertyKey::new("held");
    const DROPPED: PropertyKey<Terminates> = PropertyKey::new("dropped");

    let sessions = manager();
    let end = |session: Session| session.terminate();
    let end_later = |session: Session| async move {
        tokio::task::yield_now().await;
        session.terminate();
    };

    // While the session is active: the property was removed.
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let _ = properties.insert_with(&HELD, session.clone(), end).unwrap();
    drop(properties.remove(&HELD).unwrap());
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let properties = session.properties();
    let _ = properties
        .insert_with(&HELD, session.clone(), end_later)
        .unwrap();
    drop(properties.remove(&HELD).unwrap());
    session.completion_token().cancelled().await;
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let owned = session.take_ownership(Terminates(session.clone())).unwrap();
    assert!(owned.dispose());
    assert_terminated(&session).await;

    // In its own cleanup.
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let _ = properties.insert_with(&HELD, session.clone(), end).unwrap();
    let _ = properties
        .insert(&DROPPED, Terminates(session.clone()))
        .unwrap();
    let _owned = session.take_ownership(Terminates(session.clone())).unwrap();
    session.terminate();
    assert_terminated(&session).await;
}

#[derive(SessionProperties)]
struct SelfEnding {
    #[property(init = |cx| cx.session().terminate())]
    at_once: Property<()>,
    #[property(async_init = async |cx| {
        tokio::task::yield_now().await;
        cx.session().terminate();
        assert!(cx.completion_token().is_cancelled());
    })]
    later: Property<()>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct GroupEnding {
    #[property(init = |cx: &InitContext<(), SessionGroup>| cx.group().terminate())]
    at_once: Property<()>,
}

#[tokio::test(start_paused = true)]
async fn r01_terminate_from_the_sessions_own_initializers() {
    let sessions = manager();
    let ended = |made: Result<(), PropertyError>| {
        assert!(matches!(made, Err(PropertyError::SessionEnded)), "{made:?}");
    };

    let session = sessions.create().unwrap();
    let made = session.properties().get_or_init(&ANY, || {
        session.terminate();
        1
    });
    ended(made.map(drop));
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let own = session.clone();
    let properties = session.properties();
    let made = properties.get_or_init_async(&ANY, || async move {
        own.terminate();
        1
    });
    ended(made.await.map(drop));
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let set = session.props::<SelfEnding>().unwrap();
    ended(set.at_once().map(drop));
    assert_terminated(&session).await;

    let session = sessions.create().unwrap();
    let set = session.props::<SelfEnding>().unwrap();
    ended(set.later().await.map(drop));
    assert_terminated(&session).await;

    let session = sessions.create_in("g".into()).unwrap();
    let set = session.group().props::<GroupEnding>().unwrap();
    let made = set.at_once();
    // The session holds nothing, so the group has ended with it, while its property was being created.
    ended(made.map(drop));
    assert_terminated(&session).await;
}

#[tokio::test]
async fn r01_terminate_from_a_thread_that_knows_no_runtime() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (sender, receiver) = mpsc::channel::<()>();
    let _owned = session.take_ownership(sender).unwrap();
    let own = session.clone();
    std::thread::spawn(move || own.terminate()).join().unwrap();
    assert_terminated(&session).await;
    assert!(receiver.recv().is_err(), "and it was cleaned up");
}
