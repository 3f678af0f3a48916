//! A property being created, as the graph of waits sees it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(crate) trait Waited: Send + Sync {
    /// How many polls of its initializer have begun and ended; `None` if it runs on its caller's thread.
    fn polls(&self) -> Option<(u64, u64)>;

    /// Wakes its initializer's task, so that it is polled.
    fn wake(&self);

    /// How often its waiters have been asked whether they wait.
    fn asks(&self) -> u64;

    /// Asks its waiters once more, by waking them. Returns the number of this question.
    fn ask(&self) -> u64;
}

/// A property being created, kept alive so that its address identifies it alone.
#[derive(Clone)]
pub(crate) struct Node(pub(super) Arc<dyn Waited>);

impl Node {
    pub(crate) fn of<T: Waited + 'static>(creation: &Arc<T>) -> Self {
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
