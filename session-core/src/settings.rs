//! The settings of a manager.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// The behavior of a manager or a group that is asked for one session more than its maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Refuses with [`CreateError::Full`](crate::CreateError::Full), or [`JoinError::Full`](crate::JoinError::Full).
    Reject,
    /// Ends a session without activity: an anonymous one before one whose group the application named, and of either
    /// kind the one that has been idle longest. Refuses if there is none. For a new anonymous session it ends only
    /// anonymous ones, so that a flood of new visitors never evicts a session whose group the application named.
    ///
    /// The search does not visit all sessions: besides the evicted one, it visits only sessions that have been active
    /// since they were last visited.
    ///
    /// Of a full group it ends the session that has been idle longest, or if none is idle the one that joined first:
    /// the newest log-in wins. This search visits the sessions of the group.
    EvictIdlest,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) unconfirmed_timeout: Option<Duration>,
    pub(crate) drain_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) lend_timeout: Duration,
    pub(crate) superseded_for: Duration,
    pub(crate) max_sessions: usize,
    pub(crate) when_full: WhenFull,
    /// Zero if groups do not linger.
    pub(crate) group_linger: Duration,
    /// The maximum of active sessions in a named group.
    pub(crate) max_per_group: Option<(usize, WhenFull)>,
    pub(crate) state: Option<Arc<dyn Any + Send + Sync>>,
}
