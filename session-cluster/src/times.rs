//! The times of the protocol.

use std::time::Duration;

/// The times that a cluster keeps to. All its nodes have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// The time for which a node may act after it sent its last answered renewal.
    pub(crate) lease: Duration,
    /// The time from one renewal to the next.
    pub(crate) period: Duration,
    /// The time that the store has for an answer.
    pub(crate) store_timeout: Duration,
    /// The time that a request waits for one.
    pub(crate) patience: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            period: Duration::from_secs(5),
            store_timeout: Duration::from_secs(2),
            patience: Duration::from_secs(2),
        }
    }
}

impl Times {
    /// The silence after which an observer gives a node up.
    pub(crate) fn silence(&self) -> Duration {
        self.lease + self.lease / 10
    }
}
