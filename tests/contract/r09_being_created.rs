//! Row 9: a call that can't wait for an initializer returns an error that says so.

use std::pin::pin;
use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt as _;
use session_core::{
    __private, Exclusive, LocalSession, Property, PropertyError, PropertyInfo, PropertyKey,
    PropertyState, Refused, Session, SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::{manager, settle};

const KEY: PropertyKey<u32> = PropertyKey::new("key");

fn is_being_created<T>(outcome: &Result<T, PropertyError>) -> bool {
    matches!(outcome, Err(PropertyError::BeingCreated))
}

/// Tries every call that would put a value where one is being created. None of them waits.
fn assert_nothing_can_be_put(session: &Session) {
    let properties = session.properties();
    let close = |_value: u32| ();
    let refused = [
        properties.insert(&KEY, 2).map(drop),
        properties.replace(&KEY, 2).map(drop),
        properties.insert_with(&KEY, 2, close).map(drop),
        properties.replace_with(&KEY, 2, close).map(drop),
    ];
    for refused in refused {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Refused::BeingCreated(_)));
        assert_eq!(refused.into_value(), 2);
    }
    assert!(properties.get(&KEY).is_none());
    assert!(properties.remove(&KEY).unwrap().is_none());
    assert_eq!(properties.list()[0].state(), PropertyState::BeingCreated);
}

#[tokio::test]
async fn r09_the_value_of_an_async_initializer_is_being_created_for_sync_callers() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let (finish, may_finish) = oneshot::channel();
    let make = || async { may_finish.await.unwrap() };
    let mut made = pin!(properties.get_or_init_async(&KEY, make));
    assert!(made.as_mut().now_or_never().is_none());
    for _before_and_after_its_first_poll in 0..2 {
        assert!(is_being_created(&properties.get_or_init(&KEY, || 2)));
        let sync = properties.get_or_try_init(&KEY, || Err::<u32, _>("not called"));
        assert!(is_being_created(&sync));
        assert_nothing_can_be_put(&session);
        settle().await;
    }
    finish.send(1).unwrap();
    assert_eq!(*made.await.unwrap(), 1);
    assert_eq!(*properties.get_or_init(&KEY, || 2).unwrap(), 1);
}

#[tokio::test]
async fn r09_the_value_of_a_sync_initializer_is_being_created_for_callers_that_insert() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let (entered, has_entered) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let make = || {
                entered.send(()).unwrap();
                may_finish.recv().unwrap();
                1
            };
            assert_eq!(*properties.get_or_init(&KEY, make).unwrap(), 1);
        });
        has_entered.recv().unwrap();
        assert_nothing_can_be_put(&session);
        finish.send(()).unwrap();
    });
    // Nor can its own initializer put a value there.
    let other = PropertyKey::<u32>::new("other");
    let made = properties.get_or_init(&other, || {
        let refused = properties.insert(&other, 2).unwrap_err();
        assert!(matches!(refused, Refused::BeingCreated(2)));
        1
    });
    assert_eq!(*made.unwrap(), 1);
}

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = std::future::pending)]
    shared: Property<u32>,
    #[property(async_init = std::future::pending)]
    lent: Exclusive<u32>,
}

#[tokio::test]
async fn r09_cells_that_are_being_made_can_not_be_set_or_read() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let set = session.props::<Set>().unwrap();
    assert!(set.shared().now_or_never().is_none());
    assert!(set.lent().now_or_never().is_none());
    // A cell with an initializer has no `set_x`. This is the function that one would call.
    let shared = __private::set(&set.shared, 2, __private::no_hook).unwrap_err();
    assert!(matches!(shared, Refused::BeingCreated(2)));
    let lent = __private::set_exclusive(&set.lent, 2, __private::no_hook).unwrap_err();
    assert!(matches!(lent, Refused::BeingCreated(2)));
    assert!(set.shared.get().is_none() && set.lent.try_lock().is_none());
    let being_created = |info: &PropertyInfo| info.state() == PropertyState::BeingCreated;
    assert!(session.properties().list().iter().all(being_created));
}
