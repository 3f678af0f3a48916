//! A manager: its runtime, its lists, counts and events.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    BuildError, CleanupReport, CompletionCause, GroupId, LifecycleEvent, LocalSession, Property,
    PropertyKey, SessionManager, SessionManagerBuilder, SessionProperties, Subject, WhenFull,
};
use tokio::runtime::{Handle, Runtime};

use crate::kit::{Bomb, Log, Lookout, Tell, builder, come, manager, problems, settle, threads};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

#[test]
fn r17_it_goes_anywhere() {
    fn goes_anywhere<T: Clone + Send + Sync + 'static>() {}
    goes_anywhere::<SessionManager>();
}

#[tokio::test]
async fn r17_clones_are_one_manager() {
    let sessions = manager();
    let clone = sessions.clone();
    let session = sessions.create_in("g".into()).unwrap();
    assert_eq!(clone.get(&session.id()).as_ref(), Some(&session));
    assert_eq!(clone.group(&"g".into()), Some(session.group()));
    assert_eq!(clone.stats(), sessions.stats());
    clone.shutdown(Duration::from_secs(1)).await;
    assert!(session.is_completed());
    assert!(sessions.create().is_err());
}

#[tokio::test]
async fn r17_two_managers_know_nothing_of_each_other() {
    let (one, other) = (manager(), manager());
    let mut events = other.subscribe();
    let session = one.create_in("g".into()).unwrap();
    assert!(other.get(&session.id()).is_none());
    assert!(other.group(&"g".into()).is_none());
    assert!(other.sessions().is_empty() && other.groups().is_empty());
    let of_other = other.create_in("g".into()).unwrap();
    assert_ne!(of_other.group(), session.group());
    one.shutdown(Duration::from_secs(1)).await;
    drop(one);
    assert!(session.is_completed() && !of_other.is_completed());
    assert_eq!(other.stats().created, 1);
    let told = come(&mut events);
    assert!(
        told.iter()
            .all(|event| matches!(event, LifecycleEvent::Created(_))),
        "{told:?}"
    );
}

#[test]
fn r17_it_needs_a_runtime() {
    assert_eq!(builder().build().unwrap_err(), BuildError::NoRuntime);
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    // Without a runtime everything else works.
    let session = sessions.create_in("g".into()).unwrap();
    session.join("h".into()).unwrap();
    drop(session.enter().unwrap());
    drop(
        session
            .properties()
            .get_or_init(&ANY, || Log::default().tell("any")),
    );
    session.terminate();
    assert_eq!(runtime.block_on(session.cleanup_completed()).closed(), 1);
}

#[tokio::test]
async fn r17_nothing_may_be_zero() {
    type Set = fn(SessionManagerBuilder, Duration) -> SessionManagerBuilder;
    let timeouts: [(&str, Set); 5] = [
        ("idle_timeout", SessionManagerBuilder::idle_timeout),
        ("absolute_timeout", SessionManagerBuilder::absolute_timeout),
        ("drain_timeout", SessionManagerBuilder::drain_timeout),
        ("close_timeout", SessionManagerBuilder::close_timeout),
        ("lend_timeout", SessionManagerBuilder::lend_timeout),
    ];
    for (name, set) in timeouts {
        let error = set(builder(), Duration::ZERO).build().unwrap_err();
        assert_eq!(error, BuildError::Zero(name));
        assert!(error.to_string().contains(name), "{error}");
        set(builder(), Duration::from_nanos(1)).build().unwrap();
    }
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let error = builder().max_sessions(0, when_full).build().unwrap_err();
        assert_eq!(error, BuildError::Zero("max_sessions"));
    }
}

/// The place where a hook, a task or an initializer ran.
fn here() -> tokio::runtime::Id {
    Handle::current().id()
}

#[derive(SessionProperties)]
struct Places {
    #[property(async_init = async || here())]
    made: Property<tokio::runtime::Id>,
}

#[test]
fn r17_all_that_is_async_runs_on_its_runtime() {
    const CLOSED: PropertyKey<()> = PropertyKey::new("closed");
    let (own, foreign) = (threads(), threads());
    let sessions = builder().runtime(own.handle().clone()).build().unwrap();
    let session = sessions.create().unwrap();
    let (told, places) = mpsc::channel();
    foreign.block_on(async {
        let set = session.props::<Places>().unwrap();
        assert_eq!(**set.made().await.unwrap(), own.handle().id());
        let task = session.spawn(|_| async { here() }).unwrap();
        assert_eq!(task.await.unwrap(), own.handle().id());
        let telling = told.clone();
        let hook = async move |()| telling.send(here()).unwrap();
        drop(session.properties().insert_with(&CLOSED, (), hook));
        let telling = told.clone();
        let late = PropertyKey::<u8>::new("late");
        let hook = async move |_: u8| telling.send(here()).unwrap();
        let late = session.properties().insert_with(&late, 1, hook).unwrap();
        session.terminate();
        assert_eq!(places.recv().unwrap(), own.handle().id());
        drop(late);
        assert_eq!(places.recv().unwrap(), own.handle().id());
        let _ = session.cleanup_completed().await;
    });
}

#[test]
fn r17_without_a_timer_it_says_so_at_once() {
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let build = || builder().runtime(runtime.handle().clone()).build();
    assert!(std::panic::catch_unwind(build).is_err());
}

#[tokio::test(start_paused = true)]
async fn r17_it_finds_lists_and_counts() {
    let sessions = manager();
    let known = |name: &str| sessions.group(&GroupId::from(name)).is_some();
    assert_eq!(sessions.stats().created, 0);
    let one = sessions.create_in("g".into()).unwrap();
    let two = sessions.create_in("g".into()).unwrap();
    let three = sessions.create_in("h".into()).unwrap();
    let four = sessions.create().unwrap();
    let listed = sessions.sessions();
    assert_eq!(listed.len(), 4);
    for session in [&one, &two, &three, &four] {
        assert!(listed.contains(session));
        assert_eq!(sessions.get(&session.id()).as_ref(), Some(session));
    }
    let mut names: Vec<_> = sessions
        .groups()
        .iter()
        .map(|group| group.id().unwrap().to_string())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["g", "h"]);
    let stats = sessions.stats();
    let counts = (stats.active, stats.in_cleanup, stats.groups, stats.created);
    assert_eq!(counts, (4, 0, 2, 4));

    // A session that is cleaned up at once, and one that has a request inside.
    let request = one.enter().unwrap();
    one.terminate();
    three.terminate();
    assert!(known("g") && !known("h"));
    assert_eq!(sessions.sessions().len(), 2);
    assert!(sessions.get(&one.id()).is_none());
    let stats = sessions.stats();
    let counts = (stats.active, stats.in_cleanup, stats.groups, stats.created);
    assert_eq!(counts, (2, 1, 1, 4));
    drop(request);
    let _ = one.cleanup_completed().await;
    assert_eq!(sessions.stats().in_cleanup, 0);
}

#[tokio::test(start_paused = true)]
async fn r17_a_task_that_hears_of_a_cleanup_finds_it_counted() {
    // A session whose cleanup takes a task, and one whose cleanup does not.
    for used in [true, false] {
        let sessions = builder().max_sessions(1, WhenFull::Reject).build().unwrap();
        let mut events = sessions.subscribe();
        let session = sessions.create_in("g".into()).unwrap();
        let group = session.group();
        if used {
            drop(session.take_ownership(Vec::from([1])).unwrap());
        }
        let mut cleanup = session.cleanup_completed();
        let own = sessions.clone();
        let lookout = Lookout::on(&mut cleanup, move || {
            let room = own.create().is_ok();
            (own.stats().in_cleanup, room, group.is_completed())
        });
        session.terminate();
        let _ = session.cleanup_completed().await;
        assert_eq!(lookout.seen(), (0, true, true));
        assert_eq!(come(&mut events).len(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn r17_it_tells_of_creation_completion_and_cleanup() {
    let sessions = manager();
    let mut early = sessions.subscribe();
    let session = sessions.create().unwrap();
    let mut late = sessions.subscribe();
    let own = Subject::Session(session.serial());
    drop(session.take_ownership(Bomb).unwrap());
    let _told = session.cycle_id().unwrap();
    session.terminate();
    let _ = session.cleanup_completed().await;

    let told = come(&mut early);
    let [
        LifecycleEvent::Created(created),
        LifecycleEvent::Completed(completed, CompletionCause::Terminated, ..),
        LifecycleEvent::CleanedUp(cleaned_up, report),
    ] = &told[..]
    else {
        unreachable!("{told:?}")
    };
    assert_eq!([created, completed, cleaned_up], [&own; 3]);
    assert_eq!(problems(report), ["owned value: panicked: boom"]);
    assert_eq!(come(&mut late).len(), 2, "from when it subscribed");
}

#[tokio::test(start_paused = true)]
async fn r17_a_slow_subscriber_is_told_how_many_it_lost() {
    let sessions = manager();
    let mut slow = sessions.subscribe();
    let mut quick = sessions.subscribe();
    let mut all = 0;
    for _ in 0..2_000 {
        sessions.create().unwrap().terminate();
        all += come(&mut quick).len();
    }
    assert_eq!(all, 6_000, "nobody waited for the slow one");
    let missed = slow.next().await.unwrap().unwrap_err();
    let rest = come(&mut slow).len();
    assert_eq!(missed.0 + u64::try_from(rest).unwrap(), 6_000);
    assert!(missed.0 > 0 && rest > 0, "{missed}");
    // And it goes on from there.
    sessions.create().unwrap();
    assert_eq!(come(&mut slow).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn r17_a_session_that_holds_nothing_ends_without_a_task() {
    const NUMBER: PropertyKey<u64> = PropertyKey::new("number");
    let sessions = manager();
    let metrics = Handle::current().metrics();
    settle().await;
    let before = metrics.num_alive_tasks();
    let ends_at_once = |session: session_core::Session, used: usize| {
        let cleanup = session.cleanup_completed();
        session.terminate();
        assert_eq!(metrics.num_alive_tasks(), before, "with {used}");
        let report: Option<CleanupReport> = cleanup.now_or_never();
        assert!(report.unwrap().is_clean());
    };
    ends_at_once(sessions.create().unwrap(), 0);
    ends_at_once(sessions.create_in("g".into()).unwrap(), 1);
    // It was used, but nothing is left.
    let session = sessions.create().unwrap();
    drop(session.enter().unwrap());
    drop(session.keep_alive().unwrap());
    let _looked = (session.completion_token(), session.group());
    let log = Log::default();
    assert!(session.take_ownership(log.tell("owned")).unwrap().dispose());
    drop(session.properties().insert(&ANY, log.tell("any")));
    drop(session.properties().remove(&ANY));
    drop(session.properties().insert(&NUMBER, 1));
    drop(session.spawn(|_| async {}).unwrap().await);
    drop(session.props::<Places>().unwrap());
    ends_at_once(session, 2);
    assert_eq!(log.count(), 2);
    // The counter-example.
    let session = sessions.create().unwrap();
    drop(session.properties().insert(&ANY, log.tell("any")));
    session.terminate();
    assert_eq!(metrics.num_alive_tasks(), before + 1);
}
