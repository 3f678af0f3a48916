//! A keeper that ends before its time, by a panic or with its runtime, is not silent.

use std::sync::Arc;

use crate::cluster::Shared;

pub(super) struct Closer {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Closer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let is_done = false;
        Self { shared, is_done }
    }

    /// The keeper has ended as it should.
    pub(super) fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.view.close();
            tracing::error!(
                address = %self.shared.address,
                panicked = std::thread::panicking(),
                "the keeper of the cluster membership has ended: the node serves no sessions any more, \
                 and the others give it up once its lease is over"
            );
        }
    }
}
