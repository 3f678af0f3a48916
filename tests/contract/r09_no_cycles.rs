//! Row 9: waits that look like a cycle and are not one, and cycles through a set's accessors.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyError, PropertyKey, Session,
    SessionProperties,
};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::kit::{manager, settle, threads};

const A: PropertyKey<u32> = PropertyKey::new("a");
const B: PropertyKey<u32> = PropertyKey::new("b");

async fn get(session: Session, key: PropertyKey<u32>) -> u32 {
    let properties = session.properties();
    let made = properties.get_or_init_async(&key, || async {
        // Slow enough for other callers to come meanwhile.
        tokio::task::yield_now().await;
        1
    });
    *made.await.unwrap()
}

/// Gets `key`, whose initializer needs `other`.
async fn get_by(session: Session, key: PropertyKey<u32>, other: PropertyKey<u32>) -> u32 {
    let needs = get(session.clone(), other);
    let make = || async { needs.await + 1 };
    let made = session.properties().get_or_init_async(&key, make).await;
    *made.unwrap()
}

/// Begins to wait for `B`, whose initializer needs `A` once it may go on.
fn begin_b(session: &Session, may_go_on: oneshot::Receiver<()>) -> BoxFuture<'static, u32> {
    let (session, other) = (session.clone(), session.clone());
    let make = || async move {
        may_go_on.await.unwrap();
        get(other, A).await + 1
    };
    let mut b = Box::pin(async move {
        let b = session.properties().get_or_init_async(&B, make).await;
        *b.unwrap()
    });
    assert!((&mut b).now_or_never().is_none());
    b
}

/// An initializer may begin to wait for another property and leave the rest of the wait to a slow task.
#[tokio::test(start_paused = true)]
async fn r09_a_future_that_was_begun_inside_and_is_awaited_elsewhere_is_no_cycle() {
    for hurries in [true, false] {
        let sessions = manager();
        let session = sessions.create().unwrap();
        let (handed, awaited) = oneshot::channel();
        let inner = session.clone();
        let make = move || async move {
            let (go, may_go_on) = oneshot::channel();
            let b = begin_b(&inner, may_go_on);
            let elsewhere = tokio::spawn(async move {
                if !hurries {
                    sleep(Duration::from_secs(60)).await;
                }
                b.await
            });
            go.send(()).unwrap();
            sleep(Duration::from_secs(1)).await;
            handed.send(elsewhere).unwrap();
            7
        };
        let a = session.properties().get_or_init_async(&A, make).await;
        assert_eq!(*a.unwrap(), 7);
        assert_eq!(awaited.await.unwrap().await.unwrap(), 8);
    }
}

/// As after a `select!` in which another branch won.
#[tokio::test(start_paused = true)]
async fn r09_a_future_that_an_initializer_keeps_and_does_not_await_is_no_cycle() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let inner = session.clone();
    let make = || async move {
        let (go, may_go_on) = oneshot::channel();
        let mut b = begin_b(&inner, may_go_on);
        tokio::select! {
            _ = &mut b => unreachable!("it may not go on yet"),
            () = sleep(Duration::from_secs(1)) => go.send(()).unwrap(),
        }
        sleep(Duration::from_secs(1)).await;
        // It is ready by then.
        (7, b)
    };
    let properties = session.properties();
    let a = properties.get_or_init_async(&A, || async {
        let (a, b) = make().await;
        drop(tokio::spawn(b));
        a
    });
    assert_eq!(*a.await.unwrap(), 7);
    settle().await;
    assert_eq!(*properties.get(&B).unwrap(), 8);
}

/// A sync initializer may drive a runtime, which polls the tasks of others.
#[test]
fn r09_a_task_that_is_polled_within_an_initializer_is_not_it() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (go, may_go_on) = oneshot::channel();
    let b = begin_b(&session, may_go_on);
    let local = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let task = local.spawn(b);
    let made = std::thread::scope(|scope| {
        let make = || {
            local.block_on(settle());
            go.send(()).unwrap();
            // B's initializer waits for this one, which does not wait for B.
            local.block_on(settle());
            5
        };
        let making = scope.spawn(|| session.properties().get_or_init(&A, make).map(|a| *a));
        making.join().unwrap()
    });
    assert_eq!(made.unwrap(), 5);
    assert_eq!(local.block_on(task).unwrap(), 6);
}

#[test]
fn r09_two_callers_joined_in_one_task_are_no_cycle() {
    const C: PropertyKey<u32> = PropertyKey::new("c");
    threads().block_on(async {
        let sessions = manager();
        for _ in 0..100 {
            let session = sessions.create().unwrap();
            let got = tokio::join!(
                get_by(session.clone(), A, B),
                get(session.clone(), B),
                get_by(session.clone(), A, B),
            );
            assert_eq!(got, (2, 1, 2));

            // Nor if that task is an initializer's.
            let session = sessions.create().unwrap();
            let (one, other) = (session.clone(), session.clone());
            let make = || async {
                let (a, b) = tokio::join!(get_by(one, A, B), get(other, B));
                a + b
            };
            let made = session.properties().get_or_init_async(&C, make).await;
            assert_eq!(*made.unwrap(), 3);
        }
    });
}

#[tokio::test]
async fn r09_a_wait_for_something_that_is_no_longer_waited_for_is_not_a_cycle() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (gave_up, has_given_up) = oneshot::channel();
    let make_a = {
        let session = session.clone();
        || async move {
            let need_a = {
                let session = session.clone();
                || async move {
                    has_given_up.await.unwrap();
                    let make = || async { unreachable!("it is being made") };
                    let a = session.properties().get_or_init_async(&A, make).await;
                    *a.unwrap() + 1
                }
            };
            {
                let mut b = pin!(session.properties().get_or_init_async(&B, need_a));
                assert!(b.as_mut().now_or_never().is_none());
                settle().await;
            }
            gave_up.send(()).unwrap();
            // By now `b` waits for `a`.
            settle().await;
            1
        }
    };
    let a = session.properties().get_or_init_async(&A, make_a).await;
    let b = session
        .properties()
        .get_or_init_async(&B, || async { 0 })
        .await;
    assert_eq!((*a.unwrap(), *b.unwrap()), (1, 2));
}

#[tokio::test]
async fn r09_an_initializer_that_waits_is_not_the_one_that_runs() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (finish, may_finish) = oneshot::channel();
    let make = || async { may_finish.await.unwrap() };
    let mut first = pin!(session.properties().get_or_init_async(&A, make));
    assert!(first.as_mut().now_or_never().is_none());
    settle().await;
    // The thread that polled it waits for it itself, and in another initializer.
    let mut second = pin!(session.properties().get_or_init_async(&A, || async { 2 }));
    assert!(second.as_mut().now_or_never().is_none());
    let mut third = pin!(get_by(session.clone(), B, A));
    assert!(third.as_mut().now_or_never().is_none());
    settle().await;
    finish.send(1).unwrap();
    assert_eq!(*second.await.unwrap(), 1);
    assert_eq!(third.await, 2);
}

#[tokio::test]
async fn r09_after_an_inner_initializer_the_outer_one_is_known_again() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let a = properties.get_or_init(&A, || {
        let b = properties.get_or_init(&B, || 1).unwrap();
        let a = properties.get_or_init(&A, || unreachable!("it is being made"));
        assert!(matches!(a, Err(PropertyError::Cycle)));
        *b
    });
    assert_eq!(*a.unwrap(), 1);
}

#[tokio::test]
async fn r09_a_cycle_that_initializers_pass_on_leaves_all_absent() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let a = properties.get_or_try_init(&A, || {
        properties
            .get_or_try_init(&B, || properties.get_or_init(&A, || 1).map(|a| *a))
            .map(|b| *b)
    });
    let failed = a.unwrap_err();
    let of_b = failed.downcast_ref::<PropertyError>().unwrap();
    assert!(matches!(of_b.downcast_ref(), Some(PropertyError::Cycle)));
    assert!(properties.list().is_empty());
    assert_eq!(*properties.get_or_init(&A, || 2).unwrap(), 2);
}

#[derive(SessionProperties)]
struct Set {
    #[property(init = |cx: &InitContext| told(&cx.session().props::<Set>().unwrap().here()))]
    here: Property<bool>,
    #[property(async_init = needs_lent)]
    needs_lent: Property<bool>,
    #[property(async_init = needs_shared)]
    needs_shared: Exclusive<bool>,
    #[property(async_init = needs_itself)]
    lent_to_itself: Exclusive<bool>,
}

fn told<T>(outcome: &Result<T, PropertyError>) -> bool {
    matches!(outcome, Err(PropertyError::Cycle))
}

async fn needs_lent(cx: &InitContext) -> bool {
    told(&cx.session().props::<Set>().unwrap().needs_shared().await)
}

async fn needs_shared(cx: &InitContext) -> bool {
    told(&cx.session().props::<Set>().unwrap().needs_lent().await)
}

async fn needs_itself(cx: &InitContext) -> bool {
    told(&cx.session().props::<Set>().unwrap().lent_to_itself().await)
}

#[tokio::test]
async fn r09_accessors_that_need_themselves_get_a_cycle() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let set = session.props::<Set>().unwrap();
    assert!(**set.here().unwrap());
    assert!(*set.lent_to_itself().await.unwrap());
    let (shared, lent) = tokio::join!(set.needs_lent(), set.needs_shared());
    assert!(
        **shared.unwrap() != *lent.unwrap(),
        "one of the two is told"
    );
}
