//! One property being created: its place, its waiters, and its outcome.
//!
//! Invariants:
//! 1. An outcome is set once: by the initializer's end, or by completion before it.
//! 2. A waiter never holds the value: it looks again once there is an outcome.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::sync::Notify;

use crate::error::PropertyError;
use crate::store::node::{Node, Waited};
use crate::store::wait_graph::{MovingEdge, WaitGraph};
use crate::sync::{AtomicU64, Condvar, Mutex, Ordering, wait_for};
use crate::values::about::About;
use crate::values::close::caught;

pub(crate) type Outcome = Result<(), PropertyError>;

/// How an initializer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On its first caller's thread; others block.
    Sync,
    /// On a task of the session; all callers wait.
    Async,
}

pub(crate) struct Creation {
    pub(crate) about: About,
    mode: Mode,
    outcome: Mutex<Option<Outcome>>,
    ended: Condvar,
    woken: Notify,
    /// How many polls of the initializer have begun, and how many have ended.
    begun: AtomicU64,
    polled: AtomicU64,
    /// The initializer's task.
    waker: Mutex<Option<Waker>>,
    /// How often its waiters have been asked whether they wait.
    asks: AtomicU64,
}

impl Creation {
    pub(crate) fn new(about: About, mode: Mode) -> Self {
        Self {
            about,
            mode,
            outcome: Mutex::new(None),
            ended: Condvar::new(),
            woken: Notify::new(),
            begun: AtomicU64::new(0),
            polled: AtomicU64::new(0),
            waker: Mutex::new(None),
            asks: AtomicU64::new(0),
        }
    }

    /// Whether it runs on a caller's thread, where nothing can abort it.
    pub(crate) fn is_sync(&self) -> bool {
        self.mode == Mode::Sync
    }

    /// Records that a poll of its initializer begins. `SeqCst`, here and below: the poll sees every question asked by
    /// then, and a future that sees the end of the poll sees everything that the poll told the graph.
    pub(crate) fn begin_poll(&self, waker: &Waker) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let mut own = self.waker.lock();
        if !own.as_ref().is_some_and(|own| own.will_wake(waker)) {
            let replaced = own.replace(waker.clone());
            drop(own);
            drop(replaced);
        }
    }

    /// Records that the poll has ended.
    pub(crate) fn end_poll(&self) {
        self.polled.fetch_add(1, Ordering::SeqCst);
    }

    /// Sets the outcome, unless there is one.
    pub(crate) fn resolve(&self, outcome: Outcome) {
        self.outcome.lock().get_or_insert(outcome);
        self.ended.notify_all();
        self.woken.notify_waiters();
    }

    pub(crate) fn node(self: &Arc<Self>) -> Node {
        Node::of(self)
    }

    pub(crate) fn wait_blocking(self: &Arc<Self>, graph: &Arc<WaitGraph>) -> Outcome {
        let _edge = graph.wait_for(self.node())?;
        wait_for(&self.ended, self.outcome.lock(), |outcome| outcome.clone())
    }

    pub(crate) async fn wait(self: &Arc<Self>, graph: &Arc<WaitGraph>) -> Outcome {
        let node = self.node();
        let mut edge = MovingEdge::default();
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            woken.as_mut().enable();
            if let Some(outcome) = self.outcome.lock().clone() {
                return outcome;
            }
            // At each poll, since the future may have started outside the initializer that awaits it now.
            poll_fn(|cx| {
                if woken.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                match edge.move_here(graph, &node) {
                    Ok(true) => Poll::Pending,
                    Ok(false) => {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Err(error) => Poll::Ready(Err(error)),
                }
            })
            .await?;
        }
    }
}

impl Waited for Creation {
    fn polls(&self) -> Option<(u64, u64)> {
        let polls = || {
            let ended = self.polled.load(Ordering::SeqCst);
            (self.begun.load(Ordering::SeqCst), ended)
        };
        (!self.is_sync()).then(polls)
    }

    fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn asks(&self) -> u64 {
        self.asks.load(Ordering::SeqCst)
    }

    fn ask(&self) -> u64 {
        let number = self.asks.fetch_add(1, Ordering::SeqCst) + 1;
        // The waker of a waiter may panic.
        let woken = caught(|| {
            self.woken.notify_waiters();
            Ok(())
        });
        if let Err(trouble) = woken {
            tracing::error!(%trouble, "a task could not be woken");
        }
        number
    }
}
