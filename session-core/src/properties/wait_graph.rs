//! The waits among properties being created, so that an initialiser that would wait for itself is told instead.
//!
//! Invariants:
//! 1. An edge `a -> b` stands while `a`'s initialiser waits for `b`, or runs it on its own thread.
//! 2. An edge that would close a ring is refused, under the lock that adds it: of two that close a ring
//!    together, the second is refused.
//! 3. Which initialiser is running is known per thread, for the length of its call or of each poll: its
//!    future may move between threads, and a task id would say nothing of joined futures.
//! 4. Each manager has a graph of its own. An edge from one into another joins the two for good, so a ring stands in one
//!    graph. A graph is joined to one at a lower address, and two are locked in that order.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::PropertyError;
use crate::sync::Mutex;

/// A property being created, kept so that its address stands for it alone.
#[derive(Clone)]
pub(crate) struct Node(Arc<dyn Send + Sync>);

impl Node {
    pub(crate) fn of<T: Send + Sync + 'static>(creation: &Arc<T>) -> Self {
        Self(creation.clone())
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

pub(crate) struct WaitGraph(Mutex<State>);

enum State {
    Own(Waits),
    /// Its edges are in this one.
    Joined(Arc<WaitGraph>),
}

type Waits = HashMap<Node, Vec<Node>>;

/// An initialiser, and the graph of its manager.
type Initialiser = (Arc<WaitGraph>, Node);

crate::sync::thread_local! {
    /// The initialisers that run on this thread, the innermost last.
    #[allow(clippy::missing_const_for_thread_local, reason = "shuttle knows no such form")]
    static RUNNING: RefCell<Vec<Initialiser>> = RefCell::new(Vec::new());
}

/// The initialiser that runs on this thread, if one does.
fn running() -> Option<Initialiser> {
    // On a thread that is ending, with its locals gone, no initialiser runs.
    let innermost = RUNNING.try_with(|running| running.borrow().last().cloned());
    innermost.ok().flatten()
}

impl WaitGraph {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Own(Waits::new())))
    }

    /// Adds the edge from the initialiser that runs on this thread, if one does.
    pub(crate) fn wait_for(self: &Arc<Self>, to: Node) -> Result<Option<Edge>, PropertyError> {
        let from = running();
        from.map(|from| self.add(from, to)).transpose()
    }

    fn add(self: &Arc<Self>, (graph, from): Initialiser, to: Node) -> Result<Edge, PropertyError> {
        graph.join(self);
        graph.with(|waits| {
            if reaches(waits, &to, &from) {
                return Err(PropertyError::Cycle);
            }
            waits.entry(from.clone()).or_default().push(to.clone());
            Ok(())
        })?;
        Ok(Edge { graph, from, to })
    }

    /// The graph that has this one's edges.
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
            // It may be joined to another before it is locked again.
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

fn reaches(waits: &Waits, from: &Node, to: &Node) -> bool {
    let mut open = vec![from];
    let mut seen = HashSet::new();
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        if seen.insert(node) {
            open.extend(waits.get(node).into_iter().flatten());
        }
    }
    false
}

/// An edge of the graph, for as long as it stands.
pub(crate) struct Edge {
    graph: Arc<WaitGraph>,
    from: Node,
    to: Node,
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.graph.with(|waits| {
            // The nodes that go here are this edge's own, so nothing is dropped under the lock.
            if let Some(targets) = waits.get_mut(&self.from) {
                if let Some(at) = targets.iter().position(|target| *target == self.to) {
                    targets.swap_remove(at);
                }
                if targets.is_empty() {
                    waits.remove(&self.from);
                }
            }
        });
    }
}

/// The edge to a property that a future waits for: from the initialiser that polls it, which may be another each time.
#[derive(Default)]
pub(crate) struct MovingEdge(Option<Edge>);

impl MovingEdge {
    /// Moves the edge to the initialiser that runs on this thread.
    pub(crate) fn move_here(
        &mut self,
        graph: &Arc<WaitGraph>,
        to: Node,
    ) -> Result<(), PropertyError> {
        let from = running();
        let stands = self.0.as_ref().map(|edge| &edge.from);
        if stands != from.as_ref().map(|(_, node)| node) {
            self.0 = None;
            self.0 = from.map(|from| graph.add(from, to)).transpose()?;
        }
        Ok(())
    }
}

/// The scope in which an initialiser runs on this thread.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn enter(graph: &Arc<WaitGraph>, node: Node) -> Self {
        // Without the thread's locals it runs unknown: it may then wait for itself unwarned, which is rare enough.
        let _gone = RUNNING.try_with(|running| running.borrow_mut().push((graph.clone(), node)));
        Self(())
    }

    /// Runs `future` in that scope, poll by poll.
    pub(crate) fn during<F: Future>(graph: Arc<WaitGraph>, node: Node, future: F) -> During<F> {
        During {
            future,
            graph,
            node,
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
    /// A future in an initialiser's scope.
    pub(crate) struct During<F> {
        #[pin]
        future: F,
        graph: Arc<WaitGraph>,
        node: Node,
    }
}

impl<F: Future> Future for During<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _running = Running::enter(this.graph, this.node.clone());
        this.future.poll(cx)
    }
}
