//! Panics and errors stay where they happen, and dropped handles end the right things.

use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use session_core::{
    CompletionCause, LocalSession, Property, PropertyError, PropertyKey, SessionManager,
    SessionProperties,
};

use crate::kit::{Bomb, Log, Tell, builder, manager, only, problems, settle};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const BOMB: PropertyKey<Bomb> = PropertyKey::new("bomb");

/// A panic whose payload panics again when it is dropped.
fn panic_twice() {
    std::panic::panic_any(Bomb);
}

#[tokio::test(start_paused = true)]
async fn r06_panics_and_errors_in_cleanup_touch_nothing_else() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let neighbor = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let properties = session.properties();
    let log = Log::default();
    let key = |name: &str| PropertyKey::<Tell, _>::named(name);

    drop(properties.insert(&key("first"), log.tell("first")));
    drop(properties.insert(&BOMB, Bomb));
    drop(properties.insert(&key("second"), log.tell("second")));
    let panics = |_: Tell| -> () { panic!("in a sync hook") };
    let inserted = properties.insert_with(&key("sync"), log.tell("sync"), panics);
    drop(inserted.unwrap());
    let panics = async |_: Tell| -> () {
        tokio::task::yield_now().await;
        panic!("in an async hook");
    };
    let inserted = properties.insert_with(&key("async"), log.tell("async"), panics);
    drop(inserted.unwrap());
    let panics = |_: Tell| panic_twice();
    let inserted = properties.insert_with(&key("twice"), log.tell("twice"), panics);
    drop(inserted.unwrap());
    let fails = async |_: Tell| Err::<(), _>("in an async hook");
    let inserted = properties.insert_with(&key("fails"), log.tell("fails"), fails);
    drop(inserted.unwrap());
    let _owned = session.take_ownership(log.tell("owned 1")).unwrap();
    let _owned = session.take_ownership(Bomb).unwrap();
    let _owned = session.take_ownership(log.tell("owned 2")).unwrap();
    let task = session.spawn(|_| async { panic!("in a task") }).unwrap();
    assert!(task.await.unwrap_err().is_panic());

    session.terminate();
    let report = session.cleanup_completed().await;
    let dropped = [
        "owned 2", "owned 1", "fails", "twice", "async", "sync", "second", "first",
    ];
    assert_eq!(log.entries(), dropped);
    let told = [
        "owned value: panicked: boom",
        "fails: failed: \"in an async hook\"",
        "twice: panicked: a panic without a message",
        "async: panicked: in an async hook",
        "sync: panicked: in a sync hook",
        "bomb: panicked: boom",
    ];
    assert_eq!(problems(&report), told);
    assert_eq!(report.closed(), 10);

    // Neither the neighbor nor the group is affected.
    assert!(!neighbor.is_completed() && !group.is_completed());
    assert_eq!(only(group.sessions()), neighbor);
    drop(neighbor.properties().insert(&ANY, log.tell("any")).unwrap());
    neighbor.terminate();
    assert!(neighbor.cleanup_completed().await.is_clean());
    assert!(group.cleanup_completed().await.is_clean());
    sessions.create().unwrap();
}

#[tokio::test(start_paused = true)]
async fn r06_a_panic_while_the_session_is_active_leaves_it_as_it_was() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let log = Log::default();

    // An initializer, sync and async: the property is absent, and can be created.
    let made = properties.get_or_init(&ANY, || panic!("in an initializer"));
    let Err(PropertyError::Panicked(message)) = made else {
        unreachable!()
    };
    assert_eq!(&*message, "in an initializer");
    let made = properties.get_or_init_async(&ANY, || async { panic!("in an initializer") });
    assert!(matches!(made.await, Err(PropertyError::Panicked(_))));
    let made = properties.get_or_init(&ANY, || std::panic::panic_any(Bomb));
    assert!(matches!(made, Err(PropertyError::Panicked(_))));
    let error = properties.get_or_try_init(&ANY, || Err::<Tell, _>("no"));
    assert!(matches!(error, Err(PropertyError::Failed(_))));
    assert!(properties.get(&ANY).is_none());
    drop(properties.get_or_init(&ANY, || log.tell("any")).unwrap());

    // A task, and the function that makes it.
    let task = session.spawn(|_| async { panic!("in a task") }).unwrap();
    assert!(task.await.unwrap_err().is_panic());
    let spawning = || session.spawn(|_| -> std::future::Ready<()> { panic!("before the task") });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(spawning));
    assert!(caught.is_err());

    // A destructor: of a removed property, and of a disposed value, whose caller has it.
    drop(properties.insert(&BOMB, Bomb));
    drop(properties.remove(&BOMB).unwrap());
    let owned = session.take_ownership(Bomb).unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| owned.dispose()));
    assert!(caught.is_err());

    // A request.
    let request = session.enter().unwrap();
    let panicked = tokio::spawn(async move {
        let _request = request;
        panic!("in a request");
    });
    assert!(panicked.await.is_err());

    assert!(!session.is_completed());
    assert_eq!(log.count(), 0);
    session.terminate();
    // None of this is left to wait for.
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn r06_dropping_the_last_session_handle_ends_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (id, weak) = (session.id(), session.downgrade());
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    drop(session);
    settle().await;
    assert_eq!(log.count(), 0);
    let session = sessions.get(&id).unwrap();
    assert!(!session.is_completed());
    assert_eq!(session.properties().get(&ANY).unwrap().name, "any");
    assert_eq!(weak.upgrade(), Some(session));
}

#[tokio::test(start_paused = true)]
async fn r06_a_cleaned_up_session_is_freed_with_its_last_handle() {
    let sessions = manager();
    // A session that needed a cleanup, and one that did not.
    for used in [true, false] {
        let session = sessions.create_in("g".into()).unwrap();
        let group = session.group();
        let weak = session.downgrade();
        let marker = Arc::new(());
        if used {
            drop(session.take_ownership(marker.clone()).unwrap());
            let task = session.spawn(|token| async move { token.cancelled().await });
            drop(task.unwrap());
            session.props::<Keeps>().unwrap().token().unwrap();
        }
        let other = session.clone();
        session.terminate();
        let _ = session.cleanup_completed().await;
        settle().await;
        drop(session);
        assert!(weak.upgrade().is_some(), "the other handle keeps it");
        drop(other);
        assert!(weak.upgrade().is_none());
        assert!(group.sessions().is_empty());
        assert!(Arc::into_inner(marker).is_some());
    }
}

#[derive(SessionProperties)]
struct Keeps {
    #[property(init = session_core::InitContext::completion_token)]
    token: Property<session_core::CancellationToken>,
}

#[tokio::test(start_paused = true)]
async fn r06_dropping_the_last_manager_clone_ends_its_sessions() {
    let sessions = manager();
    let clone = sessions.clone();
    let log = Log::default();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    drop(session.properties().insert(&ANY, log.tell("any")));
    drop(sessions);
    settle().await;
    assert!(!session.is_completed(), "a clone is left");
    drop(clone);
    assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
    assert_eq!(session.cleanup_completed().await.closed(), 1);
    assert_eq!(log.entries(), ["any"]);
    assert!(group.is_completed());

    let session = manager().create().unwrap();
    assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn r06_a_clone_of_the_manager_in_its_state_or_in_a_property_keeps_it() {
    const MANAGER: PropertyKey<SessionManager> = PropertyKey::new("manager");
    let state: Arc<OnceLock<SessionManager>> = Arc::default();
    let sessions = builder().state(state.clone()).build().unwrap();
    state.set(sessions.clone()).unwrap();
    drop(state);
    let session = sessions.create().unwrap();
    drop(sessions);
    settle().await;
    assert!(!session.is_completed());

    let sessions = manager();
    let session = sessions.create().unwrap();
    let inserted = session.properties().insert(&MANAGER, sessions.clone());
    drop(inserted.unwrap());
    drop(sessions);
    settle().await;
    assert!(!session.is_completed());
    // Its own end drops the manager.
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r06_the_last_manager_clone_may_go_in_a_cleanup() {
    const MANAGER: PropertyKey<SessionManager> = PropertyKey::new("manager");
    let sessions = manager();
    let keeper = sessions.create().unwrap();
    let other = sessions.create().unwrap();
    let inserted = keeper.properties().insert(&MANAGER, sessions.clone());
    drop(inserted.unwrap());
    drop(sessions);
    keeper.terminate();
    assert!(keeper.cleanup_completed().await.is_clean());
    assert_eq!(other.completion_cause(), Some(CompletionCause::Shutdown));
    assert!(other.cleanup_completed().now_or_never().is_some());
}

/// A waker of a hand-made executor.
struct PanickingWaker;

impl std::task::Wake for PanickingWaker {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("waker");
    }
}

fn poll_with_a_panicking_waker<F: Future>(future: std::pin::Pin<&mut F>) {
    let waker = std::sync::Arc::new(PanickingWaker).into();
    let _pending = future.poll(&mut std::task::Context::from_waker(&waker));
}

#[tokio::test(start_paused = true)]
async fn r06_a_panicking_waker_holds_up_neither_cleanup_nor_events() {
    let sessions = manager();
    let mut odd = sessions.subscribe();
    let mut other = sessions.subscribe();
    let mut next = Box::pin(odd.next());
    poll_with_a_panicking_waker(next.as_mut());
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.take_ownership(log.tell("owned")).unwrap());

    let token = session.completion_token();
    let mut cancelled = Box::pin(token.cancelled());
    poll_with_a_panicking_waker(cancelled.as_mut());
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(log.count(), 1);
    assert_eq!(sessions.stats().in_cleanup, 0);
    drop(next);
    drop(odd);
    assert_eq!(crate::kit::come(&mut other).len(), 3);
    // Sessions are created and expire as ever.
    sessions.create().unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(sessions.stats().active, 0);
}
