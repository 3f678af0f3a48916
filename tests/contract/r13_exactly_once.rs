//! Row 13: a property is closed once, when its last handle is dropped.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{LocalSession, PropertyKey, PropertyRef};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::kit::{Log, Tell, builder, manager, problems, threads};
use crate::subscriber::subscribe;

const KEY: PropertyKey<u32> = PropertyKey::new("key");
const TELL: PropertyKey<Tell> = PropertyKey::new("tell");

/// Drops each of these handles on its own thread, all at the same moment.
fn let_go_at_once(handles: Vec<PropertyRef<u32>>) {
    let line = Arc::new(Barrier::new(handles.len()));
    let threads = handles.into_iter().map(|handle| {
        let line = line.clone();
        thread::spawn(move || {
            line.wait();
            drop(handle);
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
}

#[test]
fn r13_of_threads_that_let_go_at_once_one_closes() {
    threads().block_on(async {
        let sessions = manager();
        for round in 0..300 {
            let session = sessions.create().unwrap();
            let properties = session.properties();
            let (closes, mut closed) = mpsc::unbounded_channel();
            let inserted = if round % 2 == 0 {
                properties.insert_with(&KEY, 7, move |value| closes.send(value))
            } else {
                properties.insert_with(&KEY, 7, async move |value| closes.send(value))
            };
            let handles = vec![inserted.unwrap(); 4];
            match round % 3 {
                0 => drop(properties.remove(&KEY).unwrap()),
                1 => drop(properties.replace(&KEY, 8).unwrap()),
                _ => session.terminate(),
            }
            assert!(closed.recv().now_or_never().is_none(), "it is held");
            let_go_at_once(handles);
            assert_eq!(closed.recv().await, Some(7));
            // The sender is in the hook. Once the hook is gone no more messages can come.
            assert_eq!(closed.recv().await, None);
            session.terminate();
            let report = session.cleanup_completed().await;
            assert!(report.is_clean());
            assert_eq!(report.closed(), usize::from(round % 3 == 2));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn r13_a_last_handle_that_outlives_the_cleanup_closes_on_a_foreign_thread() {
    let sessions = builder()
        .close_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let (closes, mut closed) = mpsc::unbounded_channel();
    let here = {
        let closes = closes.clone();
        move |value| closes.send((value, Handle::try_current().is_ok()))
    };
    let on_a_task = async move |value| closes.send((value, Handle::try_current().is_ok()));
    let other = PropertyKey::<u32>::new("other");
    let handles = [
        session.properties().insert_with(&KEY, 1, here).unwrap(),
        session
            .properties()
            .insert_with(&other, 2, on_a_task)
            .unwrap(),
    ];
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["other: still held", "key: still held"]);
    assert_eq!(report.closed(), 0);
    assert!(closed.recv().now_or_never().is_none());
    drop((session, sessions));
    thread::spawn(|| drop(handles)).join().unwrap();
    // Both are within the manager's runtime: the sync one may spawn, too.
    assert_eq!(closed.recv().await, Some((1, true)));
    assert_eq!(closed.recv().await, Some((2, true)));
    assert_eq!(closed.recv().await, None);
}

#[tokio::test]
async fn r13_a_value_that_was_taken_back_is_not_closed() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (closes, mut closed) = mpsc::unbounded_channel();
    let close = move |value| closes.send(value);
    drop(session.properties().insert_with(&KEY, 1, close).unwrap());
    let taken = session.properties().remove(&KEY).unwrap().unwrap();
    assert_eq!(taken.try_into_inner().ok(), Some(1));
    assert_eq!(closed.recv().await, None, "the hook is dropped unused");
    session.terminate();
    assert_eq!(session.cleanup_completed().await.closed(), 0);
}

/// Keeps the errors among the events.
struct Errors(Log);

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            self.0.add(event.metadata().target());
        }
    }
}

#[test]
fn r13_without_its_runtime_a_value_is_dropped_and_an_error_says_so() {
    let (errors, log) = (Log::default(), Log::default());
    let _subscribed = subscribe(Errors(errors.clone()));
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let close = async |value: Tell| value.log.add("closed");
    drop(
        properties
            .insert_with(&TELL, log.tell("dropped"), close)
            .unwrap(),
    );
    let removed = properties.remove(&TELL).unwrap();
    drop(runtime);
    assert_eq!(log.count(), 0);
    drop(removed);
    assert_eq!(log.entries(), ["dropped"]);
    assert_eq!(errors.count(), 1);
}
