//! Counts of a manager.

/// What a manager counts: see [`SessionManager::stats`](crate::SessionManager::stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Active sessions.
    pub active: usize,
    /// Sessions that have completed and are not cleaned up yet.
    pub in_cleanup: usize,
    /// Named groups.
    pub groups: usize,
    /// Sessions created since the manager was built.
    pub created: u64,
}
