//! Row 11: properties that are inserted, replaced, removed and taken back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{LocalSession, PropertyKey, Refused, Session, SessionManager};
use tokio::sync::Notify;

use crate::kit::{Log, Tell, Watch, manager, problems, settle};

const KEY: PropertyKey<Tell> = PropertyKey::new("key");

fn session() -> (SessionManager, Session) {
    let sessions = manager();
    let session = sessions.create().unwrap();
    (sessions, session)
}

fn closed(value: Tell) {
    value.log.add(format!("{} closed", value.name));
    drop(value);
}

#[tokio::test]
async fn r11_insert_fails_on_a_key_that_is_present() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    assert_eq!(
        properties.insert(&KEY, log.tell("first")).unwrap().name,
        "first"
    );
    let refused = properties.insert(&KEY, log.tell("second")).unwrap_err();
    assert!(matches!(refused, Refused::AlreadyPresent(_)));
    assert_eq!(refused.into_value().name, "second");
    let refused = properties
        .insert_with(&KEY, log.tell("third"), closed)
        .unwrap_err();
    assert!(matches!(&refused, Refused::AlreadyPresent(value) if value.name == "third"));
    drop(refused);
    assert_eq!(properties.get(&KEY).unwrap().name, "first");
    assert_eq!(
        log.entries(),
        ["second", "third"],
        "what is refused is not closed"
    );
}

#[tokio::test]
async fn r11_replace_returns_the_old_handle_and_remove_returns_the_handle() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    assert!(properties.remove(&KEY).unwrap().is_none());
    assert!(
        properties
            .replace(&KEY, log.tell("first"))
            .unwrap()
            .is_none()
    );
    let first = properties
        .replace(&KEY, log.tell("second"))
        .unwrap()
        .unwrap();
    assert_eq!(first.name, "first");
    assert_eq!(properties.get(&KEY).unwrap().name, "second");
    let second = properties
        .replace_with(&KEY, log.tell("third"), closed)
        .unwrap()
        .unwrap();
    assert_eq!(second.name, "second");
    let third = properties.remove(&KEY).unwrap().unwrap();
    assert_eq!(third.name, "third");
    assert!(properties.get(&KEY).is_none() && properties.list().is_empty());
    assert!(properties.remove(&KEY).unwrap().is_none());
    assert!(properties.insert(&KEY, log.tell("fourth")).is_ok());
    assert_eq!(log.count(), 0);
    drop((first, second, third));
    assert_eq!(log.entries(), ["first", "second", "third closed", "third"]);
}

#[tokio::test]
async fn r11_a_replaced_or_removed_value_is_closed_with_its_last_handle() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    let held = properties
        .insert_with(&KEY, log.tell("first"), closed)
        .unwrap();
    let replaced = properties
        .replace_with(&KEY, log.tell("second"), closed)
        .unwrap();
    drop(replaced);
    assert_eq!(log.count(), 0, "it is still held");
    let removed = properties.remove(&KEY).unwrap();
    let second = removed.clone();
    drop(removed);
    assert_eq!(log.count(), 0, "it is still held");
    drop(second);
    assert_eq!(log.entries(), ["second closed", "second"]);
    drop(held);
    assert_eq!(log.entries()[2..], ["first closed", "first"]);
}

#[tokio::test(start_paused = true)]
async fn r11_cleanup_neither_waits_for_what_is_no_longer_the_sessions_nor_counts_it() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    properties
        .insert_with(&KEY, log.tell("replaced"), closed)
        .unwrap();
    let replaced = properties
        .replace_with(&KEY, log.tell("removed"), closed)
        .unwrap();
    let removed = properties.remove(&KEY).unwrap();
    properties.insert(&KEY, log.tell("kept")).unwrap();
    let watch = Watch::start();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean());
    assert_eq!((report.closed(), watch.millis()), (1, 0));
    assert_eq!(log.entries(), ["kept"]);
    drop((replaced, removed));
    assert_eq!(
        log.entries()[1..],
        ["replaced closed", "replaced", "removed closed", "removed"]
    );
}

#[tokio::test(start_paused = true)]
async fn r11_cleanup_waits_for_a_hook_of_a_removed_one_that_is_under_way() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    let finish = Arc::<Notify>::default();
    let close = {
        let finish = finish.clone();
        async move |value: Tell| {
            finish.notified().await;
            closed(value);
        }
    };
    properties
        .insert_with(&KEY, log.tell("removed"), close)
        .unwrap();
    drop(properties.remove(&KEY).unwrap());
    session.terminate();
    let cleanup = session.cleanup_completed();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(cleanup.clone().now_or_never().is_none());
    assert_eq!(log.count(), 0);
    finish.notify_one();
    let report = cleanup.await;
    assert_eq!(log.entries(), ["removed closed", "removed"]);
    assert_eq!(
        (report.closed(), problems(&report).len()),
        (0, 0),
        "it is not counted"
    );
}

#[tokio::test]
async fn r11_a_value_is_taken_back_by_its_only_holder() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    let handle = properties
        .insert_with(&KEY, log.tell("first"), closed)
        .unwrap();
    let handle = handle.try_into_inner().expect_err("the session holds it");
    let removed = properties.remove(&KEY).unwrap().unwrap();
    let removed = removed
        .try_into_inner()
        .expect_err("there is another handle");
    assert_eq!((handle.name, removed.name), ("first", "first"));
    drop(handle);
    let first = removed.try_into_inner().expect("it is the only one");
    settle().await;
    assert_eq!(
        (first.name, log.count()),
        ("first", 0),
        "undropped, and not closed"
    );

    properties.insert_with(&KEY, first, closed).unwrap();
    let replaced = properties
        .replace(&KEY, log.tell("second"))
        .unwrap()
        .unwrap();
    let first = replaced.try_into_inner().expect("it is the only one");
    assert_eq!(log.count(), 0);
    drop(first);
    session.terminate();
    assert_eq!(session.cleanup_completed().await.closed(), 1);
    assert_eq!(log.entries(), ["first", "second"]);
}

#[tokio::test]
async fn r11_insert_with_and_replace_with_take_a_close_hook() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let log = Log::default();
    let other = PropertyKey::<Tell>::new("other");
    properties
        .insert_with(&KEY, log.tell("first"), closed)
        .unwrap();
    properties
        .replace_with(&other, log.tell("second"), async |value| closed(value))
        .unwrap();
    let third = PropertyKey::<Tell>::new("third");
    properties
        .insert_with(&third, log.tell("third"), closed)
        .unwrap();
    // A hook belongs to its value. The replacement has its own, or none.
    drop(properties.replace(&third, log.tell("fourth")).unwrap());
    assert_eq!(log.entries(), ["third closed", "third"]);
    session.terminate();
    assert_eq!(session.cleanup_completed().await.closed(), 3);
    assert_eq!(
        log.entries()[2..],
        ["fourth", "second closed", "second", "first closed", "first"]
    );
}
