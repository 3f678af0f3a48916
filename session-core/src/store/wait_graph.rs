//! The waits among properties being created, so that an initializer that would wait for itself gets an error instead.
//!
//! Invariants:
//! 1. An edge `a -> b` stands from when `a`'s initializer begins to wait for `b`, or runs it on its own thread, until
//!    the future that waits has ended or is polled elsewhere. `a` may have gone on meanwhile and kept the future, so an
//!    edge alone does not say that `a` waits.
//! 2. An edge that would close a ring of waits is refused, under the lock that adds it, so of two that close a ring
//!    together the second is refused. Before that, the futures of the ring are woken: an initializer that is polled and
//!    does not poll its future does not wait for it.
//! 3. The running initializer is known per thread, for the length of its call or of each poll: its future may move
//!    between threads, and a task id would say nothing about joined futures. The record says nothing about another task
//!    that is polled within the initializer, by a runtime that it drives.
//! 4. Each manager has a graph of its own. An edge from one into another joins the two permanently, so a ring is in one
//!    graph. A graph is joined to one at a lower address, and two are locked in that order.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::error::PropertyError;
use crate::store::doubts::{Doubts, Ring};
use crate::store::node::Node;
use crate::sync::Mutex;

/// How often a future that would close a ring lets other tasks run, until it knows whether the others wait.
const MOST_TURNS: usize = 1_000;

pub(crate) struct WaitGraph(Mutex<State>);

enum State {
    Own(Waits),
    /// Its edges are in this graph.
    Joined(Arc<WaitGraph>),
}

type Waits = HashMap<Node, HashMap<Node, Wait>>;

/// The edges from one initializer to one property.
#[derive(Default)]
struct Wait {
    count: usize,
    /// How often the property's waiters had been asked when one of the edges was last polled by its initializer.
    seen: u64,
}

/// An initializer that runs on this thread.
#[derive(Clone)]
struct Initializer {
    graph: Arc<WaitGraph>,
    node: Node,
    task: Option<tokio::task::Id>,
}

crate::sync::thread_local! {
    /// The initializers that run on this thread, the innermost last.
    #[allow(clippy::missing_const_for_thread_local, reason = "shuttle does not have this form")]
    static RUNNING: RefCell<Vec<Initializer>> = RefCell::new(Vec::new());
}

/// Returns the initializer that runs on this thread, if any.
fn running() -> Option<Initializer> {
    // No initializer runs on a thread that is ending, with its thread-locals gone.
    let innermost = RUNNING.try_with(|running| running.borrow().last().cloned());
    let innermost = innermost.ok().flatten()?;
    let task = tokio::task::try_id();
    let other = task.is_some() && task != innermost.task;
    (!other).then_some(innermost)
}

impl WaitGraph {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Own(Waits::new())))
    }

    /// Adds the edge from the initializer that runs on this thread, if any, for a wait that blocks.
    pub(crate) fn wait_for(self: &Arc<Self>, to: Node) -> Result<Option<Edge>, PropertyError> {
        let from = running();
        let added = from.map(|from| self.add(from, to, &Doubts::default()));
        added.transpose().map_err(|_ring| PropertyError::Cycle)
    }

    fn add(self: &Arc<Self>, from: Initializer, to: Node, doubts: &Doubts) -> Result<Edge, Ring> {
        let Initializer {
            graph, node: from, ..
        } = from;
        graph.join(self);
        graph.with(|waits| {
            if let Some(ring) = path(waits, &to, &from, doubts) {
                return Err(ring);
            }
            let wait = waits.entry(from.clone()).or_default();
            let wait = wait.entry(to.clone()).or_default();
            wait.count += 1;
            wait.seen = to.0.asks();
            Ok(())
        })?;
        // A future that waits for this initializer may have moved to another one since its last poll. It is polled
        // where it is now, so that its edge moves.
        from.0.ask();
        Ok(Edge { graph, from, to })
    }

    /// Returns the graph that has this one's edges.
    fn root(self: &Arc<Self>) -> Arc<Self> {
        let mut root = self.clone();
        loop {
            let joined = match &*root.0.lock() {
                State::Own(_) => None,
                State::Joined(to) => Some(to.clone()),
            };
            match joined {
                Some(to) => root = to,
                None => return root,
            }
        }
    }

    fn with<R>(self: &Arc<Self>, look: impl FnOnce(&mut Waits) -> R) -> R {
        loop {
            // It may be joined to another graph before it is locked again.
            if let State::Own(waits) = &mut *self.root().0.lock() {
                return look(waits);
            }
        }
    }

    fn join(self: &Arc<Self>, other: &Arc<Self>) {
        loop {
            let (one, other) = (self.root(), other.root());
            if Arc::ptr_eq(&one, &other) {
                return;
            }
            let (lower, higher) = if Arc::as_ptr(&one) < Arc::as_ptr(&other) {
                (one, other)
            } else {
                (other, one)
            };
            let (mut to, mut from) = (lower.0.lock(), higher.0.lock());
            if let (State::Own(to), State::Own(moved)) = (&mut *to, &mut *from) {
                to.extend(moved.drain());
                *from = State::Joined(lower.clone());
                return;
            }
        }
    }
}

/// Returns the edges from one node to the other, except those by which nothing waits.
fn path(waits: &Waits, from: &Node, to: &Node, doubts: &Doubts) -> Option<Ring> {
    let mut open = vec![from];
    let mut seen = HashSet::from([from]);
    let mut came_by: HashMap<&Node, (&Node, u64)> = HashMap::new();
    while let Some(node) = open.pop() {
        if node == to {
            let mut ring = Vec::new();
            let mut node = node;
            while let Some((before, seen)) = came_by.get(node) {
                ring.push((Node::clone(before), Node::clone(node), *seen));
                node = *before;
            }
            return Some(ring);
        }
        for (next, wait) in waits.get(node).into_iter().flatten() {
            if !doubts.is_gone(node, next, wait.seen) && seen.insert(next) {
                came_by.insert(next, (node, wait.seen));
                open.push(next);
            }
        }
    }
    None
}

/// An edge of the graph, for as long as it stands.
pub(crate) struct Edge {
    graph: Arc<WaitGraph>,
    from: Node,
    to: Node,
}

impl Edge {
    /// Records that its future has been polled by its initializer again.
    fn is_seen(&self) {
        self.graph.with(|waits| {
            let wait = waits.get_mut(&self.from);
            if let Some(wait) = wait.and_then(|targets| targets.get_mut(&self.to)) {
                wait.seen = self.to.0.asks();
            }
        });
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.graph.with(|waits| {
            // This edge still holds the nodes removed here, so nothing is dropped under the lock.
            let Some(targets) = waits.get_mut(&self.from) else {
                return;
            };
            if let Some(wait) = targets.get_mut(&self.to) {
                wait.count -= 1;
                if wait.count == 0 {
                    targets.remove(&self.to);
                }
            }
            if targets.is_empty() {
                waits.remove(&self.from);
            }
        });
    }
}

/// The edge to a property that a future waits for. It starts at the initializer that polls the future, which may be a
/// different one each time.
#[derive(Default)]
pub(crate) struct MovingEdge {
    edge: Option<Edge>,
    doubts: Doubts,
    turns: usize,
}

impl MovingEdge {
    /// Moves the edge to the initializer that runs on this thread. Returns `false` if it has to be called again, after
    /// other tasks have run.
    pub(crate) fn move_here(
        &mut self,
        graph: &Arc<WaitGraph>,
        to: &Node,
    ) -> Result<bool, PropertyError> {
        let from = running();
        if let Some(edge) = &self.edge {
            if from.as_ref().is_some_and(|from| from.node == edge.from) {
                edge.is_seen();
                return Ok(true);
            }
            self.edge = None;
        }
        let Some(from) = from else {
            return Ok(true);
        };
        match graph.add(from, to.clone(), &self.doubts) {
            Ok(edge) => {
                *self = Self::default();
                self.edge = Some(edge);
                Ok(true)
            }
            Err(ring) => {
                self.turns += 1;
                if self.doubts.ask(ring) || self.turns > MOST_TURNS {
                    return Err(PropertyError::Cycle);
                }
                Ok(false)
            }
        }
    }
}

/// The scope in which an initializer runs on this thread.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn enter(graph: &Arc<WaitGraph>, node: Node) -> Self {
        let initializer = Initializer {
            graph: graph.clone(),
            node,
            task: tokio::task::try_id(),
        };
        // Once the thread-locals are gone the initializer is not tracked, and a cycle through it goes undetected. This
        // is rare enough.
        let _gone = RUNNING.try_with(|running| running.borrow_mut().push(initializer));
        Self(())
    }

    /// Runs `future` in that scope, poll by poll; `begin` is called before each, and `end` after it.
    pub(crate) fn during<F: Future, B: FnMut(&Waker), E: FnMut()>(
        graph: Arc<WaitGraph>,
        node: Node,
        begin: B,
        future: F,
        end: E,
    ) -> During<F, B, E> {
        During {
            future,
            graph,
            node,
            begin,
            end,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = RUNNING.try_with(|running| running.borrow_mut().pop());
        drop(ended);
    }
}

pin_project! {
    /// A future in an initializer's scope.
    pub(crate) struct During<F, B, E> {
        #[pin]
        future: F,
        graph: Arc<WaitGraph>,
        node: Node,
        begin: B,
        end: E,
    }
}

impl<F: Future, B: FnMut(&Waker), E: FnMut()> Future for During<F, B, E> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        (this.begin)(cx.waker());
        let _running = Running::enter(this.graph, this.node.clone());
        let polled = this.future.poll(cx);
        (this.end)();
        polled
    }
}
