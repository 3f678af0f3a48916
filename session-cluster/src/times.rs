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

/// The policy of a node whose lease is over because the store does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenCutOff {
    /// It refuses requests until it is back in touch. Its sessions go on then, unless the node was given up.
    #[default]
    Suspend,
    /// It serves on. Until it is back in touch and learns that it was given up, others may treat its visitors as strangers,
    /// and a session that was ended elsewhere is served for as long.
    Serve,
    /// It gives itself up: all its sessions end, as lost.
    End,
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

    /// The time without a question after which a node was asleep.
    pub(crate) fn asleep(&self) -> Duration {
        2 * self.period
    }

    /// The time without an answer after which an observer starts anew.
    pub(crate) fn gap(&self) -> Duration {
        3 * self.period
    }
}
