//! Row 9: one initializer runs, once, however many callers race; where it runs, and how the callers wait.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyKey, PropertyRef, SessionProperties,
};
use tokio::sync::oneshot;
use tracing::{Event, Instrument as _, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::kit::{Log, builder, manager, settle, threads};
use crate::subscriber::subscribe;
use crate::thread::watch_me;

const THREADS: usize = 8;
const KEY: PropertyKey<usize> = PropertyKey::new("key");

/// The state: how often an initializer has run.
#[derive(Default)]
struct Runs(AtomicUsize);

impl Runs {
    /// Counts one, and returns its number.
    fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[derive(SessionProperties)]
#[session(state = Runs)]
struct Set {
    #[property(init = number)]
    here: Property<usize>,
    #[property(init = number)]
    here_lent: Exclusive<usize>,
    #[property(async_init = number_on_a_task)]
    on_a_task: Property<usize>,
    #[property(async_init = number_on_a_task)]
    on_a_task_lent: Exclusive<usize>,
}

fn number(cx: &InitContext<Runs>) -> usize {
    cx.state().next()
}

async fn number_on_a_task(cx: &InitContext<Runs>) -> usize {
    tokio::task::yield_now().await;
    cx.state().next()
}

fn same<T>(handles: &[PropertyRef<T>]) -> bool {
    handles
        .iter()
        .all(|handle| std::ptr::eq(&raw const **handle, &raw const *handles[0]))
}

/// Calls `get` on many threads at once.
fn race<T: Send>(get: impl Fn() -> T + Sync) -> Vec<T> {
    let line = Barrier::new(THREADS);
    let get = || {
        line.wait();
        get()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(get)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[tokio::test]
async fn r09_of_threads_that_race_one_runs_its_initializer() {
    let sessions = builder().state(Runs::default()).build().unwrap();
    for round in 0..100 {
        let session = sessions.create().unwrap();
        let runs = Runs::default();
        let handles = race(|| {
            session
                .properties()
                .get_or_init(&KEY, || runs.next())
                .unwrap()
        });
        assert!(same(&handles) && runs.next() == 1);

        let set = session.props::<Set>().unwrap();
        let numbers = race(|| **set.here().unwrap());
        assert_eq!(numbers, [round; THREADS], "no second one is ever built");
    }
}

#[test]
fn r09_of_tasks_that_race_one_runs_its_initializer() {
    threads().block_on(async {
        let sessions = builder().state(Runs::default()).build().unwrap();
        for round in 0..100 {
            let session = sessions.create().unwrap();
            let tasks = (0..THREADS).map(|caller| {
                let session = session.clone();
                tokio::spawn(async move {
                    let set = session.props::<Set>().unwrap();
                    let properties = session.properties();
                    let make = move || async move { caller };
                    let handle = properties.get_or_init_async(&KEY, make).await.unwrap();
                    let shared = **set.on_a_task().await.unwrap();
                    let lent = *set.on_a_task_lent().await.unwrap();
                    let lent_here = *set.here_lent().await.unwrap();
                    (handle, [shared, lent, lent_here])
                })
            });
            let got = join_all(tasks).await;
            let (handles, numbers): (Vec<_>, Vec<_>) = got.into_iter().map(Result::unwrap).unzip();
            assert!(same(&handles));
            assert!(numbers.iter().all(|three| *three == numbers[0]));
            assert_eq!(
                numbers[0].iter().sum::<usize>(),
                9 * round + 3,
                "no second one is ever built"
            );
        }
    });
}

#[tokio::test]
async fn r09_a_sync_initializer_runs_on_the_first_callers_thread_while_others_block() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let (entered, has_entered) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel();
    let (others, other) = mpsc::channel();
    let returned = &AtomicUsize::new(0);
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            let make = || {
                entered.send(thread::current().id()).unwrap();
                may_finish.recv().unwrap();
                1
            };
            assert_eq!(*properties.get_or_init(&KEY, make).unwrap(), 1);
        });
        assert_eq!(has_entered.recv().unwrap(), first.thread().id());
        for _ in 1..THREADS {
            let others = others.clone();
            scope.spawn(move || {
                others.send(watch_me()).unwrap();
                assert_eq!(*properties.get_or_init(&KEY, || 2).unwrap(), 1);
                returned.fetch_add(1, Ordering::SeqCst);
            });
        }
        for other in other.iter().take(THREADS - 1) {
            other.until_asleep();
        }
        assert_eq!(returned.load(Ordering::SeqCst), 0);
        finish.send(()).unwrap();
    });
    assert_eq!(returned.load(Ordering::SeqCst), THREADS - 1);
}

tokio::task_local! {
    static REQUEST: u32;
}

#[tokio::test]
async fn r09_an_async_initializer_runs_on_a_task_of_its_own() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let caller = tokio::spawn(REQUEST.scope(7, async move {
        let make = || {
            let outside = tokio::task::id();
            async move {
                assert_eq!(
                    tokio::task::id(),
                    outside,
                    "the call and the future are on one task"
                );
                (outside, REQUEST.try_with(|request| *request).ok())
            }
        };
        let key = PropertyKey::<(tokio::task::Id, Option<u32>)>::new("key");
        let made = session.properties().get_or_init_async(&key, make).await;
        (*made.unwrap(), tokio::task::id(), REQUEST.get())
    }));
    let ((task, request), callers_task, callers_request) = caller.await.unwrap();
    assert_ne!(task, callers_task);
    assert_eq!(
        (request, callers_request),
        (None, 7),
        "it sees no task-locals"
    );
}

#[tokio::test]
async fn r09_callers_that_go_away_stop_nothing() {
    let sessions = builder().state(Runs::default()).build().unwrap();
    let session = sessions.create().unwrap();
    let (finish, may_finish) = oneshot::channel();
    {
        let mut first = pin!(
            session
                .properties()
                .get_or_init_async(&KEY, || async { may_finish.await.unwrap() })
        );
        assert!(first.as_mut().now_or_never().is_none());
        settle().await;
        // Another caller comes while it runs, and goes away too.
        let second = session.properties().get_or_init_async(&KEY, || async { 2 });
        assert!(second.now_or_never().is_none());
    }
    assert!(session.properties().get(&KEY).is_none());
    let mut third = pin!(session.properties().get_or_init_async(&KEY, || async { 3 }));
    assert!(third.as_mut().now_or_never().is_none());
    finish.send(1).unwrap();
    assert_eq!(*third.await.unwrap(), 1);

    // It goes on even if no caller is left, and cells find the value.
    let set = session.props::<Set>().unwrap();
    assert!(set.on_a_task().now_or_never().is_none());
    assert!(set.on_a_task_lent().now_or_never().is_none());
    assert!(set.on_a_task.get().is_none());
    settle().await;
    assert!(set.on_a_task.get().is_some() && set.on_a_task_lent.try_lock().is_some());
}

/// Keeps the spans of each event, from the outermost.
struct Spans(Log);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == module_path!() {
            let scope = context.event_scope(event).into_iter();
            let names = scope.flat_map(|scope| scope.from_root().map(|span| span.name()));
            self.0.add(names.collect::<Vec<_>>().join(" > "));
        }
    }
}

#[tokio::test]
async fn r09_an_async_initializer_is_traced_under_its_first_callers_span() {
    let log = Log::default();
    let _subscribed = subscribe(Spans(log.clone()));
    let sessions = manager();
    let session = sessions.create().unwrap();
    let make = || {
        tracing::info!("called");
        async {
            tracing::info!("polled");
            tokio::task::yield_now().await;
            tracing::info!("polled again");
            1
        }
    };
    let properties = session.properties();
    let first = properties.get_or_init_async(&KEY, make);
    let second = properties.get_or_init_async(&KEY, || async { 2 });
    let (first, second) = tokio::join!(
        first.instrument(tracing::info_span!("first")),
        second.instrument(tracing::info_span!("second")),
    );
    assert_eq!((*first.unwrap(), *second.unwrap()), (1, 1));
    assert_eq!(log.entries(), ["first > initialize"; 3]);
}
