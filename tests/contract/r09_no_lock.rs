//! Row 9: no user code runs under a lock, so that it may use all of its own session wherever it runs.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::task::Context;

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, LocalSession, Property, PropertyError, PropertyKey, Session, SessionProperties,
};
use tokio::sync::oneshot;
use tracing::{Event, Instrument as _, Subscriber, span};
use tracing_subscriber::layer::{self, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::kit::settle;
use crate::subscriber::subscribe;
use crate::visitor::{Visited, Visitor};

/// A value, or anything else that is dropped, that makes a call in its destructor.
struct Caller(Visitor);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.call();
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.call();
        f.write_str("Caller")
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Caller {}

const KEY: PropertyKey<Caller> = PropertyKey::new("key");
const OTHER: PropertyKey<Caller> = PropertyKey::new("other");
const NUMBER: PropertyKey<u32> = PropertyKey::new("number");

/// The value of an initializer that is never called.
fn of_no_use(caller: Caller) -> u32 {
    drop(caller);
    0
}

#[tokio::test]
async fn r09_initializers_run_under_no_lock() {
    let visitor = Visitor::new();
    let properties = visitor.session().properties();
    let caller = || Caller(visitor.clone());
    let made = properties.get_or_init(&NUMBER, || {
        visitor.call();
        1
    });
    assert_eq!((*made.unwrap(), visitor.visits()), (1, 1));
    // An initializer that is not needed is dropped unused.
    let unused = caller();
    properties
        .get_or_init(&NUMBER, move || of_no_use(unused))
        .unwrap();
    assert_eq!(visitor.visits(), 1);
    let _gone = properties.remove(&NUMBER).unwrap();

    let held = caller();
    let make = || async move {
        held.0.call();
        tokio::task::yield_now().await;
        held.0.call();
        1
    };
    properties.get_or_init_async(&NUMBER, make).await.unwrap();
    assert_eq!(visitor.visits(), 3, "called, polled again, dropped");
    let _gone = properties.remove(&NUMBER).unwrap();

    // An error that makes a call when it is dropped, here and in a task.
    let failed = caller();
    properties
        .get_or_try_init(&NUMBER, || Err(failed))
        .unwrap_err();
    let failed = caller();
    let make = || async { Err(failed) };
    properties
        .get_or_try_init_async(&NUMBER, make)
        .await
        .unwrap_err();
    assert!(visitor.visits() >= 2);

    // One that would wait for itself.
    let unused = caller();
    let cycle = properties.get_or_init(&NUMBER, || {
        let inner = properties.get_or_init(&NUMBER, move || of_no_use(unused));
        u32::from(matches!(inner, Err(PropertyError::Cycle)))
    });
    assert_eq!((*cycle.unwrap(), visitor.visits()), (1, 1));
}

#[tokio::test]
async fn r09_hooks_and_destructors_run_under_no_lock() {
    let visitor = Visitor::new();
    let properties = visitor.session().properties();
    let caller = || Caller(visitor.clone());
    let hook = || {
        let held = caller();
        move |value: Caller| {
            drop(held);
            // The error is shown in a report, by its `Debug`.
            Err::<(), _>(value)
        }
    };
    drop(properties.insert(&KEY, caller()).unwrap());
    drop(properties.insert(&KEY, caller()).unwrap_err());
    drop(properties.insert_with(&KEY, caller(), hook()).unwrap_err());
    assert_eq!(visitor.visits(), 3, "two values and a hook were refused");
    drop(properties.replace_with(&KEY, caller(), hook()).unwrap());
    assert_eq!(visitor.visits(), 1);
    drop(properties.replace(&KEY, caller()).unwrap());
    assert_eq!(
        visitor.visits(),
        3,
        "a hook has run, its error is shown and dropped"
    );
    drop(properties.remove(&KEY).unwrap());
    assert_eq!(visitor.visits(), 1);

    drop(
        properties
            .insert_with(&KEY, caller(), async |value: Caller| value.0.call())
            .unwrap(),
    );
    drop(properties.remove(&KEY).unwrap());
    settle().await;
    assert_eq!(visitor.visits(), 2);

    drop(properties.insert_with(&KEY, caller(), hook()).unwrap());
    let taken = properties.remove(&KEY).unwrap().unwrap().try_into_inner();
    assert_eq!(visitor.visits(), 1, "the hook went unused");
    drop(taken.unwrap());

    drop(visitor.session().take_ownership(caller()).unwrap());
    visitor
        .session()
        .take_ownership(caller())
        .unwrap()
        .dispose();
    let reclaimed = visitor
        .session()
        .take_ownership(caller())
        .unwrap()
        .reclaim();
    assert_eq!(visitor.visits(), 2);
    drop(reclaimed);
}

#[derive(SessionProperties)]
struct Callers {
    #[property(async_init = std::future::pending)]
    never: Property<Caller>,
    by_hand: Exclusive<Caller>,
}

#[tokio::test(start_paused = true)]
async fn r09_completion_and_cleanup_run_user_code_under_no_lock() {
    let visitor = Visitor::new();
    let session = visitor.session();
    let caller = || Caller(visitor.clone());
    let held = caller();
    let forever = move |_token| async move {
        let _held = held;
        std::future::pending::<()>().await;
    };
    drop(session.spawn(forever).unwrap());
    let callers = session.props::<Callers>().unwrap();
    assert!(callers.never().now_or_never().is_none());
    callers.set_by_hand(caller()).unwrap();
    drop(callers);
    session.take_ownership(caller()).unwrap();
    let close = |value: Caller| value.0.session().terminate();
    session
        .properties()
        .insert_with(&KEY, caller(), close)
        .unwrap();
    visitor.visits();

    session.terminate();
    session.cleanup_completed().await;
    assert_eq!(
        visitor.visits(),
        4,
        "a task's future, an owned value, two properties"
    );
    let refused = caller();
    let _ = session.spawn(move |_token| async move { drop(refused) });
    let _ = session.properties().insert(&OTHER, caller());
    let _ = session.take_ownership(caller());
    assert_eq!(visitor.visits(), 3);
}

#[tokio::test]
async fn r09_wakers_are_woken_under_no_lock() {
    let visitor = Visitor::new();
    let session = visitor.session();
    let waker = visitor.waker();
    let (finish, may_finish) = oneshot::channel();
    let make = || async { may_finish.await.unwrap() };
    let mut made = pin!(session.properties().get_or_init_async(&NUMBER, make));
    assert!(
        made.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    finish.send(1).unwrap();
    settle().await;
    assert_eq!(visitor.visits(), 1);
    assert_eq!(made.await.ok().as_deref(), Some(&1));

    let set = session.props::<Visited>().unwrap();
    let guard = set.lent().await.unwrap();
    let mut lent = pin!(set.lent());
    assert!(
        lent.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(guard);
    assert_eq!(visitor.visits(), 1);

    let pending = || std::future::pending();
    let mut made = pin!(session.properties().get_or_init_async(&KEY, pending));
    assert!(
        made.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    session.terminate();
    assert!(visitor.visits() > 0);
}

thread_local! {
    /// The visitor that the subscriber calls; none during the call.
    static SUBSCRIBED: Cell<Option<Visitor>> = const { Cell::new(None) };
}

struct Subscribed;

impl Subscribed {
    fn call() {
        if let Some(visitor) = SUBSCRIBED.take() {
            visitor.call();
            SUBSCRIBED.set(Some(visitor));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Subscribed {
    fn on_event(&self, _: &Event<'_>, _: layer::Context<'_, S>) {
        Self::call();
    }

    fn on_enter(&self, _: &span::Id, _: layer::Context<'_, S>) {
        Self::call();
    }

    fn on_close(&self, _: span::Id, _: layer::Context<'_, S>) {
        Self::call();
    }
}

#[tokio::test]
async fn r09_subscribers_are_told_under_no_lock() {
    let visitor = Visitor::new();
    let session = visitor.session();
    let _subscribed = subscribe(Subscribed);
    SUBSCRIBED.set(Some(visitor.clone()));

    let made = session
        .properties()
        .get_or_init_async(&NUMBER, || async { 1 });
    made.instrument(tracing::info_span!("request"))
        .await
        .unwrap();
    assert!(visitor.visits() > 0);
    let fails = |_: String| Err::<(), _>("no");
    let key = PropertyKey::<String>::new("key");
    let insert = || {
        session
            .properties()
            .replace_with(&key, String::new(), fails)
    };
    drop((insert().unwrap(), insert().unwrap()));
    assert!(visitor.visits() > 0, "it is told that the hook failed");
    session.terminate();
    assert!(visitor.visits() > 0, "it is told of the completion");
    session.cleanup_completed().await;
    assert!(visitor.visits() > 0, "it is told that the hook failed");
    SUBSCRIBED.set(None);
}

#[tokio::test]
async fn r09_the_session_may_be_terminated_from_user_code() {
    let visitor = Visitor::new();
    let session = visitor.session();
    let made = session.properties().get_or_init(&NUMBER, || {
        session.terminate();
        1
    });
    assert!(matches!(made, Err(PropertyError::SessionEnded)));

    let sessions = visitor.sessions();
    let session = sessions.create().unwrap();
    let ends = |session: Session| session.terminate();
    let key = PropertyKey::<Session>::new("session");
    session
        .properties()
        .insert_with(&key, session.clone(), ends)
        .unwrap();
    drop(session.properties().remove(&key).unwrap());
    assert!(session.is_completed());
}
