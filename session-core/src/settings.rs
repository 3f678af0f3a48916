//! What a manager is set up with.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// What a manager does when it is asked for one session more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It refuses with [`CreateError::Full`](crate::CreateError::Full).
    Reject,
    /// It ends a session without activity: an anonymous one before one whose group the application named, and of either
    /// the one that has been idle longest. It refuses if there is none, and where an anonymous session is to be created
    /// it ends anonymous ones only: a flood of strangers never throws out a session whose group the application named.
    ///
    /// Found without going through all: what it looks at beyond the one that goes has been active since it was looked at
    /// last.
    EvictIdlest,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) lend_timeout: Duration,
    pub(crate) superseded_for: Duration,
    pub(crate) max_sessions: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) state: Option<Arc<dyn Any + Send + Sync>>,
}
