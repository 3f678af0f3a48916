//! The cluster's row 2: with a new tag, the sessions of other tags end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use session_core::{
    CompletionCause, CycleError, LifecycleEvent, LocalSession, NodeTag, NotLive, PropertyKey,
    Session, SessionEnded, SessionKey, SessionManager, Subject,
};

use crate::kit::{Log, Tell, builder, come, manager, race, spin_until, threads};

const LOST: Option<CompletionCause> = Some(CompletionCause::OwnershipLost);

/// The tags of a test, which all differ.
fn tag(number: u16) -> NodeTag {
    NodeTag::random_in(number).unwrap()
}

fn tagged() -> SessionManager {
    let sessions = manager();
    sessions.set_tag(tag(0));
    sessions
}

#[tokio::test]
async fn c02_the_first_tag_ends_what_was_there_before() {
    let sessions = manager();
    let before = sessions.create().unwrap();
    assert_eq!(sessions.set_tag(tag(1)), 1);
    assert_eq!(before.completion_cause(), LOST);
    let after = sessions.create().unwrap();
    assert_eq!(sessions.set_tag(after.id().tag()), 0, "the same again");
    assert_eq!(sessions.sessions(), [after]);
}

#[tokio::test]
async fn c02_exactly_the_sessions_of_other_tags_end() {
    let sessions = tagged();
    let key = SessionKey::new("k").unwrap();
    let ended = sessions.create().unwrap();
    ended.terminate();
    let old = [
        sessions.create().unwrap(),
        sessions.create_in("g".into()).unwrap(),
        sessions.get_or_create_keyed(&key).unwrap(),
        sessions.create_entered(None).unwrap().session().clone(),
    ];
    let _told = old[0].cycle_id().unwrap();
    assert_eq!(sessions.set_tag(tag(1)), 4);
    for session in &old {
        assert_eq!(session.completion_cause(), LOST);
        assert_eq!(session.completion_reason(), None);
        assert_eq!(sessions.enter(&session.id()).unwrap_err(), NotLive::Unknown);
        assert_eq!(session.cycle_id().unwrap_err(), SessionEnded);
    }
    assert_eq!(ended.completion_cause(), Some(CompletionCause::Terminated));
    assert_eq!(sessions.stats().active, 0);
    // Their keys and groups are free.
    let new = [
        sessions.get_or_create_keyed(&key).unwrap(),
        sessions.create_in("g".into()).unwrap(),
    ];
    assert_eq!(sessions.sessions().len(), 2);
    for session in new {
        assert!(!old.contains(&session));
        assert_eq!(session.id().tag().slot(), 1);
        assert_eq!(session.completion_cause(), None);
    }
}

#[tokio::test]
async fn c02_they_are_cleaned_up_as_always() {
    const KEYS: [PropertyKey<Tell>; 2] = [PropertyKey::new("first"), PropertyKey::new("second")];
    let sessions = tagged();
    let mut events = sessions.subscribe();
    let session = sessions.create().unwrap();
    let log = Log::default();
    for (key, name) in KEYS.iter().zip(["first", "second"]) {
        drop(session.properties().insert(key, log.tell(name)));
    }
    let owned = session.take_ownership(log.tell("owned")).unwrap();
    let request = session.enter().unwrap();
    assert_eq!(sessions.set_tag(tag(1)), 1);
    assert!(session.completion_token().is_cancelled());
    assert_eq!(sessions.stats().in_cleanup, 1);
    drop((request, owned));
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.closed(), 3);
    assert_eq!(log.entries(), ["owned", "second", "first"]);

    let subject = Subject::Session(session.serial());
    let told = come(&mut events);
    let cause = told.iter().find_map(|event| match event {
        LifecycleEvent::Completed(of, cause, None) if *of == subject => Some(*cause),
        _ => None,
    });
    assert_eq!(cause, LOST);
    assert_eq!(cause.unwrap().to_string(), "ownership lost");
}

/// A superseded id says that its client has another one, or has logged out. That is still so.
#[tokio::test]
async fn c02_superseded_ids_stay_superseded_for_their_time() {
    let sessions = tagged();
    let session = sessions.create().unwrap();
    let old = session.id();
    let told = session.cycle_id().unwrap();
    let logged_out = sessions.create().unwrap();
    drop(logged_out.terminate_and_supersede().unwrap());
    sessions.set_tag(tag(1));
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    let id = logged_out.id();
    assert_eq!(sessions.enter(&id).unwrap_err(), NotLive::Superseded);
    assert_eq!(sessions.enter(&told.id()).unwrap_err(), NotLive::Unknown);
    told.into_superseded().forget();
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Unknown);
}

#[tokio::test]
async fn c02_a_group_lingers_on_for_the_visitor_that_comes_back() {
    let minute = std::time::Duration::from_secs(60);
    let sessions = builder().group_linger(minute).build().unwrap();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    sessions.set_tag(tag(1));
    let _ = session.cleanup_completed().await;
    assert_eq!(sessions.create_in("g".into()).unwrap().group(), group);
}

#[test]
fn c02_a_session_that_is_created_at_the_same_time_has_the_new_tag_or_ends() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = tagged();
    let key = SessionKey::new("k").unwrap();
    for round in 1..500 {
        let created = Mutex::new(Vec::<Session>::new());
        let add = |session| created.lock().unwrap().push(session);
        let new = tag(round);
        race([
            &|| _ = sessions.set_tag(new),
            &|| add(sessions.create().unwrap()),
            &|| add(sessions.create_entered(None).unwrap().session().clone()),
            &|| add(sessions.get_or_create_keyed(&key).unwrap()),
        ]);
        for session in created.into_inner().unwrap() {
            let cause = (session.id().tag() != new).then_some(LOST.unwrap());
            assert_eq!(session.completion_cause(), cause);
        }
        assert!(
            sessions
                .sessions()
                .iter()
                .all(|session| session.id().tag() == new)
        );
    }
}

#[test]
fn c02_a_session_does_not_change_over_to_the_new_tag() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = tagged();
    for round in 1..50 {
        let all = [(); 8].map(|()| sessions.create().unwrap());
        let over = AtomicBool::new(false);
        let new = tag(round);
        let cycle = |session: &Session| {
            while let Ok(told) = session.cycle_id() {
                assert_ne!(told.id().tag(), new);
            }
        };
        let log_in = |session: &Session| {
            while let Ok(mut request) = session.enter() {
                match request.log_in("g".into()) {
                    Ok(told) => assert_ne!(told.id().tag(), new),
                    Err(error) => assert_eq!(error, CycleError::SessionEnded),
                }
            }
        };
        race([
            &|| all[..4].iter().for_each(cycle),
            &|| all[4..].iter().for_each(log_in),
            &|| {
                sessions.set_tag(new);
                over.store(true, Ordering::Relaxed);
            },
            &|| spin_until(|| over.load(Ordering::Relaxed)),
        ]);
        for session in &all {
            assert_eq!(session.completion_cause(), LOST);
        }
        assert!(sessions.sessions().is_empty());
    }
}

/// Each is ended by one call, and all have the tag that is set last.
#[test]
fn c02_tags_that_are_set_at_the_same_time() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = tagged();
    for round in 0..500 {
        let before = [(); 5].map(|()| sessions.create().unwrap());
        let ended = Mutex::new(0);
        let set = |number| *ended.lock().unwrap() += sessions.set_tag(tag(number));
        race([&|| set(2 * round + 1), &|| set(2 * round + 2)]);
        assert_eq!(*ended.lock().unwrap(), before.len());
        assert!(before.iter().all(LocalSession::is_completed));
        let session = sessions.create().unwrap();
        assert!(!session.is_completed());
        session.terminate();
    }
}

#[tokio::test]
async fn c02_a_manager_without_a_tag_ends_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    for _ in 0..100 {
        let _told = session.cycle_id().unwrap();
        drop(sessions.create().unwrap());
    }
    assert_eq!(sessions.stats().active, 101);
}
