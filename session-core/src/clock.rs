//! tokio's clock, counted in ticks from a manager's start.

use std::time::Duration;

use crate::runtime::{Instant, Runtime, now};

/// Sixteen milliseconds: fine enough for timeouts, and 36 bits of them are thirty years.
const TICK_MILLIS: u128 = 16;

/// A time or a span, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticks(pub(crate) u64);

impl Ticks {
    /// The span, rounded up: nothing may end too early.
    pub(crate) fn of(span: Duration) -> Self {
        Self(
            u64::try_from(span.as_millis().div_ceil(TICK_MILLIS))
                .unwrap_or(u64::MAX)
                .min(1 << 36),
        )
    }

    /// The span from `earlier` until this time.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).saturating_mul(16))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// The clock of one manager.
pub(crate) struct Clock {
    start: Instant,
    runtime: Runtime,
}

impl Clock {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self {
            start: now(&runtime),
            runtime,
        }
    }

    pub(crate) fn instant(&self) -> Instant {
        now(&self.runtime)
    }

    /// The ticks that have begun, rounded up: the time to note for something that ends now.
    pub(crate) fn now(&self) -> Ticks {
        Ticks::of(self.instant().duration_since(self.start))
    }

    /// The ticks that are over, rounded down: the time to compare with.
    pub(crate) fn past(&self) -> Ticks {
        let millis = self.instant().duration_since(self.start).as_millis();
        Ticks(u64::try_from(millis / TICK_MILLIS).unwrap_or(u64::MAX))
    }

    /// When those ticks are over.
    pub(crate) fn when(&self, ticks: Ticks) -> Instant {
        self.start + Duration::from_millis(ticks.0.saturating_mul(16))
    }
}
