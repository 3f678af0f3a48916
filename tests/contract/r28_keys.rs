//! Keyed sessions: an application's own name for a session.

use std::time::Duration;

use session_core::{
    CompletionCause, CreateError, EmptySessionKey, LocalSession, NotLive, RekeyError, Session,
    SessionKey, SessionManager, WhenFull,
};
use tokio::time::advance;

use crate::kit::{builder, come, manager, only, race, settle, threads};

const FOR: Duration = Duration::from_secs(30);

fn key(name: &str) -> SessionKey {
    SessionKey::new(name).unwrap()
}

fn keyed(sessions: &SessionManager, name: &str) -> Session {
    sessions.get_or_create_keyed(&key(name)).unwrap()
}

/// Whether a session could be created under the key, which would be in no other way noticed.
fn is_superseded(sessions: &SessionManager, name: &str) -> bool {
    let refused = sessions.get_or_create_keyed(&key(name));
    refused == Err(CreateError::KeySuperseded)
}

/// Lets time pass, and lets the sweeper run.
async fn pass(time: Duration) {
    settle().await;
    advance(time).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn r28_the_live_session_under_a_key_is_found_or_created() {
    let sessions = manager();
    let session = keyed(&sessions, "tenant");
    assert_eq!(keyed(&sessions, "tenant"), session);
    assert_eq!(sessions.stats().created, 1);
    // It has an id of its own beside, and is a session like any other.
    assert_eq!(sessions.get(&session.id()), Some(session.clone()));
    drop(session.cycle_id().unwrap());
    assert_eq!(keyed(&sessions, "tenant"), session);
    session.join("user".into()).unwrap();
    assert_eq!(keyed(&sessions, "tenant"), session);
    assert_eq!(only(sessions.sessions()), session);
    // Another key is another session's, and in another manager the same key is, too.
    assert_ne!(keyed(&sessions, "tenant2"), session);
    assert_ne!(keyed(&manager(), "tenant"), session);
}

#[test]
fn r28_it_is_created_by_exactly_one_of_however_many_ask() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..500_u64 {
        let key = SessionKey::new(round.to_be_bytes()).unwrap();
        let ask = || {
            let session = sessions.get_or_create_keyed(&key).unwrap();
            assert_eq!(sessions.get_or_create_keyed(&key), Ok(session));
        };
        race([&ask; 4]);
        assert_eq!(sessions.stats().created, round + 1);
    }
}

#[test]
fn r28_there_is_one_session_of_a_key_while_others_end() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let ask = || {
        for _ in 0..2_000 {
            let session = keyed(&sessions, "k");
            assert!(sessions.stats().active <= 1);
            session.terminate();
            assert_ne!(keyed(&sessions, "k"), session);
        }
    };
    race([&ask; 4]);
    assert!(sessions.stats().active <= 1);
}

#[tokio::test(start_paused = true)]
async fn r28_a_key_is_bytes_of_any_length_and_not_empty() {
    assert_eq!(SessionKey::new("").unwrap_err(), EmptySessionKey);
    assert_eq!(SessionKey::new(Vec::new()).unwrap_err(), EmptySessionKey);
    let sessions = manager();
    let mut long = vec![7; 1 << 20];
    let create = |bytes: &[u8]| {
        let key = SessionKey::new(bytes).unwrap();
        sessions.get_or_create_keyed(&key).unwrap()
    };
    let first = create(&long);
    assert_eq!(create(&long), first);
    // Each byte counts, and so does the length.
    *long.last_mut().unwrap() = 8;
    assert_ne!(create(&long), first);
    let zeros: Vec<_> = (1..20).map(|length| create(&vec![0; length])).collect();
    assert_eq!(sessions.stats().active, 2 + zeros.len());
    assert_eq!(create(&[0xff, 0xfe]), create(&[0xff, 0xfe]), "no text");
}

#[tokio::test(start_paused = true)]
async fn r28_a_key_shows_nowhere() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let key = SessionKey::new("sesame").unwrap();
    let session = sessions.get_or_create_keyed(&key).unwrap();
    session
        .rekey(Some(&SessionKey::new("sesame2").unwrap()))
        .unwrap();
    let refused = sessions.get_or_create_keyed(&key).unwrap_err();
    let shown = format!(
        "{key:?} {session:?} {sessions:?} {refused:?} {refused} {:?} {:?}",
        come(&mut events),
        sessions.shutdown(FOR).await,
    );
    assert!(!shown.contains("sesame"), "{shown}");
    assert_eq!(format!("{key:?}"), "SessionKey(..)");
}

#[tokio::test(start_paused = true)]
async fn r28_rekey_moves_the_session() {
    let sessions = manager();
    let session = keyed(&sessions, "old");
    let (id, request) = (session.id(), session.enter().unwrap());
    session.rekey(Some(&key("new"))).unwrap();
    assert_eq!(keyed(&sessions, "new"), session);
    assert_eq!((session.id(), request.is_parted()), (id, false));
    // Its own key changes nothing.
    session.rekey(Some(&key("new"))).unwrap();
    assert_eq!(keyed(&sessions, "new"), session);
    // A session that was created without a key gets one.
    let other = sessions.create().unwrap();
    other.rekey(None).unwrap();
    other.rekey(Some(&key("other"))).unwrap();
    assert_eq!(keyed(&sessions, "other"), other);
    assert_eq!(sessions.stats().created, 2);
}

#[tokio::test(start_paused = true)]
async fn r28_the_old_key_is_superseded_like_an_id() {
    let sessions = manager();
    let (moved, freed) = (keyed(&sessions, "a"), keyed(&sessions, "b"));
    moved.rekey(Some(&key("c"))).unwrap();
    freed.rekey(None).unwrap();
    // To create under it is refused, and it is nobody else's.
    pass(FOR.saturating_sub(Duration::from_millis(16))).await;
    for old in ["a", "b"] {
        assert!(is_superseded(&sessions, old));
        for session in [&moved, &freed] {
            let refused = session.rekey(Some(&key(old)));
            assert_eq!(refused, Err(RekeyError::Superseded));
        }
    }
    assert_eq!(keyed(&sessions, "c"), moved, "it has kept its key");
    assert_eq!(sessions.stats().created, 2);
    pass(Duration::from_millis(48)).await;
    assert_ne!(keyed(&sessions, "a"), moved);
    freed.rekey(Some(&key("b"))).unwrap();
    // The same key a second time.
    freed.rekey(None).unwrap();
    assert!(is_superseded(&sessions, "b"));
    pass(FOR + Duration::from_millis(48)).await;
    assert_ne!(keyed(&sessions, "b"), freed);
    assert!(!moved.is_completed() && !freed.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r28_the_time_and_the_bound_of_superseded_keys_are_those_of_ids() {
    let off = builder().superseded_for(Duration::ZERO).build().unwrap();
    let session = keyed(&off, "old");
    session.rekey(None).unwrap();
    assert_ne!(keyed(&off, "old"), session);

    let longer = builder().superseded_for(FOR * 7).build().unwrap();
    let session = keyed(&longer, "old");
    session.rekey(None).unwrap();
    pass(FOR * 6).await;
    assert!(is_superseded(&longer, "old"));

    let small = builder().max_sessions(3, WhenFull::Reject).build().unwrap();
    let session = keyed(&small, "0");
    for new in ["1", "2", "3", "4"] {
        session.rekey(Some(&key(new))).unwrap();
    }
    assert_ne!(keyed(&small, "0"), session, "the oldest is unknown");
    for old in ["1", "2", "3"] {
        assert!(is_superseded(&small, old));
    }
}

#[tokio::test(start_paused = true)]
async fn r28_rekey_refuses_a_key_in_use_and_an_ended_session() {
    let sessions = manager();
    let (one, other) = (keyed(&sessions, "one"), keyed(&sessions, "other"));
    assert_eq!(one.rekey(Some(&key("other"))), Err(RekeyError::InUse));
    assert_eq!(other.rekey(Some(&key("one"))), Err(RekeyError::InUse));
    assert_eq!(keyed(&sessions, "one"), one);
    assert_eq!(keyed(&sessions, "other"), other);
    one.terminate();
    for new in [None, Some(&key("one")), Some(&key("new"))] {
        assert_eq!(one.rekey(new), Err(RekeyError::SessionEnded));
    }
    assert!(!is_superseded(&sessions, "new"));
}

#[tokio::test(start_paused = true)]
async fn r28_at_completion_the_key_is_free() {
    let ends: [fn(&SessionManager, &Session); 4] = [
        |_, session| session.terminate(),
        |_, session| session.group().terminate(),
        |_, session| drop(session.terminate_and_supersede()),
        |sessions, _| drop(sessions.create().unwrap()),
    ];
    for end in ends {
        let sessions = builder()
            .max_sessions(1, WhenFull::EvictIdlest)
            .build()
            .unwrap();
        let session = keyed(&sessions, "old");
        session.rekey(Some(&key("key"))).unwrap();
        end(&sessions, &session);
        assert!(session.is_completed());
        // Its key is another's, whatever becomes of it.
        let next = keyed(&sessions, "key");
        assert_ne!(next, session);
        let _ = session.cleanup_completed().await;
        assert_eq!(keyed(&sessions, "key"), next);
        assert!(is_superseded(&sessions, "old"), "as it was");
    }
    let sessions = manager();
    let session = keyed(&sessions, "key");
    pass(Duration::from_secs(20 * 60 + 2)).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    assert_ne!(keyed(&sessions, "key"), session);
}

#[tokio::test(start_paused = true)]
async fn r28_the_bound_eviction_and_shutdown_hold_as_for_create() {
    let full = builder().max_sessions(1, WhenFull::Reject).build().unwrap();
    let only = full.create().unwrap();
    let refused = full.get_or_create_keyed(&key("k"));
    assert_eq!(refused, Err(CreateError::Full));
    only.terminate();
    let session = keyed(&full, "k");
    // One that is there is found in a full manager, and in one that takes no new ones.
    assert_eq!(keyed(&full, "k"), session);
    full.drain();
    assert_eq!(keyed(&full, "k"), session);
    let refused = full.get_or_create_keyed(&key("l"));
    assert_eq!(refused, Err(CreateError::Draining));
    full.shutdown(FOR).await;
    assert!(session.is_completed());
    let refused = full.get_or_create_keyed(&key("k"));
    assert_eq!(refused, Err(CreateError::ShuttingDown));

    // A newcomer with a key is a stranger to eviction.
    let evicting = builder()
        .max_sessions(2, WhenFull::EvictIdlest)
        .build()
        .unwrap();
    let user = evicting.create_in("user".into()).unwrap();
    advance(FOR).await;
    let first = keyed(&evicting, "first");
    advance(FOR).await;
    keyed(&evicting, "second");
    assert_eq!(first.completion_cause(), Some(CompletionCause::Evicted));
    assert!(!user.is_completed());
}

#[test]
fn r28_callers_that_race_at_the_bound_evict_one() {
    let runtime = threads();
    let _entered = runtime.enter();
    for round in 0..200_u64 {
        let sessions = builder()
            .max_sessions(8, WhenFull::EvictIdlest)
            .build()
            .unwrap();
        let idle = [(); 8].map(|()| sessions.create().unwrap());
        let key = SessionKey::new(round.to_be_bytes()).unwrap();
        race([&|| drop(sessions.get_or_create_keyed(&key).unwrap()); 4]);
        let evicted = idle.iter().filter(|session| session.is_completed());
        assert_eq!(evicted.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn r28_a_session_entered_by_its_key_is_not_idle_for_a_moment() {
    let sessions = manager();
    let first = sessions.enter_or_create_keyed(&key("k")).unwrap().request;
    let session = first.session().clone();
    session.set_idle_timeout(Duration::ZERO); // ends with its last activity
    let second = sessions.enter_keyed(&key("k")).unwrap();
    assert_eq!(*second.session(), session);
    drop(first);
    assert!(!session.is_completed());
    drop(second);
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    let unknown = sessions.enter_keyed(&key("k")).unwrap_err();
    assert_eq!(unknown, NotLive::Unknown);
    let next = sessions.enter_or_create_keyed(&key("k")).unwrap();
    assert_ne!(*next.request.session(), session);
}

#[tokio::test(start_paused = true)]
async fn r28_a_request_that_enters_by_the_key_confirms_the_session() {
    let sessions = builder().unconfirmed_timeout(FOR).build().unwrap();
    let session = sessions.create_entered(None).unwrap().session().clone();
    session.rekey(Some(&key("k"))).unwrap();
    drop(sessions.enter_keyed(&key("k")).unwrap());
    advance(FOR * 2).await;
    settle().await;
    assert!(!session.is_completed());
}
