//! Row 10: a key is a name and a type.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use session_core::{LocalSession, PropertyKey, Session, SessionManager};

use crate::kit::manager;

const NUMBER: PropertyKey<u32> = PropertyKey::new("x");
const TEXT: PropertyKey<String> = PropertyKey::new("x");
static TABLE: [PropertyKey<u32>; 2] = [PropertyKey::new("of a table"), NUMBER];

fn session() -> (SessionManager, Session) {
    let sessions = manager();
    let session = sessions.create().unwrap();
    (sessions, session)
}

#[tokio::test]
async fn r10_the_same_name_with_another_type_is_another_property() {
    let (_sessions, session) = session();
    let properties = session.properties();
    properties.insert(&NUMBER, 1).unwrap();
    assert!(properties.get(&TEXT).is_none());
    properties.insert(&TEXT, "one".into()).unwrap();
    properties
        .insert(&PropertyKey::<i32>::new("x"), -1)
        .unwrap();
    assert_eq!(properties.get(&NUMBER).as_deref(), Some(&1));
    assert_eq!(
        properties.get(&TEXT).as_deref().map(String::as_str),
        Some("one")
    );

    let mut types: Vec<_> = properties
        .list()
        .iter()
        .map(|info| (info.name().to_owned(), info.type_name()))
        .collect();
    types.sort_unstable();
    let x = |type_name| ("x".to_owned(), type_name);
    assert_eq!(types, [x("alloc::string::String"), x("i32"), x("u32")]);

    properties.replace(&NUMBER, 2).unwrap();
    properties.remove(&TEXT).unwrap();
    assert!(properties.get(&TEXT).is_none());
    assert_eq!(properties.get(&NUMBER).as_deref(), Some(&2));
    assert_eq!(
        properties.get(&PropertyKey::<i32>::new("x")).as_deref(),
        Some(&-1)
    );
}

#[tokio::test]
async fn r10_the_same_type_under_another_name_is_another_property() {
    let (_sessions, session) = session();
    let properties = session.properties();
    properties.insert(&TABLE[0], 1).unwrap();
    assert!(properties.get(&NUMBER).is_none());
    properties.insert(&NUMBER, 2).unwrap();
    assert_eq!(properties.get(&TABLE[0]).as_deref(), Some(&1));
    // Names are compared by their text, not by its address.
    assert_eq!(properties.get(&TABLE[1]).as_deref(), Some(&2));
    let elsewhere: &'static str = String::from("x").leak();
    assert_eq!(
        properties
            .get(&PropertyKey::<u32>::new(elsewhere))
            .as_deref(),
        Some(&2)
    );
}

#[tokio::test]
async fn r10_new_is_const_and_its_key_is_copied() {
    fn is_a_plain_constant<K: Copy + Send + Sync + 'static>(_: K) {}
    // Any value type will do, since a key holds no value.
    const CELL: PropertyKey<Cell<*const u8>> = PropertyKey::new("cell");
    is_a_plain_constant(CELL);
    let copy = NUMBER;
    let again = copy;
    let (_sessions, session) = session();
    session.properties().insert(&copy, 1).unwrap();
    assert_eq!(session.properties().get(&again).as_deref(), Some(&1));
    assert!(!std::mem::needs_drop::<PropertyKey<String>>());
    assert_eq!(NUMBER.name(), "x");
}

#[tokio::test]
async fn r10_a_name_known_at_run_time_makes_the_same_key() {
    let (_sessions, session) = session();
    let properties = session.properties();
    let named: PropertyKey<u32, Arc<str>> = PropertyKey::named(String::from("x"));
    assert_eq!(named.name(), "x");
    properties.insert(&named, 1).unwrap();
    assert_eq!(properties.get(&NUMBER).as_deref(), Some(&1));
    properties.replace(&NUMBER, 2).unwrap();
    assert_eq!(properties.get(&named.clone()).as_deref(), Some(&2));
    assert_eq!(*properties.get_or_init(&named, || 3).unwrap(), 2);
    properties.remove(&named).unwrap();
    assert!(properties.get(&NUMBER).is_none());
    assert!(properties.insert(&TEXT, String::new()).is_ok());
}

/// Counts down to zero as values are dropped, which must happen in this order.
struct Countdown(usize, &'static AtomicUsize);

impl Drop for Countdown {
    fn drop(&mut self) {
        assert_eq!(self.1.fetch_sub(1, Ordering::Relaxed), self.0 + 1);
    }
}

#[tokio::test]
async fn r10_a_session_with_a_hundred_thousand_named_properties_works() {
    const COUNT: usize = 100_000;
    static LEFT: AtomicUsize = AtomicUsize::new(COUNT);
    static KEYS: LazyLock<Vec<PropertyKey<Countdown, Arc<str>>>> = LazyLock::new(|| {
        (0..COUNT)
            .map(|number| PropertyKey::named(format!("property {number}")))
            .collect()
    });
    let (_sessions, session) = session();
    let properties = session.properties();
    for (number, key) in KEYS.iter().enumerate() {
        let inserted = match number % 2 {
            0 => properties.insert(key, Countdown(number, &LEFT)).unwrap(),
            _ => properties
                .get_or_init(key, || Countdown(number, &LEFT))
                .unwrap(),
        };
        assert_eq!(inserted.0, number);
    }
    for (number, key) in KEYS.iter().enumerate() {
        assert_eq!(properties.get(key).map(|value| value.0), Some(number));
    }
    let list = properties.list();
    let names: HashSet<_> = list.iter().map(|info| info.name().to_owned()).collect();
    assert_eq!((list.len(), names.len()), (COUNT, COUNT));
    assert!(KEYS.iter().all(|key| names.contains(key.name())));

    // One half is removed, and the other is closed, the last first.
    let (kept, removed) = KEYS.split_at(COUNT / 2);
    for key in removed.iter().rev() {
        assert!(properties.remove(key).unwrap().is_some());
        assert!(properties.get(key).is_none());
    }
    assert_eq!(properties.list().len(), kept.len());
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{:?}", report.problems().first());
    assert_eq!(
        (report.closed(), LEFT.load(Ordering::Relaxed)),
        (kept.len(), 0)
    );
}
