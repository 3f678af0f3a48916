//! Lifecycle events.

use std::fmt;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::cause::CompletionCause;
use crate::id::{GroupId, SessionId};
use crate::owner::OwnerRef;
use crate::report::CleanupReport;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The session that had this id at the time.
    Session(SessionId),
    /// A group; an anonymous one has no name.
    Group(Option<GroupId>),
}

impl Subject {
    pub(crate) fn of(owner: OwnerRef<'_>) -> Self {
        match owner {
            OwnerRef::Session(session) => Self::Session(session.id()),
            OwnerRef::Group(group) => Self::Group(group.id().cloned()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session {id:?}"),
            Self::Group(Some(id)) => write!(f, "group {id}"),
            Self::Group(None) => f.write_str("an anonymous group"),
        }
    }
}

/// Something in the life of a session or group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LifecycleEvent {
    /// It was created.
    Created(Subject),
    /// It completed, for this cause.
    Completed(Subject, CompletionCause),
    /// Its cleanup has ended, with this report.
    CleanedUp(Subject, CleanupReport),
}

/// A subscription to a manager's [`LifecycleEvent`]s: see [`SessionManager::subscribe`](crate::SessionManager::subscribe).
#[derive(Debug)]
pub struct LifecycleEvents(pub(crate) broadcast::Receiver<LifecycleEvent>);

impl LifecycleEvents {
    /// The next event; `None` once the manager and its sessions are gone.
    ///
    /// # Errors
    ///
    /// [`Missed`] with the number of events that were lost, if this subscriber fell too far behind: nobody
    /// waits for it. The events after those follow.
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

/// So many events were lost: the subscriber was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lifecycle events were missed", self.0)
    }
}

impl std::error::Error for Missed {}
