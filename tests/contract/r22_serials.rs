//! Serials: the name of a session or group in events, logs, reports and `Debug`, which show nothing of an id.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    GroupId, LifecycleEvent, LocalSession, PropertyKey, SessionId, SessionManager, Subject,
};
use tracing_subscriber::fmt::{self, MakeWriter};

use crate::kit::{Bomb, Log, Tell, come, manager, race, threads};
use crate::subscriber::subscribe;

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

#[tokio::test]
async fn r22_a_serial_never_changes_and_is_never_used_twice() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let serial = session.serial();
    drop(session.cycle_id().unwrap());
    session.join("g".into()).unwrap();
    assert_eq!(session.serial(), serial);
    let group = session.group().serial();
    session.terminate();
    let _ = session.cleanup_completed().await;
    assert_eq!(session.serial(), serial);

    let mut serials = HashSet::from([serial, group]);
    for _ in 0..1_000 {
        let session = sessions.create().unwrap();
        assert!(serials.insert(session.serial()));
        assert!(serials.insert(session.group().serial()));
        session.terminate();
    }
}

#[test]
fn r22_racing_creations_share_none() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let serials = Mutex::new(HashSet::new());
    let create = || {
        for _ in 0..500 {
            let serial = sessions.create().unwrap().serial();
            assert!(serials.lock().unwrap().insert(serial));
        }
    };
    race([&create, &create]);
}

#[tokio::test]
async fn r22_they_start_at_a_random_multiple_of_two_to_the_32nd_below_two_to_the_53rd() {
    let starts: HashSet<u64> = (0..20)
        .map(|_| {
            let serial = manager().create().unwrap().serial();
            assert!(serial < 1 << 53);
            assert!(serial % (1 << 32) < 10);
            serial >> 32
        })
        .collect();
    // Equal by chance: one pair of twenty in ten thousand runs.
    assert!(starts.len() > 18, "{starts:?}");
}

#[tokio::test]
async fn r22_an_active_session_is_found_by_its_serial() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let _others = [
        sessions.create().unwrap(),
        sessions.create_in("g".into()).unwrap(),
    ];
    assert_eq!(sessions.find(session.serial()), Some(session.clone()));
    assert_eq!(sessions.find(session.group().serial()), None, "a group's");
    session.terminate();
    assert_eq!(sessions.find(session.serial()), None);
}

/// Whether each event names a session or group that an earlier event named, and that is not gone.
fn assert_each_was_created(events: Vec<LifecycleEvent>) {
    let mut alive = HashSet::new();
    for event in events {
        match event {
            LifecycleEvent::Created(subject) => assert!(alive.insert(subject.serial())),
            LifecycleEvent::Completed(subject, ..) => assert!(alive.contains(&subject.serial())),
            LifecycleEvent::CleanedUp(subject, _) => assert!(alive.remove(&subject.serial())),
            other => unreachable!("{other:?}"),
        }
    }
    assert!(alive.is_empty());
}

#[tokio::test(start_paused = true)]
async fn r22_an_event_names_nothing_that_no_earlier_event_has_named() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create().unwrap();
    let anonymous = session.group();
    drop(session.cycle_id().unwrap());
    session.join("g".into()).unwrap();
    drop(session.enter().unwrap().log_in("h".into()).unwrap());
    let ended = sessions.create().unwrap();
    ended.terminate();
    let _ = ended.cleanup_completed().await;
    // Created when it is over.
    let late = ended.group();
    let report = sessions.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean());
    assert_ne!(anonymous, late);
    assert_each_was_created(come(&mut events));
}

#[test]
fn r22_nor_while_groups_come_and_go() {
    let runtime = threads();
    let _entered = runtime.enter();
    for _ in 0..100 {
        let sessions = manager();
        let mut events = sessions.subscribe();
        let come_and_go = || {
            for _ in 0..5 {
                sessions.create_in("g".into()).unwrap().terminate();
            }
        };
        race([&come_and_go, &come_and_go]);
        assert_each_was_created(come(&mut events));
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

/// All output about a session's life.
fn show(sessions: &SessionManager, ids: &mut Vec<SessionId>) -> Vec<String> {
    let mut events = sessions.subscribe();
    let mut shown = Vec::new();
    let session = sessions.create_in("g".into()).unwrap();
    ids.push(session.id());
    let new = session.cycle_id().unwrap();
    ids.push(session.id());
    let mut request = sessions.enter(&new.id()).unwrap();
    shown.push(format!("{new:?} {ids:?} {request:?}"));
    let superseded = request
        .log_in(GroupId::from("h"))
        .unwrap()
        .into_superseded();
    ids.push(session.id());
    shown.push(format!("{superseded:?} {:?}", session.keep_alive()));
    shown.push(format!("{session:?} {:?}", session.downgrade()));
    shown.push(format!("{:#?} {:?}", session.group(), session.properties()));
    let owned = session.take_ownership(Bomb).unwrap();
    let held = session
        .properties()
        .insert(&ANY, Log::default().tell("any"));
    drop(held.unwrap());
    shown.push(format!("{owned:?} {:?}", request.until_completed(())));
    let other = sessions.create().unwrap();
    ids.push(other.id());
    shown.push(format!("{:?}", other.terminate_and_supersede()));
    shown.push(format!("{sessions:?} {:?}", come(&mut events)));
    shown
}

#[test]
fn r18_r22_nothing_shows_an_id_or_its_fingerprint() {
    let lines = Lines::default();
    let subscribed = subscribe(fmt::layer().with_ansi(false).with_writer(lines.clone()));
    let mut ids = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut shown, serial) = runtime.block_on(async {
        let sessions = manager();
        let mut shown = show(&sessions, &mut ids);
        let mut events = sessions.subscribe();
        let report = sessions.shutdown(Duration::from_secs(5)).await;
        let of_sessions = report
            .problems()
            .iter()
            .find_map(|(subject, _)| match subject {
                Subject::Session(serial) => Some(*serial),
                _ => None,
            });
        shown.push(format!("{report:?} {sessions:?} {:?}", come(&mut events)));
        (shown, of_sessions.expect("a destructor of it panics"))
    });
    drop(subscribed);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("boom"), "it is the log of that: {log}");
    assert!(log.contains(&format!("session={serial}")), "{log}");
    assert!(log.contains(&format!("session {serial}")), "{log}");
    shown.push(log);
    let shown = shown.join("\n");
    assert!(shown.contains(&serial.to_string()));
    for id in &ids {
        let text = id.encode();
        // Nor a part of it that distinguishes one id from another.
        for part in [&text[..8], &text[7..15], &text[14..]] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }
}
