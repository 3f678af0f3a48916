//! tokio's clock, counted in ticks from a manager's start.

use std::time::Duration;

use crate::sync::runtime::{Instant, Runtime, now};

/// Sixteen milliseconds: fine enough for timeouts, and 36 bits of such ticks are thirty years.
const TICK_NANOS: u64 = 16_000_000;

/// A time that never comes.
const FAR: u64 = 1 << 36;

/// Returns the span in nanoseconds, of which 64 bits hold five hundred years.
fn nanos(span: Duration) -> u64 {
    let whole = span.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(span.subsec_nanos()))
}

/// A time or a span, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticks(pub(crate) u64);

impl Ticks {
    /// Returns the span, rounded up, because nothing may end too early.
    pub(crate) fn of(span: Duration) -> Self {
        Self(nanos(span).div_ceil(TICK_NANOS).min(FAR))
    }

    /// Returns the span from `earlier` until this time.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Self(self.0.saturating_sub(earlier.0)).span()
    }

    fn span(self) -> Duration {
        // The nanoseconds of 36 bits of ticks fit into 64.
        Duration::from_nanos(self.0.min(FAR) * TICK_NANOS)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

/// A span, or none, in five bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct SmallSpan([u8; 5]);

impl SmallSpan {
    pub(crate) fn new(span: Ticks) -> Self {
        // Zero is none. The longest span has 37 bits.
        let [bytes @ .., _, _, _] = (span.0.min(FAR) + 1).to_le_bytes();
        Self(bytes)
    }

    pub(crate) fn get(self) -> Option<Ticks> {
        let mut bytes = [0; 8];
        bytes[..5].copy_from_slice(&self.0);
        u64::from_le_bytes(bytes).checked_sub(1).map(Ticks)
    }
}

/// The clock of one manager.
#[derive(Clone)]
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

    fn elapsed(&self) -> Duration {
        now(&self.runtime).duration_since(self.start)
    }

    /// Returns the nanoseconds since the start.
    pub(crate) fn nanos(&self) -> u64 {
        nanos(self.elapsed())
    }

    /// Returns the ticks that have begun, rounded up: the time to note for something that ends now.
    pub(crate) fn now(&self) -> Ticks {
        Ticks::of(self.elapsed())
    }

    /// Returns the ticks that are over, rounded down: the time to compare with.
    pub(crate) fn past(&self) -> Ticks {
        let past = self.nanos() / TICK_NANOS;
        Ticks(past.min(FAR))
    }

    /// Returns the span from now until these ticks are over.
    pub(crate) fn until(&self, ticks: Ticks) -> Duration {
        ticks.span().saturating_sub(self.elapsed())
    }

    /// Returns the instant at which these ticks are over.
    pub(crate) fn when(&self, ticks: Ticks) -> Instant {
        self.start + ticks.span()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r07_a_span_is_never_rounded_down() {
        assert_eq!(Ticks::of(Duration::from_nanos(1)), Ticks(1));
        assert_eq!(Ticks::of(Duration::from_micros(32_999)), Ticks(3));
        assert_eq!(Ticks::of(Duration::from_millis(32)), Ticks(2));
        assert_eq!(Ticks::of(Duration::MAX), Ticks(FAR));
    }

    #[test]
    fn r24_a_small_span_is_the_same_span_or_none() {
        assert_eq!(SmallSpan::default().get(), None);
        for ticks in [0, 1, 255, 1 << 20, FAR - 1, FAR] {
            assert_eq!(SmallSpan::new(Ticks(ticks)).get(), Some(Ticks(ticks)));
        }
    }

    #[test]
    fn r07_a_long_span_is_as_long_as_it_was() {
        let span = Duration::from_secs(20 * 365 * 24 * 3600);
        assert_eq!(Ticks::of(span).span(), span);
    }
}
