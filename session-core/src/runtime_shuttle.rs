//! The runtime under shuttle: see `runtime.rs`.
//!
//! Tasks wait in a queue until the model polls them, and the clock stands still until the model advances it. So
//! a timeout that passes is one more racing step.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) use tokio::time::Instant;

use crate::sync::{AtomicU64, Mutex, Ordering, point};

std::thread_local! {
    /// The clock. All threads of a model run on one thread of the system, so they share it.
    static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Tasks that wait for the model to poll them.
#[derive(Clone)]
pub struct Runtime {
    tasks: Arc<Mutex<VecDeque<Task>>>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    abort: AbortHandle,
}

#[derive(Debug)]
pub struct JoinHandle<T> {
    abort: AbortHandle,
    output: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug)]
pub(crate) struct AbortHandle(Arc<AtomicU64>);

/// Leaves the runtime; there is nothing to leave.
pub(crate) struct Entered;

impl AbortHandle {
    pub(crate) fn abort(&self) {
        self.0.store(1, Ordering::SeqCst);
    }
}

impl<T> JoinHandle<T> {
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    pub(crate) fn abort(&self) {
        self.abort.abort();
    }
}

impl Runtime {
    /// A runtime without tasks, and the clock at its start.
    pub(crate) fn new() -> Self {
        NOW.set(Some(Instant::now()));
        Self {
            tasks: Arc::new(Mutex::new(VecDeque::new())),
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
        let abort = AbortHandle(Arc::new(AtomicU64::new(0)));
        self.tasks.lock().push_back(Task {
            future: Box::pin(async move {
                future.await;
            }),
            abort: abort.clone(),
        });
        JoinHandle {
            abort,
            output: PhantomData,
        }
    }

    /// Polls the task that has waited longest, or drops it if it was aborted. Gives whether there was one.
    pub(crate) fn poll_next(&self) -> bool {
        let Some(mut task) = self.tasks.lock().pop_front() else {
            return false;
        };
        let mut context = Context::from_waker(Waker::noop());
        if task.abort.0.load(Ordering::SeqCst) == 0
            && task.future.as_mut().poll(&mut context).is_pending()
        {
            self.tasks.lock().push_back(task);
        }
        true
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

/// Lets time pass.
pub(crate) fn advance(time: Duration) {
    point();
    NOW.set(Some(clock() + time));
    point();
}

fn clock() -> Instant {
    NOW.get().expect("a model makes its runtime first")
}

pub(crate) fn now(_: &Runtime) -> Instant {
    point();
    clock()
}

pub(crate) fn sleep(time: Duration) -> impl Future<Output = ()> {
    sleep_until(clock() + time)
}

pub(crate) fn sleep_until(time: Instant) -> impl Future<Output = ()> {
    poll_fn(move |_| {
        point();
        if clock() < time {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
}

pub(crate) async fn timeout<F: Future>(time: Duration, future: F) -> Result<F::Output, ()> {
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = sleep(time) => Err(()),
    }
}
