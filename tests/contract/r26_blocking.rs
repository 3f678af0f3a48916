//! Row 26: a function that blocks is called with the value on the blocking pool.

use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt as _;
use session_core::{Exclusive, LocalSession, Props, Session, SessionManager, SessionProperties};
use tokio::runtime::Builder;

use crate::kit::{manager, threads};
use crate::thread::block_on;

#[derive(SessionProperties)]
struct Bench {
    #[property(default)]
    list: Exclusive<Vec<u32>>,
    #[property(default)]
    one: Exclusive<u32>,
}

fn world() -> (SessionManager, Session, Props<Bench>) {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let bench = session.props().unwrap();
    (sessions, session, bench)
}

#[tokio::test]
async fn r26_a_function_that_blocks_runs_elsewhere_with_the_value() {
    let (_sessions, _session, bench) = world();
    let here = thread::current().id();
    let guard = bench.list().await.unwrap();
    let (mut guard, elsewhere) = guard
        .blocking(|list| {
            list.push(1);
            thread::current().id()
        })
        .await;
    assert_ne!(here, elsewhere);
    assert!(bench.list.try_lock().is_none(), "it is still lent");
    guard.push(2);
    let (guard, length) = guard.blocking(|list| list.len()).await;
    assert_eq!((guard.as_slice(), length), ([1, 2].as_slice(), 2));
}

#[tokio::test]
async fn r26_a_caller_that_stops_waiting_stops_nothing() {
    let (_sessions, _session, bench) = world();
    let (go_on, waits) = mpsc::channel::<()>();
    let guard = bench.list().await.unwrap();
    {
        let blocking = guard.blocking(move |list| {
            waits.recv().unwrap();
            list.push(7);
        });
        assert!(blocking.now_or_never().is_none());
    }
    assert!(bench.list.try_lock().is_none(), "it is in use");
    go_on.send(()).unwrap();
    assert_eq!(*bench.list().await.unwrap(), [7]);
}

#[tokio::test]
async fn r26_one_that_was_never_polled_has_not_begun() {
    let (_sessions, _session, bench) = world();
    let guard = bench.list().await.unwrap();
    drop(guard.blocking(|list| list.push(7)));
    assert!(bench.list.try_lock().unwrap().is_empty());
}

#[tokio::test]
async fn r26_a_panic_goes_to_the_caller_and_the_value_is_returned() {
    let (_sessions, _session, bench) = world();
    let guard = bench.list().await.unwrap();
    let call = guard.blocking(|list| {
        list.push(7);
        panic!("as asked for");
    });
    let panic = tokio::spawn(call.map(|(_guard, ())| ())).await.unwrap_err();
    let message = panic.into_panic().downcast::<&str>().unwrap();
    assert_eq!(*message, "as asked for");
    assert_eq!(*bench.list.try_lock().unwrap(), [7]);
}

#[tokio::test]
async fn r26_at_completion_the_function_goes_on_and_cleanup_waits_for_the_value() {
    let (_sessions, session, bench) = world();
    let (go_on, waits) = mpsc::channel::<()>();
    let guard = bench.list().await.unwrap();
    drop(bench);
    let mut call = Box::pin(guard.blocking(move |list| {
        waits.recv().unwrap();
        list.push(7);
    }));
    assert!(call.as_mut().now_or_never().is_none());
    session.terminate();
    go_on.send(()).unwrap();
    let (guard, ()) = call.await;
    assert_eq!(*guard, [7]);
    assert_eq!(guard.discard().await, Ok(()));
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), report.is_clean()), (1, true));
}

#[test]
fn r26_without_a_runtime_the_function_runs_on_the_thread_that_polls() {
    let runtime = threads();
    let (_sessions, _session, bench) = runtime.block_on(async { world() });
    let guard = block_on(bench.one()).unwrap();
    drop(runtime);
    let (guard, at) = block_on(guard.blocking(|one| {
        *one += 1;
        thread::current().id()
    }));
    assert_eq!((*guard, at), (1, thread::current().id()));
}

/// The pool is full, so the call waits, and then its runtime ends.
#[test]
fn r26_a_call_that_has_not_begun_when_the_runtime_ends_is_not_lost() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (_sessions, _session, bench) = runtime.block_on(async { world() });
    let (go_on, waits) = mpsc::channel::<()>();
    let (begins, begun) = mpsc::channel();
    runtime.spawn_blocking(move || {
        begins.send(()).unwrap();
        waits.recv()
    });
    begun.recv().unwrap();
    let guard = block_on(bench.one()).unwrap();
    let mut call = Box::pin(guard.blocking(|one| *one += 1));
    assert!(call.as_mut().now_or_never().is_none());
    runtime.shutdown_background();
    let call = thread::spawn(move || *block_on(call).0);
    drop(go_on);
    assert_eq!(call.join().unwrap(), 1);
}
