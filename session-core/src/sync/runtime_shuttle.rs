//! The runtime under shuttle: see `runtime.rs`.
//!
//! A task is one of shuttle's own, so that each step of it is a step of the model. The clock stands still until the
//! model advances it, so a timeout that passes is one more racing step.
#![cfg_attr(not(test), expect(dead_code, reason = "only models make a runtime"))]

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::future::abortable;
use shuttle::future::block_on;

pub(crate) use futures_util::future::AbortHandle;
pub(crate) use tokio::time::Instant;

use crate::sync::point;

#[derive(Clone)]
pub struct Runtime {
    tasks: Arc<Mutex<Vec<shuttle::future::JoinHandle<()>>>>,
}

#[derive(Debug)]
pub struct JoinHandle<T> {
    abort: AbortHandle,
    output: PhantomData<fn() -> T>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    pub(crate) fn abort(&self) {
        self.abort.abort();
    }
}

/// The guard that would leave the runtime. Here there is nothing to leave.
pub(crate) struct Entered;

impl Runtime {
    /// Creates a runtime without tasks, and sets the clock to its start.
    pub(crate) fn new() -> Self {
        CLOCK.set(Some(Clock {
            now: Instant::now(),
            sleepers: Vec::new(),
        }));
        Self {
            tasks: Arc::default(),
        }
    }

    pub(crate) fn try_current() -> Result<Self, Entered> {
        Err(Entered)
    }

    #[expect(clippy::unused_self, reason = "as tokio's")]
    pub(crate) fn enter(&self) -> Entered {
        Entered
    }

    pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(
        &self,
        future: F,
    ) -> JoinHandle<F::Output> {
        let (future, abort) = abortable(future);
        let task = shuttle::future::spawn(async move {
            let _ended_or_aborted = future.await;
        });
        self.tasks.lock().expect("nothing panics here").push(task);
        JoinHandle {
            abort,
            output: PhantomData,
        }
    }

    /// Waits until all tasks have ended.
    pub(crate) fn settle(&self) {
        loop {
            let task = self.tasks.lock().expect("nothing panics here").pop();
            let Some(task) = task else { return };
            block_on(task).expect("shuttle aborts no task");
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

/// The clock of a model's run.
struct Clock {
    now: Instant,
    sleepers: Vec<Waker>,
}

std::thread_local! {
    /// Shared by all threads of a model, because they run on one system thread.
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

fn with_clock<R>(look: impl FnOnce(&mut Clock) -> R) -> R {
    CLOCK.with_borrow_mut(|clock| look(clock.as_mut().expect("a model makes its runtime first")))
}

/// Lets time pass.
pub(crate) fn advance(time: Duration) {
    point();
    let sleepers = with_clock(|clock| {
        clock.now += time;
        std::mem::take(&mut clock.sleepers)
    });
    for sleeper in sleepers {
        sleeper.wake();
    }
    point();
}

pub(crate) fn now(_: &Runtime) -> Instant {
    point();
    with_clock(|clock| clock.now)
}

pub(crate) fn sleep(time: Duration) -> impl Future<Output = ()> {
    sleep_until(with_clock(|clock| clock.now) + time)
}

pub(crate) fn sleep_until(time: Instant) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        with_clock(|clock| {
            if clock.now < time {
                clock.sleepers.push(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
    })
}

pub(crate) fn sleep_on(_: &Runtime, time: Duration) -> impl Future<Output = ()> {
    sleep(time)
}

pub(crate) async fn run_blocking<R: Send + 'static>(
    runtime: &Runtime,
    f: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let (done, result) = tokio::sync::oneshot::channel();
    runtime.spawn(async move { drop(done.send(f())) });
    result.await.ok()
}
