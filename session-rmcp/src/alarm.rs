//! Panics of handlers: rmcp then neither answers the call nor tells its transport.

use std::sync::Arc;
use std::thread;

use rmcp::model::RequestId;
use tokio::task;

use crate::outbox::Outbox;

/// Part of what a handler has of its call. If a panic of the handler drops it, the transport answers the call.
#[derive(Clone)]
pub(crate) struct Alarm {
    outbox: Arc<Outbox>,
    request: RequestId,
    /// The task whose panics count; `None` for that of whichever drops it.
    task: Option<task::Id>,
}

impl Alarm {
    pub(crate) fn new(outbox: Arc<Outbox>, request: RequestId) -> Self {
        Self {
            outbox,
            request,
            task: None,
        }
    }

    /// Returns one for the handler's task, which is the current one: another to which the handler hands it may panic
    /// while the handler goes on.
    pub(crate) fn of_this_task(&self) -> Self {
        Self {
            outbox: self.outbox.clone(),
            request: self.request.clone(),
            task: task::try_id(),
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let is_handler = |task| task::try_id() == Some(task);
        if thread::panicking() && self.task.is_none_or(is_handler) {
            self.outbox.panicked(self.request.clone());
        }
    }
}
