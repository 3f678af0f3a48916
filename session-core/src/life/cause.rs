//! The cause for which a local session completed, and its reason in words.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The cause for which a session or a session group completed.
///
/// Each completes once, for one cause. If several causes race, one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompletionCause {
    /// [`terminate()`](crate::LocalSession::terminate) was called, on it or on its group.
    Terminated,
    /// There was no activity for the manager's idle timeout.
    IdleTimeout,
    /// The manager's absolute timeout had passed since its creation.
    AbsoluteTimeout,
    /// It made room for another session, in the manager or in its group: see [`WhenFull::EvictIdlest`](crate::WhenFull::EvictIdlest).
    Evicted,
    /// The manager was shut down, or its last clone was dropped.
    Shutdown,
    /// The manager was given another [tag](crate::NodeTag) than that of its id: see
    /// [`set_tag`](crate::SessionManager::set_tag).
    OwnershipLost,
    /// A group's last session left it or was cleaned up, and the group did not linger or has lingered long enough.
    LastSessionEnded,
}

impl fmt::Display for CompletionCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminated => "terminated",
            Self::IdleTimeout => "idle timeout",
            Self::AbsoluteTimeout => "absolute timeout",
            Self::Evicted => "evicted",
            Self::Shutdown => "shutdown",
            Self::OwnershipLost => "ownership lost",
            Self::LastSessionEnded => "last session ended",
        })
    }
}

/// The end of a session or group, as the call that completes it asks for it.
#[derive(Clone, Debug)]
pub struct Ending {
    pub(crate) cause: CompletionCause,
    /// The reason in words. One allocation for all sessions of a group that end with it, however long it is.
    pub(crate) reason: Option<Arc<str>>,
}

impl Ending {
    /// Terminates for this reason. An empty one is none.
    pub(crate) fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        let reason = reason.into();
        Self {
            cause: CompletionCause::Terminated,
            reason: (!reason.is_empty()).then(|| reason.into()),
        }
    }
}

impl From<CompletionCause> for Ending {
    fn from(cause: CompletionCause) -> Self {
        Self {
            cause,
            reason: None,
        }
    }
}
