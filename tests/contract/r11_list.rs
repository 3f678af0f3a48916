//! Row 11: a listing contains every property, and creates nothing.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, GroupId, LocalSession, Properties, Property, PropertyKey, PropertyState,
    SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::manager;

use PropertyState::{Absent, BeingCreated, Present};

#[derive(SessionProperties)]
struct Shelf {
    #[property(init = || String::from("made"))]
    made: Property<String>,
    #[property(default, name = "shown as")]
    renamed: Property<u8>,
    #[property(async_init = std::future::pending)]
    pending: Property<u16>,
    #[property(default)]
    lent: Exclusive<Vec<u8>>,
    by_hand: Property<u64>,
    by_hand_lent: Exclusive<i64>,
}

#[derive(SessionProperties)]
struct Other {
    #[property(default)]
    made: Property<u8>,
}

type Row = (String, &'static str, Option<u64>, PropertyState);

/// The listing in the order of names: name, type, age in seconds, state.
fn list(properties: Properties<'_>) -> Vec<Row> {
    let list = properties.list();
    let mut rows: Vec<Row> = list
        .iter()
        .map(|info| {
            let age = info.age().map(|age| age.as_secs());
            (info.name().to_owned(), info.type_name(), age, info.state())
        })
        .collect();
    rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    rows
}

fn row(name: &str, type_name: &'static str, age: Option<u64>, state: PropertyState) -> Row {
    (name.to_owned(), type_name, age, state)
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn r11_a_listing_tells_name_type_age_and_state_of_every_property() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    assert!(
        list(properties).is_empty(),
        "a set that nobody uses has no properties"
    );

    let shelf = session.props::<Shelf>().unwrap();
    let absent = [
        row("by_hand", "u64", None, Absent),
        row("by_hand_lent", "i64", None, Absent),
        row("lent", "alloc::vec::Vec<u8>", None, Absent),
        row("made", "alloc::string::String", None, Absent),
        row("pending", "u16", None, Absent),
        row("shown as", "u8", None, Absent),
    ];
    assert_eq!(list(properties), absent);
    assert_eq!(list(properties), absent, "to list creates nothing");
    assert!(shelf.made.get().is_none() && shelf.lent.try_lock().is_none());

    shelf.made().unwrap();
    pass(10).await;
    shelf.set_by_hand(1).unwrap();
    shelf.set_by_hand_lent(1).unwrap();
    assert!(shelf.pending().now_or_never().is_none());
    let given = PropertyKey::<u32, _>::named("dictionary: given");
    properties.insert(&given, 1).unwrap();
    pass(20).await;
    drop(shelf.lent().await.unwrap());
    shelf.renamed().unwrap();
    let (finish, may_finish) = oneshot::channel();
    let slow = PropertyKey::<i32>::new("dictionary: slow");
    let make = || async { may_finish.await.unwrap() };
    let mut making = Box::pin(properties.get_or_init_async(&slow, make));
    assert!(making.as_mut().now_or_never().is_none());
    pass(5).await;
    let mut expected = [
        row("by_hand", "u64", Some(25), Present),
        row("by_hand_lent", "i64", Some(25), Present),
        row("dictionary: given", "u32", Some(25), Present),
        row("dictionary: slow", "i32", None, BeingCreated),
        row("lent", "alloc::vec::Vec<u8>", Some(5), Present),
        row("made", "alloc::string::String", Some(35), Present),
        row("pending", "u16", None, BeingCreated),
        row("shown as", "u8", Some(5), Present),
    ];
    assert_eq!(list(properties), expected);

    // An age runs from the end of the initializer. A replaced value is young, a removed one is gone.
    finish.send(1).unwrap();
    making.await.unwrap();
    properties.replace(&given, 2).unwrap();
    pass(1).await;
    for (at, age) in [26, 26, 1, 1, 6, 36].into_iter().enumerate() {
        expected[at].2 = Some(age);
    }
    expected[3].3 = Present;
    expected[7].2 = Some(6);
    assert_eq!(list(properties), expected);
    properties.remove(&given).unwrap();
    assert_eq!(list(properties).len(), 7);
}

#[tokio::test]
async fn r11_a_listing_is_of_one_session_or_group_and_of_all_its_sets() {
    let sessions = manager();
    let session = sessions.create_in(GroupId::from("group")).unwrap();
    let sibling = sessions.create_in(GroupId::from("group")).unwrap();
    session.props::<Shelf>().unwrap();
    session.props::<Other>().unwrap().made().unwrap();
    let group = session.group();
    group
        .properties()
        .insert(&PropertyKey::<u8>::new("of the group"), 1)
        .unwrap();
    let both = list(session.properties());
    let made: Vec<_> = both.iter().filter(|row| row.0 == "made").collect();
    assert_eq!((both.len(), made.len()), (7, 2));
    assert!(made.iter().any(|row| (row.1, row.3) == ("u8", Present)));
    assert!(
        made.iter()
            .any(|row| (row.1, row.3) == ("alloc::string::String", Absent))
    );
    assert_eq!(list(group.properties()).len(), 1);
    assert!(list(sibling.properties()).is_empty());
}

#[tokio::test]
async fn r11_a_sets_debug_shows_which_properties_are_there() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let shelf = session.props::<Shelf>().unwrap();
    shelf.made().unwrap();
    assert!(shelf.pending().now_or_never().is_none());
    assert_eq!(
        format!("{shelf:?}"),
        "Shelf { made: Present, shown as: Absent, pending: BeingCreated, lent: Absent, \
         by_hand: Absent, by_hand_lent: Absent }"
    );
    // A listing creates nothing.
    assert!(shelf.lent.try_lock().is_none());
    let of_set = session.properties().list();
    assert!(of_set.iter().all(|info| info.set() == Some("Shelf")));
}
