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

    /// Compares the times with each other. The error says what is wrong.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.store_timeout.is_zero() {
            return Err("the store's timeout must be more than zero");
        }
        // The questions of a node that is awake end within two periods of each other, even if another operation of the
        // store takes its whole timeout in between.
        if self.period <= 2 * self.store_timeout {
            return Err("the period must be longer than two timeouts of the store");
        }
        // So a node that misses two answers still holds its lease.
        if self.lease < 4 * self.period {
            return Err("the lease must be at least four periods long");
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
    }
}
