//! Session ids: what they are made of, how they are read and shown, and how they change.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    LocalSession, ParseSessionIdError, PropertyKey, Session, SessionEnded, SessionId,
    SessionManager,
};
use tracing_subscriber::fmt::MakeWriter;

use crate::kit::{Bomb, Log, Tell, come, manager, only, race, settle, threads};
use crate::subscriber::subscribe;

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
    // Nor do they depend on one another, as counters or clocks would make them.
    let changes = ids.windows(2).map(|pair| pair[0] ^ pair[1]).collect();
    for words in [ids, changes] {
        for bit in 0..128 {
            let set = words.iter().filter(|word| **word >> bit & 1 == 1).count();
            // Half of them, give or take seven standard deviations.
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
    // A last character with bits that no id has: one of four stands for each.
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

/// Where the log goes.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn r18_debug_and_logs_show_a_short_fingerprint_only() {
    let lines = Lines::default();
    let subscribed = subscribe(tracing_subscriber::fmt::layer().with_writer(lines.clone()));
    let mut shown = Vec::new();
    let mut ids = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sessions = manager();
        let mut events = sessions.subscribe();
        let session = sessions.create_in("g".into()).unwrap();
        ids.push(session.id());
        let new = session.cycle_id().unwrap();
        ids.push(session.id());
        shown.push(format!("{new:?}"));
        shown.push(format!("{:?} {:?}", session.enter(), session.keep_alive()));
        shown.push(format!("{session:?} {:?}", session.downgrade()));
        shown.push(format!("{:#?} {:?}", session.group(), session.properties()));
        let owned = session.take_ownership(Bomb).unwrap();
        let held = session
            .properties()
            .insert(&ANY, Log::default().tell("any"));
        drop(held.unwrap());
        shown.push(format!("{owned:?}"));
        let report = sessions.shutdown(Duration::from_secs(5)).await;
        shown.push(format!("{report:?} {sessions:?} {:?}", come(&mut events)));
    });
    drop(subscribed);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("boom"), "it is the log of that: {log}");
    shown.push(log);
    let shown = shown.join("\n");
    for id in &ids {
        let fingerprint = id.fingerprint();
        assert_eq!(fingerprint.len(), 8);
        assert_eq!(format!("{id:?}"), fingerprint);
        assert!(shown.contains(&fingerprint));
        assert!(!shown.contains(&id.encode()), "{shown}");
        assert!(!shown.contains(&format!("{:x}", bits(*id))));
        assert!(!shown.contains(&bits(*id).to_string()));
    }
    assert_ne!(ids[0].fingerprint(), ids[1].fingerprint());
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
async fn r18_cycle_id_gives_the_same_live_session_a_new_id() {
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

    // Who holds the session goes on.
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
fn r18_whoever_looks_while_an_id_is_cycled_finds_the_session_by_the_one_or_the_other() {
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

/// Tries all that could bring a completed session back.
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
    // A slow one: the session ends under it, and is cleaned up before it is done.
    let session = sessions.create().unwrap();
    let slow = session.enter().unwrap();
    session.terminate();
    assert_stays_away(&sessions, slow.session()).await;
    let _ = session.cleanup_completed().await;
    assert_stays_away(&sessions, slow.session()).await;
    drop(slow);
    assert_stays_away(&sessions, &session).await;

    // A cancelled one: it began to make a property.
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
