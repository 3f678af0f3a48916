//! The calls that a completed session still answers, and those it refuses.

use std::convert::Infallible as Never;

use session_core::{
    LocalSession, Property, PropertyError, PropertyKey, PropsError, Refused, Session, SessionEnded,
    SessionProperties,
};

use crate::kit::{Log, Tell, manager, settle};

const THERE: PropertyKey<Tell> = PropertyKey::new("there");
const ABSENT: PropertyKey<Tell> = PropertyKey::new("absent");

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    made: Property<String>,
    #[property(default)]
    never_made: Property<String>,
    #[property(async_init = async || String::from("made"))]
    never_made_either: Property<String>,
    by_hand: Property<Tell>,
}

#[derive(SessionProperties)]
struct NeverAsked {
    #[property(default)]
    any: Property<String>,
}

/// The refusal of a completed session, with the value that it hands back.
fn handed_back<T>(refused: Refused<T>) -> T {
    assert!(matches!(refused, Refused::SessionEnded(_)), "{refused:?}");
    refused.into_value()
}

#[tokio::test(start_paused = true)]
async fn r03_existing_values_stay_readable_until_cleanup_lets_go() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();
    let handle = properties.insert(&THERE, log.tell("there")).unwrap();
    let desk = session.props::<Desk>().unwrap();
    desk.made().unwrap();
    let inside = session.enter().unwrap();
    session.terminate();
    settle().await;

    // A request is still inside, so cleanup has not come to the properties.
    assert_eq!(properties.get(&THERE).unwrap().name, "there");
    assert_eq!(properties.list().len(), 5);
    let again = properties.get_or_init(&THERE, || unreachable!());
    assert_eq!(
        again.unwrap().name,
        "there",
        "what is there need not be made"
    );
    assert_eq!(
        session.props::<Desk>().unwrap().made().unwrap().as_str(),
        ""
    );
    assert!(desk.made.get().is_some());

    drop(inside);
    settle().await;
    // Cleanup has dropped the dictionary and its hold on the set, but not the handles of others.
    assert!(properties.get(&THERE).is_none());
    assert!(properties.list().is_empty());
    assert!(matches!(
        session.props::<Desk>(),
        Err(PropsError::SessionEnded)
    ));
    assert_eq!(handle.name, "there");
    assert_eq!(desk.made().unwrap().as_str(), "");
    assert_eq!(log.count(), 0);
    drop((handle, desk));
    assert_eq!(log.entries(), ["there"]);
    assert!(session.cleanup_completed().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r03_handles_stay_readable_when_the_session_is_long_gone() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let handle = session
        .properties()
        .insert(&THERE, log.tell("there"))
        .unwrap();
    session.terminate();
    let _ = session.cleanup_completed().await;
    drop((session, sessions));
    assert_eq!(handle.name, "there");
    assert_eq!(log.count(), 0);
}

/// Tries every call that would change something. Each attempt hands the value back.
fn assert_refuses(session: &Session, desk: &Desk) {
    let properties = session.properties();
    assert!(properties.is_read_only());
    let log = Log::default();
    let late = log.tell("late");
    let late = handed_back(properties.insert(&ABSENT, late).err().unwrap());
    let late = handed_back(properties.insert(&THERE, late).err().unwrap());
    let late = handed_back(properties.insert_with(&ABSENT, late, drop).err().unwrap());
    let late = handed_back(properties.replace(&ABSENT, late).err().unwrap());
    let late = handed_back(properties.replace(&THERE, late).err().unwrap());
    let late = handed_back(properties.replace_with(&THERE, late, drop).err().unwrap());
    let late = handed_back(session.take_ownership(late).err().unwrap());
    let _late = handed_back(desk.set_by_hand(late).err().unwrap());
    assert_eq!(log.count(), 0, "nothing was dropped on the way");
    assert_eq!(properties.remove(&THERE).err(), Some(SessionEnded));
    assert_eq!(properties.remove(&ABSENT).err(), Some(SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn r03_nothing_is_added_replaced_or_removed_and_the_value_comes_back() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let _ = session
        .properties()
        .insert(&THERE, log.tell("there"))
        .unwrap();
    let desk = session.props::<Desk>().unwrap();
    assert!(!session.properties().is_read_only());
    let inside = session.enter().unwrap();
    session.terminate();

    assert_refuses(&session, &desk);
    assert_eq!(session.properties().get(&THERE).unwrap().name, "there");
    assert_eq!(log.count(), 0);

    drop(inside);
    let _ = session.cleanup_completed().await;
    assert_refuses(&session, &desk);
}

#[tokio::test(start_paused = true)]
async fn r03_the_same_holds_for_a_group() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let log = Log::default();
    let _ = group
        .properties()
        .insert(&THERE, log.tell("there"))
        .unwrap();
    session.terminate();
    assert!(group.properties().is_read_only());
    assert_eq!(group.properties().get(&THERE).unwrap().name, "there");
    let late = log.tell("late");
    let late = handed_back(group.properties().insert(&ABSENT, late).err().unwrap());
    let _late = handed_back(group.take_ownership(late).err().unwrap());
    assert_eq!(group.properties().remove(&THERE).err(), Some(SessionEnded));
}

/// A getter that would have to create a value returns an error, and does not create it.
fn assert_ended<T>(got: Result<T, PropertyError>) {
    let error = got.err();
    assert!(
        matches!(error, Some(PropertyError::SessionEnded)),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn r03_a_getter_that_would_have_to_create_says_session_ended() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let desk = session.props::<Desk>().unwrap();
    let inside = session.enter().unwrap();
    session.terminate();

    assert_ended(properties.get_or_init(&ABSENT, || unreachable!()));
    assert_ended(properties.get_or_try_init(&ABSENT, || -> Result<Tell, Never> { unreachable!() }));
    assert_ended(
        properties
            .get_or_init_async(&ABSENT, || async { unreachable!() })
            .await,
    );
    assert_ended(
        properties
            .get_or_try_init_async(&ABSENT, || async { unreachable!() as Result<Tell, Never> })
            .await,
    );
    assert_ended(desk.never_made());
    assert_ended(desk.never_made_either().await);
    assert!(desk.never_made.get().is_none());
    assert!(matches!(
        session.props::<NeverAsked>(),
        Err(PropsError::SessionEnded)
    ));
    assert!(session.spawn(|_| async {}).is_err());
    drop(inside);
}
