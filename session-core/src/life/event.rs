//! Lifecycle events.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::id::GroupId;
use crate::life::cause::CompletionCause;
use crate::sync::Mutex;
use crate::values::close::caught;
use crate::values::report::CleanupReport;

/// The session or group that an event or a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The session with this [serial](crate::LocalSession::serial).
    Session(u64),
    /// A group.
    #[non_exhaustive]
    Group {
        /// Its [serial](crate::LocalSession::serial).
        serial: u64,
        /// Its name; `None` for an anonymous one.
        id: Option<GroupId>,
    },
}

impl Subject {
    /// Returns the [serial](crate::LocalSession::serial) of the session or group.
    pub fn serial(&self) -> u64 {
        match self {
            Self::Session(serial) | Self::Group { serial, .. } => *serial,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(serial) => write!(f, "session {serial}"),
            Self::Group {
                serial,
                id: Some(id),
            } => write!(f, "group {id} ({serial})"),
            Self::Group { serial, id: None } => write!(f, "anonymous group {serial}"),
        }
    }
}

/// An event in the life of a session or group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LifecycleEvent {
    /// It was created.
    Created(Subject),
    /// It completed, for this cause and, if the call that completed it said one, for this
    /// [reason](crate::LocalSession::terminate_because).
    Completed(Subject, CompletionCause, Option<Arc<str>>),
    /// Its cleanup has ended, with this report.
    CleanedUp(Subject, CleanupReport),
}

/// The number of events that a subscriber may be behind.
const KEPT: usize = 1024;

/// The queue and the channel of a manager's events.
///
/// Events are recorded in the order in which things happen, under whatever lock that is, and delivered outside all
/// locks, since delivery wakes subscribers.
pub(crate) struct Events {
    sender: broadcast::Sender<LifecycleEvent>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<LifecycleEvent>,
    /// A thread is delivering, and goes on until the queue is empty.
    delivering: bool,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(KEPT),
            queue: Mutex::new(Queue::default()),
        }
    }

    pub(crate) fn subscribe(&self) -> LifecycleEvents {
        // Hold the lock until the receiver exists; otherwise a concurrent `subscribe` could clear events meant for it.
        let mut queue = self.queue.lock();
        if self.sender.receiver_count() == 0 {
            // Left over from a subscriber that went away, and not meant for this one.
            queue.events.clear();
        }
        LifecycleEvents(self.sender.subscribe())
    }

    pub(crate) fn record(&self, event: impl FnOnce() -> LifecycleEvent) {
        if self.sender.receiver_count() > 0 {
            let event = event();
            self.queue.lock().events.push_back(event);
        }
    }

    /// Delivers the recorded events. Call it outside all locks.
    pub(crate) fn deliver(&self) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        let mut queue = self.queue.lock();
        if std::mem::replace(&mut queue.delivering, true) {
            return;
        }
        while let Some(event) = queue.events.pop_front() {
            drop(queue);
            // The last receiver may have gone meanwhile. If a waker panics, the others still receive the rest.
            let sent = caught(|| {
                let _ = self.sender.send(event);
                Ok(())
            });
            if let Err(trouble) = sent {
                tracing::error!(%trouble, "a subscriber could not be woken");
            }
            queue = self.queue.lock();
        }
        queue.delivering = false;
    }
}

/// A subscription to a manager's [`LifecycleEvent`]s: see
/// [`SessionManager::subscribe`](crate::SessionManager::subscribe).
#[derive(Debug)]
pub struct LifecycleEvents(pub(crate) broadcast::Receiver<LifecycleEvent>);

impl LifecycleEvents {
    /// Returns the next event; `None` once the manager and its sessions are gone.
    ///
    /// # Errors
    ///
    /// [`Missed`] with the number of events that were lost, if this subscriber fell too far behind: nothing waits for
    /// it. The events after the lost ones follow.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<LifecycleEvent, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(count)) => Some(Err(Missed(count))),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The number of events that were lost because the subscriber was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lifecycle events were missed", self.0)
    }
}

impl std::error::Error for Missed {}
