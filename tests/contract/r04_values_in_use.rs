//! Values that are still held when cleanup comes to them, and hooks that take too long.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    LocalSession, Property, PropertyKey, SessionManager, SessionProperties, Trouble,
};
use tokio::sync::oneshot;

use crate::kit::{Log, Tell, Watch, builder, problems, settle};

const FIRST: PropertyKey<Tell> = PropertyKey::new("first");
const SECOND: PropertyKey<Tell> = PropertyKey::new("second");
const THIRD: PropertyKey<Tell> = PropertyKey::new("third");

fn manager() -> SessionManager {
    builder()
        .close_timeout(Duration::from_secs(7))
        .build()
        .unwrap()
}

async fn close(value: Tell) {
    value.log.add("the hook begins");
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn r04_a_value_still_held_does_not_stop_the_others_and_is_waited_for_at_the_end() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();
    drop(properties.insert(&FIRST, log.tell("first")));
    let held = properties
        .insert_with(&SECOND, log.tell("second"), close)
        .unwrap();
    drop(properties.insert(&THIRD, log.tell("third")));
    let watch = Watch::start();
    session.terminate();
    settle().await;
    assert_eq!(log.entries(), ["third", "first"]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(session.cleanup_completed().now_or_never().is_none());

    let other = held.clone();
    drop(held);
    settle().await;
    assert_eq!(log.count(), 2, "not by the last but one");
    drop(other);
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries()[2..], ["the hook begins", "second"]);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.closed(), 3);
    assert_eq!(watch.millis(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn r04_cleanup_waits_for_such_values_close_timeout_at_most_and_they_are_closed_later() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();
    let first = properties
        .insert_with(&FIRST, log.tell("first"), close)
        .unwrap();
    let second = properties.insert(&SECOND, log.tell("second")).unwrap();
    let watch = Watch::start();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(watch.millis(), 7_000, "for both together");
    assert_eq!(report.closed(), 0);
    let mut held = problems(&report);
    held.sort_unstable();
    assert_eq!(held, ["first: still held", "second: still held"]);
    assert_eq!(
        report.problems()[0].type_name(),
        std::any::type_name::<Tell>()
    );

    drop((session, sessions));
    assert_eq!(log.count(), 0);
    drop(second);
    drop(first);
    settle().await;
    assert_eq!(log.entries(), ["second", "the hook begins", "first"]);
}

#[tokio::test(start_paused = true)]
async fn r04_each_hook_has_the_close_timeout_and_is_then_aborted() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    for (key, name) in [(&FIRST, "first"), (&SECOND, "second"), (&THIRD, "third")] {
        let hangs = async |value: Tell| {
            value.log.add(format!("{} hangs", value.name));
            std::future::pending::<()>().await;
            value.log.add("never reached");
        };
        let inserted = session.properties().insert_with(key, log.tell(name), hangs);
        drop(inserted.unwrap());
    }
    let watch = Watch::start();
    session.terminate();
    tokio::time::sleep(Duration::from_millis(6_999)).await;
    assert_eq!(log.entries(), ["third hangs"]);
    let report = session.cleanup_completed().await;
    // The timeout is each hook's own, and the aborted ones drop their value before the next begins.
    let order = [
        "third hangs",
        "third",
        "second hangs",
        "second",
        "first hangs",
        "first",
    ];
    assert_eq!(log.entries(), order);
    let timed_out = ["third: timed out", "second: timed out", "first: timed out"];
    assert_eq!(problems(&report), timed_out);
    assert_eq!(report.closed(), 3);
    assert_eq!(watch.millis(), 21_000);
}

#[tokio::test(start_paused = true)]
async fn r04_the_hook_of_a_late_last_handle_has_its_timeout_too() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let hangs = async |value: Tell| {
        value.log.add("hangs");
        std::future::pending::<()>().await;
        drop(value);
    };
    let held = session
        .properties()
        .insert_with(&FIRST, log.tell("first"), hangs)
        .unwrap();
    session.terminate();
    let _ = session.cleanup_completed().await;
    drop(held);
    let watch = Watch::start();
    tokio::time::sleep(Duration::from_millis(6_999)).await;
    assert_eq!(log.entries(), ["hangs"]);
    while log.count() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(watch.millis() <= 7_001);
    assert_eq!(log.entries(), ["hangs", "first"]);
}

#[derive(SessionProperties)]
struct Desk {
    lamp: Property<Tell>,
}

#[tokio::test(start_paused = true)]
async fn r04_a_handle_of_a_set_holds_its_values() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&FIRST, log.tell("first")));
    let desk = session.props::<Desk>().unwrap();
    desk.set_lamp(log.tell("lamp")).unwrap();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["first"]);
    assert_eq!(problems(&report), ["lamp: still held"]);
    drop(desk);
    assert_eq!(log.entries(), ["first", "lamp"]);
}

#[tokio::test(start_paused = true)]
async fn r04_a_removed_value_is_waited_for_only_while_its_hook_is_under_way() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();
    let (go_on, gone_on) = oneshot::channel::<()>();
    let slowly = async move |value: Tell| {
        gone_on.await.unwrap();
        drop(value);
    };
    drop(properties.insert(&FIRST, log.tell("removed")));
    drop(properties.insert_with(&SECOND, log.tell("being closed"), slowly));
    let removed = properties.remove(&FIRST).unwrap();
    drop(properties.remove(&SECOND).unwrap());
    session.terminate();
    settle().await;
    assert!(session.cleanup_completed().now_or_never().is_none());
    go_on.send(()).unwrap();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["being closed"]);
    assert!(report.is_clean(), "{report:?}");
    drop(removed);
    assert_eq!(log.entries(), ["being closed", "removed"]);
}

#[tokio::test(start_paused = true)]
async fn r04_a_hook_that_fails_does_not_stop_the_others() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();
    drop(properties.insert(&FIRST, log.tell("first")));
    let fails = |_: Tell| Err::<(), _>("full");
    drop(properties.insert_with(&SECOND, log.tell("second"), fails));
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["second", "first"]);
    let [problem] = report.problems() else {
        unreachable!("{report:?}")
    };
    assert_eq!(*problem.trouble(), Trouble::Failed("\"full\"".to_owned()));
    assert_eq!(report.closed(), 2);
}
