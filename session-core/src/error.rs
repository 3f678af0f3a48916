//! The errors: a small type per operation.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The error of an initializer that may fail.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The session or group has completed: it takes nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnded;

impl fmt::Display for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session or group has ended")
    }
}

impl Error for SessionEnded {}

/// A value was not accepted; this error hands it back.
#[non_exhaustive]
pub enum Refused<T> {
    /// The session has completed.
    SessionEnded(T),
    /// A value is already present. An entry of the dictionary can be replaced. A cell is set once, so a value that
    /// changes goes into an `Exclusive` or has its own lock. An `Exclusive` is set again once it is discarded.
    AlreadyPresent(T),
    /// An initializer is creating the property right now.
    BeingCreated(T),
    /// The value before it has been [discarded](crate::ExclusiveGuard::discard), and its close hook is running.
    BeingClosed(T),
}

impl<T> Refused<T> {
    /// Returns the value that was not accepted.
    pub fn into_value(self) -> T {
        match self {
            Self::SessionEnded(value)
            | Self::AlreadyPresent(value)
            | Self::BeingCreated(value)
            | Self::BeingClosed(value) => value,
        }
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Refused<U> {
        match self {
            Self::SessionEnded(value) => Refused::SessionEnded(f(value)),
            Self::AlreadyPresent(value) => Refused::AlreadyPresent(f(value)),
            Self::BeingCreated(value) => Refused::BeingCreated(f(value)),
            Self::BeingClosed(value) => Refused::BeingClosed(f(value)),
        }
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SessionEnded(_) => "SessionEnded(..)",
            Self::AlreadyPresent(_) => "AlreadyPresent(..)",
            Self::BeingCreated(_) => "BeingCreated(..)",
            Self::BeingClosed(_) => "BeingClosed(..)",
        })
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SessionEnded(_) => "the value was refused: the session or group has ended",
            Self::AlreadyPresent(_) => "the value was refused: the property is already present",
            Self::BeingCreated(_) => "the value was refused: the property is being created",
            Self::BeingClosed(_) => "the value was refused: the one before it is being closed",
        })
    }
}

impl<T> Error for Refused<T> {}

/// A property is not available.
///
/// It is `Clone`, since all callers that waited for one initializer get the same error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PropertyError {
    /// The session has completed, and the property would have to be created or lent.
    SessionEnded,
    /// Its initializer failed with this error; the next caller tries again.
    Failed(Arc<dyn Error + Send + Sync>),
    /// Its initializer panicked with this message; the next caller tries again.
    Panicked(Arc<str>),
    /// Its initializer would, directly or through others, wait for itself.
    Cycle,
    /// An async initializer is creating it, and a sync caller can't wait for that.
    BeingCreated,
    /// It was lent to another caller for the whole lend timeout.
    Busy,
}

impl PropertyError {
    /// Returns the initializer's error, if it is an `E`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{LocalSession, PropertyKey, SessionManager};
    /// use std::num::ParseIntError;
    ///
    /// const PORT: PropertyKey<u16> = PropertyKey::new("port");
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// let error = session.properties().get_or_try_init(&PORT, || "x".parse()).unwrap_err();
    /// assert!(error.downcast_ref::<ParseIntError>().is_some());
    /// # Ok(()) }
    /// ```
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Failed(cause) => cause.downcast_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionEnded => SessionEnded.fmt(f),
            Self::Failed(_) => f.write_str("the property's initializer failed"),
            Self::Panicked(message) => write!(f, "the property's initializer panicked: {message}"),
            Self::Cycle => f.write_str("the property's initializer waits for itself"),
            Self::BeingCreated => {
                f.write_str("the property is being created by an async initializer")
            }
            Self::Busy => f.write_str("the property is lent to another caller"),
        }
    }
}

impl Error for PropertyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<SessionEnded> for PropertyError {
    fn from(SessionEnded: SessionEnded) -> Self {
        Self::SessionEnded
    }
}

/// A property set is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PropsError {
    /// The session has completed, and the set does not exist.
    SessionEnded,
    /// The set's initializers need a state of this type, and the manager was built with another or with none.
    MissingState(&'static str),
}

impl fmt::Display for PropsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionEnded => SessionEnded.fmt(f),
            Self::MissingState(state) => write!(
                f,
                "the property set needs a state of type `{state}`: set one with `SessionManager::builder().state(..)`"
            ),
        }
    }
}

impl Error for PropsError {}

impl From<SessionEnded> for PropsError {
    fn from(SessionEnded: SessionEnded) -> Self {
        Self::SessionEnded
    }
}

/// The id of a request does not let it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotLive {
    /// The id was taken from its client a moment ago, by a log-in or a log-out, and the client may not know
    /// it yet. The client is not new: creating a session for this request would undo the log-in or log-out.
    Superseded,
    /// No live session has the id: it was made up, or its session has ended.
    Unknown,
}

impl fmt::Display for NotLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superseded => "the session id was replaced a moment ago",
            Self::Unknown => "no live session has this id",
        })
    }
}

impl Error for NotLive {}

/// A request could not change or end its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CycleError {
    /// The session has completed.
    SessionEnded,
    /// Another request has changed the id since this one came in, so this one is no longer the session's:
    /// see [`RequestGuard::is_parted`](crate::RequestGuard::is_parted).
    Parted,
    /// At a log-in: as many sessions are active in the group as the manager allows in one.
    Full,
}

impl fmt::Display for CycleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionEnded => SessionEnded.fmt(f),
            Self::Parted => f.write_str("another request has changed the id of the session"),
            Self::Full => GroupFull.fmt(f),
        }
    }
}

impl Error for CycleError {}

/// A session could not join a group. It stays in its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The session has completed.
    SessionEnded,
    /// As many sessions are active in the group as the manager allows in one.
    Full,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionEnded => SessionEnded.fmt(f),
            Self::Full => GroupFull.fmt(f),
        }
    }
}

impl Error for JoinError {}

/// A group has as many active sessions as it may have.
#[derive(Debug)]
pub(crate) struct GroupFull;

impl fmt::Display for GroupFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group is full")
    }
}

impl From<GroupFull> for JoinError {
    fn from(_: GroupFull) -> Self {
        Self::Full
    }
}

impl From<GroupFull> for CycleError {
    fn from(_: GroupFull) -> Self {
        Self::Full
    }
}

impl From<GroupFull> for CreateError {
    fn from(_: GroupFull) -> Self {
        Self::Full
    }
}

/// A session could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// As many sessions as the manager allows are active, or in cleanup; or as many are active in the group as the
    /// manager allows in one.
    Full,
    /// The manager takes no new sessions, see [`SessionManager::drain`](crate::SessionManager::drain).
    Draining,
    /// The manager is shutting down.
    ShuttingDown,
    /// The key was taken from its session a moment ago, by [`Session::rekey`](crate::Session::rekey), and a caller that
    /// still presents it is not a new one.
    KeySuperseded,
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the session manager or the group is full",
            Self::Draining => "the session manager takes no new sessions",
            Self::ShuttingDown => "the session manager is shutting down",
            Self::KeySuperseded => "the key was taken from its session a moment ago",
        })
    }
}

impl Error for CreateError {}

/// The key of a session could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RekeyError {
    /// The session has completed.
    SessionEnded,
    /// Another live session has the key.
    InUse,
    /// The key was taken from its session a moment ago.
    Superseded,
}

impl fmt::Display for RekeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionEnded => SessionEnded.fmt(f),
            Self::InUse => f.write_str("another live session has the key"),
            Self::Superseded => CreateError::KeySuperseded.fmt(f),
        }
    }
}

impl Error for RekeyError {}

/// A manager could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// `build()` was called outside a tokio runtime, and none was set with `runtime(..)`.
    NoRuntime,
    /// This setting must be more than zero.
    Zero(&'static str),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuntime => f.write_str(
                "no tokio runtime: call `build()` inside one, or set one with `runtime(handle)`",
            ),
            Self::Zero(setting) => write!(f, "`{setting}` must be more than zero"),
        }
    }
}

impl Error for BuildError {}
