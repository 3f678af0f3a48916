//! Last handles that are dropped on a thread without a runtime, or when the runtime is gone.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use session_core::{LocalSession, PropertyKey, PropertyRef, SessionManager};
use tokio::runtime::{Handle, Runtime};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::kit::{Log, Tell, builder, threads};
use crate::subscriber::subscribe;

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

fn on(runtime: &Runtime) -> SessionManager {
    builder().runtime(runtime.handle().clone()).build().unwrap()
}

async fn close(value: Tell) {
    tokio::task::yield_now().await;
    drop(value);
}

#[test]
fn r04_a_hook_of_a_handle_dropped_on_a_foreign_thread_runs_on_the_managers_runtime() {
    let runtime = threads();
    let sessions = on(&runtime);
    let session = sessions.create().unwrap();
    let (told, places) = mpsc::channel();
    let hook = async move |value: Tell| {
        tokio::task::yield_now().await;
        drop(value);
        told.send(Handle::current().id()).unwrap();
    };
    let log = Log::default();
    let handle = session
        .properties()
        .insert_with(&ANY, log.tell("any"), hook)
        .unwrap();
    session.terminate();
    std::thread::spawn(move || drop(handle)).join().unwrap();
    assert_eq!(places.recv().unwrap(), runtime.handle().id());
    assert_eq!(log.entries(), ["any"]);
    // Cleanup has waited for it.
    let report = runtime.block_on(session.cleanup_completed());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.closed(), 1);
}

#[test]
fn r04_a_destructor_on_a_foreign_thread_may_spawn_and_read_the_clock() {
    struct Spawns(mpsc::Sender<tokio::time::Instant>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let told = self.0.clone();
            tokio::spawn(async move { told.send(tokio::time::Instant::now()).unwrap() });
        }
    }
    const SPAWNS: PropertyKey<Spawns> = PropertyKey::new("spawns");
    let runtime = threads();
    let sessions = on(&runtime);
    let session = sessions.create().unwrap();
    let (told, times) = mpsc::channel();
    let handle = session.properties().insert(&SPAWNS, Spawns(told)).unwrap();
    session.terminate();
    std::thread::spawn(move || drop(handle)).join().unwrap();
    times.recv().unwrap();
    assert!(runtime.block_on(session.cleanup_completed()).is_clean());
}

/// The logged errors, each message with its fields.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

/// A handle that has outlived its session and its runtime, and the notes of its value.
fn orphan(hook: bool) -> (PropertyRef<Tell>, Log) {
    let log = Log::default();
    let runtime = threads();
    let sessions = on(&runtime);
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let inserted = if hook {
        properties.insert_with(&ANY, log.tell("dropped"), close)
    } else {
        properties.insert(&ANY, log.tell("dropped"))
    };
    let handle = inserted.unwrap();
    drop((sessions, runtime));
    assert!(session.is_completed());
    (handle, log)
}

#[test]
fn r04_where_the_runtime_is_gone_the_value_is_dropped_and_one_error_says_so() {
    let errors = Errors::default();
    let _subscribed = subscribe(errors.clone());
    let (handle, log) = orphan(true);
    assert_eq!(log.count(), 0);
    drop(handle);
    assert_eq!(log.entries(), ["dropped"]);
    let told = errors.0.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("any") && told[0].contains("Tell"),
        "{told:?}"
    );
}

#[test]
fn r04_where_the_runtime_is_gone_a_plain_value_is_just_dropped() {
    let errors = Errors::default();
    let _subscribed = subscribe(errors.clone());
    let (handle, log) = orphan(false);
    drop(handle);
    assert_eq!(log.entries(), ["dropped"]);
    assert!(errors.0.lock().unwrap().is_empty());
}

#[test]
fn r04_a_session_that_outlives_its_runtime_still_ends() {
    let runtime = threads();
    let sessions = on(&runtime);
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let log = Log::default();
    let properties = session.properties();
    drop(properties.insert(&ANY, log.tell("property")));
    let other = PropertyKey::<Tell>::new("other");
    let sync = |value: Tell| value.log.add("a sync hook");
    drop(properties.insert_with(&other, log.tell("hooked"), sync));
    let _owned = session.take_ownership(log.tell("owned")).unwrap();
    drop(group.properties().insert(&ANY, log.tell("of the group")));
    drop(runtime);
    session.terminate();
    let order = ["owned", "a sync hook", "hooked", "property", "of the group"];
    assert_eq!(log.entries(), order);
    assert!(group.is_completed());
    assert!(sessions.sessions().is_empty());
    assert_eq!(sessions.stats().in_cleanup, 0);
}
