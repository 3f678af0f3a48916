//! Row 16: a property set declares its scope.
//!
//! That asking the wrong kind of local session for it does not compile is in the `ui` suite.

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, GroupId, InitContext, LocalSession, Property, PropertyKey, Session, SessionGroup,
    SessionManager, SessionProperties,
};

use crate::kit::{Log, Tell, builder};

/// The state.
struct App {
    log: Log,
}

#[derive(SessionProperties)]
#[session(state = App)]
struct OfSession {
    #[property(init = |cx: &InitContext<App>| (cx.session(), cx.state().log.tell("of a session")))]
    owner: Property<(Session, Tell)>,
    #[property(async_init = async |cx: &InitContext<App>| cx.session())]
    on_a_task: Property<Session>,
    #[property(default)]
    count: Exclusive<u32>,
}

#[derive(SessionProperties)]
#[session(state = App, scope = group)]
struct OfGroup {
    #[property(init = |cx: &InitContext<App, SessionGroup>| (cx.group(), cx.state().log.tell("of a group")))]
    owner: Property<(SessionGroup, Tell)>,
    #[property(async_init = group)]
    on_a_task: Property<SessionGroup>,
    #[property(default)]
    count: Exclusive<u32>,
}

async fn group(cx: &InitContext<App, SessionGroup>) -> SessionGroup {
    cx.group()
}

fn sessions() -> (SessionManager, Log) {
    let log = Log::default();
    let app = App { log: log.clone() };
    (builder().state(app).build().unwrap(), log)
}

fn team() -> GroupId {
    GroupId::from("team")
}

#[tokio::test]
async fn r16_a_set_lives_in_its_session_or_in_the_group() {
    let (sessions, _) = sessions();
    let one = sessions.create_in(team()).unwrap();
    let other = sessions.create_in(team()).unwrap();

    let (of_one, of_other) = (
        one.props::<OfSession>().unwrap(),
        other.props::<OfSession>().unwrap(),
    );
    assert!(
        !std::ptr::eq(&raw const *of_one, &raw const *of_other),
        "each session has its own"
    );
    assert!(
        std::ptr::eq(
            &raw const *of_one,
            &raw const *one.props::<OfSession>().unwrap()
        ),
        "once"
    );
    assert_eq!(of_one.owner().unwrap().0, one);
    assert_eq!(of_other.owner().unwrap().0, other);
    assert_eq!(**of_other.on_a_task().await.unwrap(), other);
    *of_one.count().await.unwrap() += 1;
    assert_eq!(*of_other.count().await.unwrap(), 0);

    let by_one = one.group().props::<OfGroup>().unwrap();
    let by_other = other.group().props::<OfGroup>().unwrap();
    assert!(
        std::ptr::eq(&raw const *by_one, &raw const *by_other),
        "they share the group's"
    );
    assert_eq!(by_one.owner().unwrap().0, one.group());
    assert_eq!(**by_other.on_a_task().await.unwrap(), other.group());
    *by_one.count().await.unwrap() += 1;
    assert_eq!(*by_other.count().await.unwrap(), 1);

    // Not shared with another group, nor with a session without a named group.
    let stranger = sessions.create().unwrap();
    let by_stranger = stranger.group().props::<OfGroup>().unwrap();
    assert_eq!(*by_stranger.count().await.unwrap(), 0);
    assert_eq!(by_stranger.owner().unwrap().0, stranger.group());

    // The listings tell them apart, and the dictionaries are as separate as the sets.
    assert_eq!(one.properties().list().len(), 3);
    assert_eq!(one.group().properties().list().len(), 3);
    let key = PropertyKey::<u8>::new("key");
    one.group().properties().insert(&key, 1).unwrap();
    assert!(one.properties().get(&key).is_none());
    assert!(other.group().properties().get(&key).is_some());
}

#[tokio::test]
async fn r16_a_set_lives_as_long_as_where_it_lives() {
    let (sessions, log) = sessions();
    let one = sessions.create_in(team()).unwrap();
    let other = sessions.create_in(team()).unwrap();
    one.props::<OfSession>().unwrap().owner().unwrap();
    let group = one.group();
    group.props::<OfGroup>().unwrap().owner().unwrap();

    one.terminate();
    one.cleanup_completed().await;
    assert_eq!(log.entries(), ["of a session"]);
    assert!(group.cleanup_completed().now_or_never().is_none());
    assert!(
        group.props::<OfGroup>().unwrap().owner.get().is_some(),
        "the other is still there"
    );

    other.terminate();
    assert_eq!(group.cleanup_completed().await.closed(), 1);
    assert_eq!(log.entries(), ["of a session", "of a group"]);
    assert!(group.props::<OfGroup>().is_err());

    // A set of the old group does not move to the new one of that name.
    let again = sessions.create_in(team()).unwrap();
    assert!(
        again
            .group()
            .props::<OfGroup>()
            .unwrap()
            .owner
            .get()
            .is_none()
    );
}
