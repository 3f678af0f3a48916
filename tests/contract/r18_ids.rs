//! Session ids: their bits, how they are read and shown, and how they change.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::kit::{Log, Tell, manager, only, race, settle, threads};
use session_core::{
    CycleError, LocalSession, NotLive, ParseSessionIdError, PropertyKey, Session, SessionEnded,
    SessionId, SessionManager,
};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The 128 bits of an id, read by hand.
fn bits(id: SessionId) -> u128 {
    let text = id.encode();
    let sextets = text.bytes().map(|byte| {
        let at = ALPHABET.iter().position(|known| *known == byte);
        u8::try_from(at.expect("base64url without padding")).unwrap()
    });
    let mut bits = 0;
    for (sextet, at) in sextets.zip(0..) {
        // Of the last one only the two upper bits count.
        bits = match at {
            21 => bits << 2 | u128::from(sextet >> 4),
            _ => bits << 6 | u128::from(sextet),
        };
    }
    bits
}

#[tokio::test]
async fn r18_an_id_is_128_random_bits() {
    let sessions = manager();
    let create = || bits(sessions.create().unwrap().id());
    let ids: Vec<u128> = std::iter::repeat_with(create).take(4_096).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    // Nor do they depend on one another, as with counters or clocks.
    let changes = ids.windows(2).map(|pair| pair[0] ^ pair[1]).collect();
    for words in [ids, changes] {
        for bit in 0..128 {
            let set = words.iter().filter(|word| **word >> bit & 1 == 1).count();
            // Half of them, plus or minus seven standard deviations.
            assert!((1_824..=2_272).contains(&set), "bit {bit}: {set}");
        }
    }
}

#[tokio::test]
async fn r18_it_travels_as_base64url_without_padding_and_is_read_strictly() {
    let sessions = manager();
    let id = sessions.create().unwrap().id();
    let text = id.encode();
    assert_eq!(text.len(), 22);
    assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)));
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(SessionId::decode(text.as_bytes()), Some(id));

    let mut wrong = vec![
        String::new(),
        text[..21].to_owned(),
        text[1..].to_owned(),
        format!("{text}A"),
        format!("{text}="),
        format!("{text}=="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{}=", &text[..21]),
        format!("{}==", &text[..20]),
        "é".repeat(11),
    ];
    let odd = (0..=127_u8).filter(|byte| !ALPHABET.contains(byte));
    wrong.extend(odd.map(|byte| format!("{}{}", char::from(byte), &text[1..])));
    // A last character with bits that no id has. Four are accepted, one for each value of the two bits that count.
    let last = text.as_bytes()[21];
    let others = ALPHABET.iter().filter(|byte| **byte != last);
    let accepted = others.filter_map(|byte| {
        SessionId::decode(format!("{}{}", &text[..21], char::from(*byte)).as_bytes())
    });
    assert_eq!(accepted.inspect(|other| assert_ne!(*other, id)).count(), 3);
    for text in wrong {
        assert_eq!(
            text.parse::<SessionId>(),
            Err(ParseSessionIdError),
            "{text:?}"
        );
        assert_eq!(SessionId::decode(text.as_bytes()), None, "{text:?}");
    }
}

#[tokio::test]
async fn r18_an_id_that_the_client_made_up_never_becomes_a_sessions() {
    let sessions = manager();
    let made_up: SessionId = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
    assert!(sessions.get(&made_up).is_none());
    assert_eq!(sessions.stats().created, 0);
    let session = sessions.create().unwrap();
    assert_ne!(session.id(), made_up);
    let _told = session.cycle_id().unwrap();
    assert_ne!(session.id(), made_up);
    assert!(sessions.get(&made_up).is_none());
}

#[tokio::test(start_paused = true)]
async fn r18_cycle_id_replaces_the_id_of_the_same_live_session() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let old = session.id();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let request = session.enter().unwrap();
    let task = session
        .spawn(|token| async move { token.cancelled().await })
        .unwrap();
    let owned = session.take_ownership(1).unwrap();

    let new = session.cycle_id().unwrap().id();
    assert_ne!(new, old);
    assert_eq!(session.id(), new);
    assert!(sessions.get(&old).is_none(), "dead at once");
    assert_eq!(sessions.get(&new), Some(session.clone()));
    assert_eq!(only(sessions.sessions()), session);
    assert_eq!(sessions.stats().active, 1);

    // A holder of the session goes on.
    settle().await;
    assert!(!session.is_completed() && !task.is_finished());
    assert_eq!(request.session(), &session);
    assert_eq!(session.properties().get(&ANY).unwrap().name, "any");
    assert_eq!(only(session.group().sessions()), session);
    assert_eq!(owned.reclaim(), Some(1));
    drop(session.enter().unwrap());

    drop(request);
    session.terminate();
    assert!(sessions.get(&new).is_none());
    let _ = session.cleanup_completed().await;
    assert_eq!(session.cycle_id().unwrap_err(), SessionEnded);
    assert_eq!(session.id(), new);
}

#[test]
fn r18_a_look_up_while_an_id_is_cycled_finds_the_session_by_one_id_or_the_other() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let session = sessions.create().unwrap();
    let cycle = || {
        for _ in 0..3_000 {
            let old = session.id();
            let new = session.cycle_id().unwrap().id();
            assert!(sessions.get(&old).is_none());
            assert!(sessions.get(&new).is_some());
        }
        session.terminate();
    };
    let look = || {
        while !session.is_completed() {
            let id = session.id();
            if sessions.get(&id).is_none() {
                assert!(session.id() != id || session.is_completed());
            }
        }
    };
    race([&cycle, &look]);
}

#[test]
fn r18_a_race_with_completion_leaves_no_completed_session_to_be_found() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..1_000 {
        let session = sessions.create().unwrap();
        let ids = Mutex::new(vec![session.id()]);
        let cycle = || {
            for _ in 0..3 {
                if let Ok(new) = session.cycle_id() {
                    ids.lock().unwrap().push(new.id());
                }
            }
        };
        race([&cycle, &cycle, &|| session.terminate()]);
        assert!(session.is_completed());
        for id in ids.into_inner().unwrap() {
            assert!(sessions.get(&id).is_none(), "round {round}");
        }
        assert!(sessions.sessions().is_empty(), "round {round}");
    }
}

/// Tries everything that could bring a completed session back.
async fn assert_stays_away(sessions: &SessionManager, session: &Session) {
    assert!(session.enter().is_err() && session.keep_alive().is_err());
    assert!(session.cycle_id().is_err());
    assert!(session.join("g".into()).is_err());
    assert!(session.spawn(|_| async {}).is_err());
    assert!(session.take_ownership(1).is_err());
    let late = || Log::default().tell("late");
    assert!(session.properties().insert(&ANY, late()).is_err());
    let made = session
        .properties()
        .get_or_init_async(&ANY, move || async move { late() });
    assert!(made.await.is_err());
    session.terminate();
    assert!(session.is_completed());
    assert!(sessions.get(&session.id()).is_none());
    assert!(sessions.sessions().is_empty() && sessions.groups().is_empty());
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test(start_paused = true)]
async fn r18_a_completed_session_never_comes_back_whatever_a_request_does() {
    let sessions = manager();
    // A slow request: the session ends during it, and is cleaned up before it is done.
    let session = sessions.create().unwrap();
    let slow = session.enter().unwrap();
    session.terminate();
    assert_stays_away(&sessions, slow.session()).await;
    let _ = session.cleanup_completed().await;
    assert_stays_away(&sessions, slow.session()).await;
    drop(slow);
    assert_stays_away(&sessions, &session).await;

    // A cancelled request, which began to create a property.
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    let cancelled = tokio::spawn(async move {
        let token = request.session().completion_token();
        let made = request
            .session()
            .properties()
            .get_or_init_async(&ANY, || async move {
                token.cancelled().await;
                tokio::task::yield_now().await;
                Log::default().tell("too late")
            });
        made.await.map(drop)
    });
    settle().await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    assert!(!session.is_completed());
    session.terminate();
    settle().await;
    assert!(session.properties().get(&ANY).is_none());
    assert_stays_away(&sessions, &session).await;
    assert!(session.cleanup_completed().await.is_clean());
}

// The amended part: look-up and entry are one step, and a change of the id separates requests.

#[test]
fn r18_nobody_enters_by_an_id_that_has_been_cycled() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for _ in 0..300 {
        let session = sessions.create().unwrap();
        let planted = session.id();
        let logged_in = AtomicBool::new(false);
        let log_in = || {
            let mut request = session.enter().unwrap();
            drop(request.log_in("user".into()).unwrap());
            logged_in.store(true, Ordering::SeqCst);
        };
        let come = || {
            for _ in 0..50 {
                let before = !logged_in.load(Ordering::SeqCst);
                match sessions.enter(&planted) {
                    Ok(_stranger) => assert!(before, "inside after the log-in"),
                    Err(error) => assert_eq!(error, NotLive::Superseded),
                }
            }
        };
        race([&log_in, &come]);
        session.terminate();
    }
}

#[tokio::test]
async fn r18_cycle_id_parts_the_session_from_the_requests_inside_its_own_excepted() {
    let sessions = manager();
    for log_in in [false, true] {
        let session = sessions.create().unwrap();
        let id = session.id();
        let stranger = sessions.enter(&id).unwrap();
        let mut own = sessions.enter(&id).unwrap();
        let new = if log_in {
            own.log_in("user".into()).unwrap()
        } else {
            own.cycle_id().unwrap()
        };
        assert!(stranger.is_parted() && !own.is_parted());
        assert!(!sessions.enter(&new.id()).unwrap().is_parted());
        // A second time separates it from no more requests.
        drop(own.cycle_id().unwrap());
        assert!(!own.is_parted());
        // A change by the session's handle separates it from all of them.
        drop(session.cycle_id().unwrap());
        assert!(own.is_parted());
        // It counts as inside all the same, and the session is not idle.
        assert!(!session.is_completed());
        // The request's right outlives its guard.
        let (strangers, owns) = (stranger.pass(), own.pass());
        drop((stranger, own));
        assert!(session.is_parted_from(strangers) && session.is_parted_from(owns));
        assert!(!session.is_parted_from(session.enter().unwrap().pass()));
        let other = sessions.create().unwrap();
        assert!(session.is_parted_from(other.enter().unwrap().pass()));
    }
}

#[tokio::test]
async fn r18_a_parted_request_changes_nothing_of_the_session() {
    let sessions = manager();
    let session = sessions.create_in("before".into()).unwrap();
    let id = session.id();
    let mut stranger = sessions.enter(&id).unwrap();
    let mut own = sessions.enter(&id).unwrap();
    let new = own.log_in("user".into()).unwrap().id();
    assert_eq!(stranger.cycle_id().unwrap_err(), CycleError::Parted);
    let moved = stranger.log_in("stranger".into()).unwrap_err();
    assert_eq!(moved, CycleError::Parted);
    assert_eq!(
        session.log_out(stranger.pass()).unwrap_err(),
        CycleError::Parted
    );
    assert_eq!(session.id(), new);
    assert_eq!(session.group().id().unwrap().as_str(), "user");
    session.terminate();
    assert_eq!(own.cycle_id().unwrap_err(), CycleError::SessionEnded);
    assert_eq!(
        session.log_out(own.pass()).unwrap_err(),
        CycleError::SessionEnded
    );
    let moved = own.log_in("late".into()).unwrap_err();
    assert_eq!(moved, CycleError::SessionEnded);
    assert!(sessions.group(&"late".into()).is_none());
}

#[tokio::test(start_paused = true)]
async fn r32_log_in_changes_id_and_group_in_one_step() {
    let sessions = manager();
    let session = sessions.create_in("before".into()).unwrap();
    let before = session.group();
    let log = Log::default();
    drop(before.take_ownership(log.tell("closed")).unwrap());
    let old = session.id();
    let mut request = sessions.enter(&old).unwrap();
    let new = request.log_in("user".into()).unwrap();
    assert_eq!(session.id(), new.id());
    assert_eq!(session.group().id().unwrap().as_str(), "user");
    // The group that it left ends, and none of its destructors runs in the caller.
    assert_eq!(log.count(), 0);
    settle().await;
    assert!(before.is_completed());
    assert_eq!(log.count(), 1);
    // To the same group again: the id alone.
    let group = session.group();
    let next = request.log_in("user".into()).unwrap();
    assert_ne!(next.id(), new.id());
    assert_eq!(session.group(), group);
    // A change of user.
    drop(request.log_in("another".into()).unwrap());
    assert_eq!(session.group().id().unwrap().as_str(), "another");
    settle().await;
    assert!(group.is_completed());
    drop(request);
    assert!(before.cleanup_completed().await.is_clean());
}
