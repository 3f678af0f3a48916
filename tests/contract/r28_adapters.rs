//! Keyed sessions, as an adapter of another framework uses them: look-ups that create nothing, and changes of a key
//! whether or not it has a session.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use session_core::{
    CreateError, LocalSession as _, NotLive, RekeyError, Session, SessionKey, SessionManager,
};
use tokio::time::advance;

use crate::kit::{builder, manager, race, settle, threads};

fn key(name: &str) -> SessionKey {
    SessionKey::new(name).unwrap()
}

fn keyed(sessions: &SessionManager, name: &str) -> Session {
    sessions.get_or_create_keyed(&key(name)).unwrap()
}

#[tokio::test]
async fn r28_a_look_up_by_key_creates_nothing_and_tells_superseded_from_unknown() {
    let sessions = manager();
    let (a, b) = (key("a"), key("b"));
    assert_eq!(sessions.get_keyed(&a), Err(NotLive::Unknown));
    assert_eq!(sessions.enter_keyed(&a).unwrap_err(), NotLive::Unknown);
    assert_eq!(sessions.stats().created, 0);
    let session = keyed(&sessions, "a");
    assert_eq!(sessions.get_keyed(&a), Ok(session.clone()));
    let request = sessions.enter_keyed(&a).unwrap();
    assert_eq!((request.session(), request.is_parted()), (&session, false));
    assert_eq!(session.activity().requests, 1);
    session.rekey(Some(&b)).unwrap();
    assert_eq!(sessions.get_keyed(&a), Err(NotLive::Superseded));
    assert_eq!(sessions.enter_keyed(&a).unwrap_err(), NotLive::Superseded);
    session.terminate();
    assert_eq!(sessions.get_keyed(&b), Err(NotLive::Unknown));
    assert_eq!(sessions.enter_keyed(&b).unwrap_err(), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r28_a_look_up_by_key_is_no_activity_and_an_entry_is() {
    let sessions = builder()
        .unconfirmed_timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let session = sessions.create_entered(None).unwrap().session().clone();
    session.rekey(Some(&key("k"))).unwrap();
    advance(Duration::from_secs(20)).await;
    assert_eq!(sessions.get_keyed(&key("k")), Ok(session.clone()));
    assert!(session.expires_in() <= Duration::from_secs(10));
    drop(sessions.enter_keyed(&key("k")).unwrap());
    assert!(session.expires_in() > Duration::from_secs(30), "confirmed");
}

#[test]
fn r28_one_of_the_callers_is_told_that_it_created_the_session() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..200_u64 {
        let key = SessionKey::new(round.to_be_bytes()).unwrap();
        let new = AtomicUsize::new(0);
        let enter = || {
            let entry = sessions.enter_or_create_keyed(&key).unwrap();
            new.fetch_add(usize::from(entry.is_new), Ordering::Relaxed);
        };
        race([&enter; 4]);
        assert_eq!(new.into_inner(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn r28_the_manager_moves_whichever_session_has_the_key() {
    let sessions = manager();
    let (a, b) = (key("a"), key("b"));
    let session = keyed(&sessions, "a");
    assert_eq!(sessions.rekey(&a, Some(&b)), Ok(Some(session.clone())));
    assert_eq!(sessions.get_keyed(&b), Ok(session.clone()));
    assert_eq!(sessions.get_keyed(&a), Err(NotLive::Superseded));
    // Its own key changes nothing.
    assert_eq!(sessions.rekey(&b, Some(&b)), Ok(Some(session.clone())));
    assert_eq!(sessions.get_keyed(&b), Ok(session.clone()));
    // Without a new key it has none.
    assert_eq!(sessions.rekey(&b, None), Ok(Some(session.clone())));
    assert_eq!(sessions.get_keyed(&b), Err(NotLive::Superseded));
    assert!(!session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r28_the_old_key_is_superseded_even_if_no_session_has_it() {
    let sessions = manager();
    let (a, b) = (key("a"), key("b"));
    for new in [Some(&b), None] {
        assert_eq!(sessions.rekey(&a, new), Ok(None));
        // Once more: it has one time, which runs from the first.
        settle().await;
        advance(Duration::from_secs(20)).await;
        assert_eq!(sessions.rekey(&a, new), Ok(None));
        let refused = sessions.get_or_create_keyed(&a);
        assert_eq!(refused, Err(CreateError::KeySuperseded));
        settle().await;
        advance(Duration::from_secs(11)).await;
        settle().await;
        assert_eq!(sessions.get_keyed(&a), Err(NotLive::Unknown));
    }
    assert_eq!(sessions.rekey(&a, Some(&a)), Ok(None));
    assert_eq!(sessions.get_keyed(&a), Err(NotLive::Unknown), "unchanged");
    assert_eq!(sessions.stats().created, 0);
}

#[tokio::test]
async fn r28_a_key_in_use_or_superseded_is_not_moved_to() {
    let sessions = manager();
    let (session, other) = (keyed(&sessions, "a"), keyed(&sessions, "b"));
    let moved = sessions.rekey(&key("a"), Some(&key("b")));
    assert_eq!(moved, Err(RekeyError::InUse));
    other.rekey(Some(&key("c"))).unwrap();
    let moved = sessions.rekey(&key("a"), Some(&key("b")));
    assert_eq!(moved, Err(RekeyError::Superseded));
    assert_eq!(sessions.get_keyed(&key("a")), Ok(session));
}

#[test]
fn r28_the_manager_moves_a_key_while_its_sessions_end() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..2_000_u64 {
        let old = SessionKey::new(round.to_be_bytes()).unwrap();
        let new = SessionKey::new((!round).to_be_bytes()).unwrap();
        let session = sessions.get_or_create_keyed(&old).unwrap();
        let change = || {
            let moved = sessions.rekey(&old, Some(&new)).unwrap();
            assert!(moved.is_none_or(|moved| moved == session || session.is_completed()));
            assert_eq!(sessions.get_keyed(&old), Err(NotLive::Superseded));
        };
        let end = || session.terminate();
        let ask = || match sessions.get_or_create_keyed(&old) {
            Ok(given) => assert!(given == session || session.is_completed()),
            Err(error) => assert_eq!(error, CreateError::KeySuperseded),
        };
        race([&change, &end, &ask]);
        let again = sessions.get_or_create_keyed(&old);
        assert_eq!(again, Err(CreateError::KeySuperseded));
        for session in sessions.sessions() {
            session.terminate();
        }
    }
}
