//! Who waits for whom among properties being created, so that an initialiser that would wait for itself is
//! told instead.
//!
//! Invariants:
//! 1. An edge `a -> b` stands while `a`'s initialiser waits for `b`, or runs it on its own thread.
//! 2. An edge that would close a ring is refused, under the lock that adds it: of two that close a ring
//!    together, the second is refused.
//! 3. Which initialiser is running is known per thread, for the length of its call or of each poll: its
//!    future may move between threads, and a task id would say nothing of joined futures.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::PropertyError;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// A property being created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node(u64);

/// The graph of one manager.
pub(crate) struct WaitGraph {
    next: AtomicU64,
    waits: Mutex<HashMap<Node, Vec<Node>>>,
}

crate::sync::thread_local! {
    /// The initialisers that run on this thread, the innermost last.
    #[allow(clippy::missing_const_for_thread_local, reason = "shuttle knows no such form")]
    static RUNNING: RefCell<Vec<(Arc<WaitGraph>, Node)>> = RefCell::new(Vec::new());
}

impl WaitGraph {
    pub(crate) fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            waits: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn node(&self) -> Node {
        // Relaxed: the numbers only have to differ.
        Node(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds the edge from the initialiser that runs on this thread, if one does.
    pub(crate) fn wait_for(self: &Arc<Self>, to: Node) -> Result<Option<Edge>, PropertyError> {
        let Some(from) = self.running() else {
            return Ok(None);
        };
        let mut waits = self.waits.lock();
        if reaches(&waits, to, from) {
            return Err(PropertyError::Cycle);
        }
        waits.entry(from).or_default().push(to);
        Ok(Some(Edge {
            graph: self.clone(),
            from,
            to,
        }))
    }

    fn running(self: &Arc<Self>) -> Option<Node> {
        // On a thread that is ending, with its locals gone, no initialiser runs.
        let own = RUNNING.try_with(|running| {
            let running = running.borrow();
            let own = running
                .iter()
                .rev()
                .find(|(graph, _)| Arc::ptr_eq(graph, self));
            own.map(|(_, node)| *node)
        });
        own.ok().flatten()
    }
}

fn reaches(waits: &HashMap<Node, Vec<Node>>, from: Node, to: Node) -> bool {
    let mut open = vec![from];
    let mut seen = HashSet::new();
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        if seen.insert(node) {
            open.extend(waits.get(&node).into_iter().flatten());
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
        let mut waits = self.graph.waits.lock();
        if let Some(targets) = waits.get_mut(&self.from) {
            if let Some(at) = targets.iter().position(|target| *target == self.to) {
                targets.swap_remove(at);
            }
            if targets.is_empty() {
                waits.remove(&self.from);
            }
        }
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
        let _running = Running::enter(this.graph, *this.node);
        this.future.poll(cx)
    }
}
