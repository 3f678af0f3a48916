//! A limit of so many per time.
//!
//! It counts on tokio's clock, as sessions do, so tests can pause it. The crates for this count on a clock of their own:
//! an adapter would be longer than the bucket.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// A bucket of permits. It is full at first, and one permit comes back per period.
#[derive(Debug)]
pub(crate) struct Bucket {
    size: u32,
    period: Duration,
    /// The time at which it is full again; it is full if that has passed.
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    pub(crate) const fn new(size: u32, period: Duration) -> Self {
        Self {
            size,
            period,
            full_at: Mutex::new(None),
        }
    }

    /// Takes a permit.
    ///
    /// # Errors
    ///
    /// The time after which there is one again, if there is none. Nothing has changed then.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().expect("nothing panics under it");
        let then = full_at.map_or(now, |full_at| full_at.max(now)) + self.period;
        match (then - now).checked_sub(self.period * self.size) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = Some(then);
                Ok(())
            }
        }
    }

    /// Returns a permit that was taken.
    pub(crate) fn put_back(&self) {
        let mut full_at = self.full_at.lock().expect("nothing panics under it");
        *full_at = full_at.and_then(|full_at| full_at.checked_sub(self.period));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_then_one_per_period() {
        let bucket = Bucket::new(3, 10 * SECOND);
        for _ in 0..3 {
            assert_eq!(bucket.take(), Ok(()));
        }
        assert_eq!(bucket.take(), Err(10 * SECOND));
        advance(4 * SECOND).await;
        assert_eq!(bucket.take(), Err(6 * SECOND), "a refusal costs nothing");
        advance(6 * SECOND).await;
        assert_eq!(bucket.take(), Ok(()));
        assert_eq!(bucket.take(), Err(10 * SECOND));
        // However long it is left alone, it holds no more than fit.
        advance(1000 * SECOND).await;
        assert_eq!(
            [(); 4].map(|()| bucket.take().is_ok()),
            [true, true, true, false]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_is_put_back_can_be_taken_again() {
        let bucket = Bucket::new(1, SECOND);
        for _ in 0..3 {
            assert_eq!(bucket.take(), Ok(()));
            bucket.put_back();
        }
        assert_eq!(bucket.take(), Ok(()));
        assert!(bucket.take().is_err());
    }
}
