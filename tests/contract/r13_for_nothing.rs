//! Row 13: a value without drop glue and without a hook costs nothing at cleanup.

use futures_util::FutureExt as _;
use session_core::{Exclusive, LocalSession, Property, PropertyKey, SessionProperties};
use tokio::runtime::Handle;

use crate::kit::{manager, settle};

const NUMBER: PropertyKey<u64> = PropertyKey::new("number");
const TEXT: PropertyKey<&'static str> = PropertyKey::new("text");
const OTHER: PropertyKey<[u8; 16]> = PropertyKey::new("other");

#[derive(SessionProperties)]
struct Plain {
    #[property(default)]
    shared: Property<u64>,
    #[property(async_init = async || 1)]
    on_a_task: Property<u64>,
    #[property(default)]
    lent: Exclusive<u64>,
    by_hand: Property<&'static str>,
    by_hand_lent: Exclusive<Option<u64>>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct OfGroup {
    #[property(default)]
    shared: Property<u64>,
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn put(local: &impl LocalSession) {
    let properties = local.properties();
    properties.insert(&NUMBER, 1).unwrap();
    properties.insert(&TEXT, "text").unwrap();
    properties.get_or_init(&OTHER, || [0; 16]).unwrap();
    properties.replace(&NUMBER, 2).unwrap();
    properties.remove(&TEXT).unwrap();
}

#[tokio::test]
async fn r13_a_value_with_nothing_to_drop_and_no_hook_costs_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let group = session.group();
    put(&session);
    put(&group);
    group.props::<OfGroup>().unwrap().shared().unwrap();
    let plain = session.props::<Plain>().unwrap();
    plain.shared().unwrap();
    plain.on_a_task().await.unwrap();
    *plain.lent().await.unwrap() += 1;
    plain.set_by_hand("text").unwrap();
    plain.set_by_hand_lent(Some(1)).unwrap();
    settle().await;

    let before = tasks();
    session.terminate();
    assert_eq!(tasks(), before, "it needs no task");
    let report = session
        .cleanup_completed()
        .now_or_never()
        .expect("it is over at once");
    assert_eq!(report.closed(), 0);
    assert!(report.is_clean());
    let report = group
        .cleanup_completed()
        .now_or_never()
        .expect("it is over at once");
    assert_eq!(report.closed(), 0);
}

#[tokio::test]
async fn r13_a_value_with_a_hook_or_something_to_drop_is_closed_on_a_task() {
    let sessions = manager();
    let closings: [fn(&session_core::Session); 2] = [
        |session| drop(session.properties().insert_with(&NUMBER, 1, |_: u64| ())),
        |session| {
            drop(
                session
                    .properties()
                    .insert(&PropertyKey::new("text"), String::new()),
            );
        },
    ];
    for put in closings {
        let session = sessions.create().unwrap();
        put(&session);
        let before = tasks();
        session.terminate();
        assert_eq!(tasks(), before + 1);
        assert_eq!(session.cleanup_completed().await.closed(), 1);
    }
}
