//! Helpers that the suite's tests share.

use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread::Scope;

use futures_util::FutureExt as _;
use session_core::{
    CleanupReport, LifecycleEvent, LifecycleEvents, SessionManager, SessionManagerBuilder,
};
use tokio::runtime::Runtime;
use tokio::time::Instant;

pub(crate) fn builder() -> SessionManagerBuilder {
    SessionManager::builder()
}

/// A manager with the default settings.
pub(crate) fn manager() -> SessionManager {
    builder().build().unwrap()
}

/// A runtime for tests that race.
pub(crate) fn threads() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// The events so far, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Display) {
        self.0.lock().unwrap().push(entry.to_string());
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A value that adds its name when it is dropped.
    pub(crate) fn tell(&self, name: &'static str) -> Tell {
        Tell {
            name,
            log: self.clone(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Tell {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.log.add(self.name);
    }
}

/// A value that panics when it is dropped.
pub(crate) struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("boom");
    }
}

/// A value whose destructor waits until its brake is dropped.
pub(crate) struct Slow {
    begun: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
}

/// The brake that holds up a [`Slow`] value's destructor, until it is dropped.
pub(crate) struct Brake {
    begun: mpsc::Receiver<()>,
    _go_on: mpsc::Sender<()>,
}

impl Slow {
    pub(crate) fn new() -> (Self, Brake) {
        let (begins, begun) = mpsc::channel();
        let (lets_go, go_on) = mpsc::channel();
        let slow = Self {
            begun: begins,
            go_on,
        };
        let brake = Brake {
            begun,
            _go_on: lets_go,
        };
        (slow, brake)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let _ = self.begun.send(());
        let _ = self.go_on.recv();
    }
}

impl Brake {
    /// Waits until the destructor has begun, on another thread.
    pub(crate) fn begun(&self) {
        self.begun.recv().unwrap();
    }
}

/// Lets all ready tasks run, on a runtime of one thread. Paused time does not advance meanwhile.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Runs each of these on its own thread, all at the same moment.
pub(crate) fn race<const N: usize>(racers: [&(dyn Fn() + Sync); N]) {
    let line = std::sync::Barrier::new(N);
    std::thread::scope(|scope: &Scope<'_, '_>| {
        for racer in racers {
            let line = &line;
            scope.spawn(move || {
                line.wait();
                racer();
            });
        }
    });
}

/// Runs a check at the very moment a future is woken, on the thread that wakes it.
pub(crate) struct Lookout<R> {
    look: Box<dyn Fn() -> R + Send + Sync>,
    seen: Mutex<Option<R>>,
}

impl<R: Send + 'static> Lookout<R> {
    /// Polls `future`, which can't go on yet.
    pub(crate) fn on<F: Future + Unpin>(
        future: &mut F,
        look: impl Fn() -> R + Send + Sync + 'static,
    ) -> Arc<Self> {
        let lookout = Arc::new(Self {
            look: Box::new(look),
            seen: Mutex::default(),
        });
        let waker = Waker::from(lookout.clone());
        let polled = future.poll_unpin(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        lookout
    }

    pub(crate) fn seen(&self) -> R {
        self.seen.lock().unwrap().take().expect("it was woken")
    }
}

impl<R: Send + 'static> Wake for Lookout<R> {
    fn wake(self: Arc<Self>) {
        *self.seen.lock().unwrap() = Some((self.look)());
    }
}

/// The only one there is.
pub(crate) fn only<T: Debug>(all: Vec<T>) -> T {
    match <[T; 1]>::try_from(all) {
        Ok([one]) => one,
        Err(all) => panic!("not just one: {all:?}"),
    }
}

/// Checks again and again, as often as the machine allows.
pub(crate) fn spin_until(seen: impl Fn() -> bool) {
    for look in 1_u32.. {
        if seen() {
            break;
        }
        if look % 64 == 0 {
            std::thread::yield_now();
        }
    }
}

/// The troubles of a cleanup, as `name: trouble`.
pub(crate) fn problems(report: &CleanupReport) -> Vec<String> {
    let problems = report.problems().iter();
    problems
        .map(|problem| format!("{}: {}", problem.name(), problem.trouble()))
        .collect()
}

/// The events that have come.
pub(crate) fn come(events: &mut LifecycleEvents) -> Vec<LifecycleEvent> {
    let mut come = Vec::new();
    // Unconstrained: otherwise tokio makes a task that takes many at a time wait.
    while let Some(Some(event)) = tokio::task::unconstrained(events.next()).now_or_never() {
        come.push(event.unwrap());
    }
    come
}

/// A stopwatch on tokio's clock.
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn millis(&self) -> u128 {
        self.0.elapsed().as_millis()
    }
}
