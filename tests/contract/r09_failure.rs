//! Row 9: an initializer that fails or panics.

use std::error::Error;
use std::fmt;
use std::future::Ready;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyError, PropertyKey, PropertyState,
    Session, SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::{builder, manager, threads};
use crate::thread::{block_on, watch_me};

const KEY: PropertyKey<u32> = PropertyKey::new("key");

#[derive(Debug, PartialEq)]
struct Refused(u32);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused for the {}. time", self.0)
    }
}

impl Error for Refused {}

fn cause(error: &PropertyError) -> *const () {
    match error {
        PropertyError::Failed(cause) => Arc::as_ptr(cause).cast(),
        PropertyError::Panicked(message) => Arc::as_ptr(message).cast(),
        other => panic!("{other:?}"),
    }
}

/// All of these are the one error.
fn assert_shared(errors: &[PropertyError]) {
    let clone = errors[0].clone();
    assert!(errors.iter().all(|error| cause(error) == cause(&clone)));
}

/// Lets `make` run on one thread while three others wait for it on theirs. Returns what they all got.
fn fail_on_threads(
    session: &Session,
    make: impl FnOnce() -> Result<u32, Refused> + Send,
) -> Vec<PropertyError> {
    let properties = session.properties();
    let (entered, has_entered) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let (others, other) = mpsc::channel();
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            let make = || {
                entered.send(()).unwrap();
                may_finish.recv().unwrap();
                make()
            };
            properties.get_or_try_init(&KEY, make)
        });
        has_entered.recv().unwrap();
        let wait = || {
            let others = others.clone();
            scope.spawn(move || {
                others.send(watch_me()).unwrap();
                properties.get_or_init(&KEY, || unreachable!("it was asked for before it failed"))
            })
        };
        let mut threads = vec![first];
        threads.extend((0..3).map(|_| wait()));
        for other in other.iter().take(3) {
            other.until_asleep();
        }
        finish.send(()).unwrap();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap_err())
            .collect()
    })
}

#[tokio::test]
async fn r09_a_sync_failure_reaches_all_and_leaves_the_property_absent() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let errors = fail_on_threads(&session, || Err(Refused(1)));
    assert_eq!(errors.len(), 4);
    assert_shared(&errors);
    for error in &errors {
        assert_eq!(error.downcast_ref(), Some(&Refused(1)));
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "refused for the 1. time");
        assert!(source.is::<Refused>());
    }
    assert!(session.properties().get(&KEY).is_none());
    assert!(session.properties().list().is_empty());

    // A later caller tries again.
    let again = session
        .properties()
        .get_or_try_init(&KEY, || Err(Refused(2)));
    assert_eq!(again.unwrap_err().downcast_ref(), Some(&Refused(2)));
    assert_eq!(*session.properties().get_or_init(&KEY, || 3).unwrap(), 3);
}

#[tokio::test]
async fn r09_a_sync_panic_reaches_all_and_leaves_the_property_absent() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let errors = fail_on_threads(&session, || panic!("for the {}. time", 1));
    assert_shared(&errors);
    for error in &errors {
        assert!(
            matches!(error, PropertyError::Panicked(message) if &**message == "for the 1. time")
        );
        assert!(error.source().is_none());
    }
    assert!(session.properties().get(&KEY).is_none());
    assert_eq!(*session.properties().get_or_init(&KEY, || 3).unwrap(), 3);
}

/// Lets `make` fail on its task while three callers wait. Returns what they all got.
async fn fail_on_a_task<Fut>(
    session: &Session,
    make: impl FnOnce() -> Fut + Send + 'static,
) -> Vec<PropertyError>
where
    Fut: Future<Output = Result<u32, Refused>> + Send + 'static,
{
    let properties = session.properties();
    let (finish, may_finish) = oneshot::channel::<()>();
    let make = || async {
        may_finish.await.unwrap();
        make().await
    };
    let mut first = pin!(properties.get_or_try_init_async(&KEY, make));
    assert!(first.as_mut().now_or_never().is_none());
    let make = || async { unreachable!("it was asked for before it failed") };
    let mut second = pin!(properties.get_or_init_async(&KEY, make));
    assert!(second.as_mut().now_or_never().is_none());
    let mut third = pin!(properties.get_or_init_async(&KEY, make));
    assert!(third.as_mut().now_or_never().is_none());
    finish.send(()).unwrap();
    let (first, second, third) = tokio::join!(first, second, third);
    [first, second, third].map(Result::unwrap_err).into()
}

#[tokio::test]
async fn r09_an_async_failure_reaches_all_and_leaves_the_property_absent() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let errors = fail_on_a_task(&session, || async { Err(Refused(1)) }).await;
    assert_shared(&errors);
    for error in &errors {
        assert_eq!(error.downcast_ref(), Some(&Refused(1)));
        assert!(error.source().unwrap().is::<Refused>());
    }
    assert!(session.properties().get(&KEY).is_none());
    let errors = fail_on_a_task(&session, || async { Err(Refused(2)) }).await;
    assert_eq!(errors[0].downcast_ref(), Some(&Refused(2)));
    let made = session.properties().get_or_init_async(&KEY, || async { 3 });
    assert_eq!(*made.await.unwrap(), 3);
}

fn panics() -> Ready<Result<u32, Refused>> {
    panic!("in the call")
}

#[tokio::test]
async fn r09_an_async_panic_reaches_all_and_leaves_the_property_absent() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let in_the_future = fail_on_a_task(&session, || async { panic!("in the future") }).await;
    let in_the_call = fail_on_a_task(&session, panics);
    for (errors, text) in [
        (in_the_future, "in the future"),
        (in_the_call.await, "in the call"),
    ] {
        assert_shared(&errors);
        let PropertyError::Panicked(message) = &errors[0] else {
            panic!("{errors:?}");
        };
        assert_eq!(&**message, text);
    }
    assert!(session.properties().get(&KEY).is_none());
    let made = session.properties().get_or_init_async(&KEY, || async { 3 });
    assert_eq!(*made.await.unwrap(), 3);
}

#[tokio::test]
async fn r09_a_failure_that_is_not_an_error_type_is_a_source_all_the_same() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let failed = session
        .properties()
        .get_or_try_init(&KEY, || Err("only text"));
    let failed = failed.unwrap_err();
    assert_eq!(failed.source().unwrap().to_string(), "only text");
    assert!(failed.downcast_ref::<Refused>().is_none());
    assert!(PropertyError::Cycle.downcast_ref::<Refused>().is_none());
}

/// The state: how often an initializer has run.
#[derive(Default)]
struct Runs(AtomicUsize);

#[derive(SessionProperties)]
#[session(state = Runs)]
struct Set {
    #[property(try_init = at_the_second_try)]
    here: Property<u32>,
    #[property(try_init = at_the_second_try)]
    here_lent: Exclusive<u32>,
    #[property(try_async_init = async |cx: &InitContext<Runs>| at_the_second_try(cx))]
    on_a_task: Property<u32>,
    #[property(try_async_init = async |cx: &InitContext<Runs>| at_the_second_try(cx))]
    on_a_task_lent: Exclusive<u32>,
}

fn at_the_second_try(cx: &InitContext<Runs>) -> Result<u32, Refused> {
    // Each of the four is tried once before any is tried again.
    match cx.state().0.fetch_add(1, Ordering::Relaxed) {
        ..4 => Err(Refused(1)),
        _ => Ok(2),
    }
}

#[tokio::test]
async fn r09_cells_that_fail_are_tried_again() {
    let sessions = builder().state(Runs::default()).build().unwrap();
    let session = sessions.create().unwrap();
    let set = session.props::<Set>().unwrap();
    let first = [
        set.here().map(|_| ()),
        set.here_lent().await.map(drop),
        set.on_a_task().await.map(|_| ()),
        set.on_a_task_lent().await.map(drop),
    ];
    for failed in first {
        assert_eq!(failed.unwrap_err().downcast_ref(), Some(&Refused(1)));
    }
    let absent = |info: &session_core::PropertyInfo| info.state() == PropertyState::Absent;
    assert!(session.properties().list().iter().all(absent));
    assert_eq!(**set.here().unwrap(), 2);
    assert_eq!(*set.here_lent().await.unwrap(), 2);
    assert_eq!(**set.on_a_task().await.unwrap(), 2);
    assert_eq!(*set.on_a_task_lent().await.unwrap(), 2);
}

#[test]
fn r09_without_its_runtime_an_async_initializer_fails_and_nobody_waits() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let session = sessions.create().unwrap();
    drop(runtime);
    let made = session.properties().get_or_init_async(&KEY, || async { 1 });
    assert!(block_on(made).unwrap_err().source().is_some());
    // An initializer that runs on its caller's thread needs none.
    assert_eq!(*session.properties().get_or_init(&KEY, || 2).unwrap(), 2);
}

/// An error whose text can't be obtained.
#[derive(Debug)]
struct Untold;

impl std::fmt::Display for Untold {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no text");
    }
}

impl std::error::Error for Untold {}

#[tokio::test]
async fn r09_an_error_whose_display_panics_reaches_all_as_any_other() {
    const ODD: PropertyKey<u32> = PropertyKey::new("odd");
    let sessions = manager();
    let session = sessions.create().unwrap();
    let here = session
        .properties()
        .get_or_try_init(&ODD, || Err(Untold))
        .unwrap_err();
    assert!(here.downcast_ref::<Untold>().is_some());
    let later = session
        .properties()
        .get_or_try_init_async(&ODD, || async { Err(Untold) })
        .await
        .unwrap_err();
    assert!(later.downcast_ref::<Untold>().is_some());
}
