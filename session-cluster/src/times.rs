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

/// The fate of a node's sessions while the store does not answer, once the lease is over.
///
/// The same ones go on with the next answer, unless it says that the node was given up meanwhile: then all of them end
/// with [`CompletionCause::OwnershipLost`](session_core::CompletionCause::OwnershipLost), whatever is set here. In no
/// case is a session served by two nodes, since no other node can have its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenCutOff {
    /// Requests get 503; open streams and upgraded connections go on. So an outage of the store ends nothing, and a
    /// session that was ended on another node meanwhile is not served.
    #[default]
    Suspend,
    /// Requests are served as ever. So an outage of the store is not noticed. But until the node is back in touch and
    /// learns that it was given up, others may treat its visitors as strangers, and a session that was ended elsewhere is
    /// served for as long.
    Serve,
    /// The node resigns: all its sessions end with
    /// [`CompletionCause::OwnershipLost`](session_core::CompletionCause::OwnershipLost), at most one timeout of the store
    /// after the end of the lease. So what they hold outside, such as locks of a database, is released then.
    End,
}

/// Verdicts are kept for many times as long.
const LONGEST_LEASE: Duration = Duration::from_secs(60 * 60);

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
    /// The silence after which an observer takes a node for dead.
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

    /// Compares the times with each other. The error says what is wrong.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.store_timeout.is_zero() {
            return Err("the store's timeout must be more than zero");
        }
        // The questions of a node that is awake end within two periods of each other, even if another operation of the
        // store takes its whole timeout in between.
        if self.period / 2 <= self.store_timeout {
            return Err("the period must be longer than two timeouts of the store");
        }
        // So a node that misses two answers still holds its lease.
        if self.lease / 4 < self.period {
            return Err("the lease must be at least four periods long");
        }
        if self.lease > LONGEST_LEASE {
            return Err("the lease must be at most an hour long");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_do_not_fit_each_other_are_refused() {
        let default = Times::default();
        let with = |change: fn(&mut Times)| {
            let mut times = default;
            change(&mut times);
            times.check().is_ok()
        };
        assert!(with(|_| ()));
        assert!(with(|times| times.period = Duration::from_millis(4001)));
        assert!(!with(|times| times.period = Duration::from_secs(4)));
        assert!(with(|times| times.lease = Duration::from_secs(20)));
        assert!(!with(|times| times.lease = Duration::from_millis(19_999)));
        assert!(!with(|times| times.store_timeout = Duration::ZERO));
        assert!(with(|times| times.patience = Duration::ZERO));
        assert!(with(|times| times.lease = LONGEST_LEASE));
        assert!(!with(|times| times.lease = Duration::MAX));
        assert!(!with(|times| times.period = Duration::MAX));
        assert!(!with(|times| times.store_timeout = Duration::MAX));
        assert!(with(|times| times.patience = Duration::MAX));
    }
}
