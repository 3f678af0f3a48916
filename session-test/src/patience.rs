//! Waits with an end: a test that waits for something that does not come is to fail, and say so.

use std::time::Duration;

use tokio::time::Instant;

/// The limit in real time. Longer than the drain and close timeouts of a manager's default settings together.
const REAL: Duration = Duration::from_secs(60);

/// The limit in paused time, which passes at once when nothing else happens.
const PAUSED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Waits for the future, up to the limit, which it returns otherwise.
pub(crate) async fn within<F: Future>(future: F) -> Result<F::Output, Duration> {
    let limit = if is_paused() { PAUSED } else { REAL };
    let output = tokio::time::timeout(limit, future).await;
    output.map_err(|_| limit)
}

/// Tokio does not tell whether its time is paused, but then it does not pass beside the machine's.
fn is_paused() -> bool {
    let tokio = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "compared with tokio's")]
    let real = std::time::Instant::now();
    while real.elapsed().is_zero() {
        std::hint::spin_loop();
    }
    tokio.elapsed().is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn paused_time_is_told_from_real_time() {
        for _ in 0..100 {
            assert!(!is_paused());
            tokio::time::pause();
            assert!(is_paused());
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(is_paused());
            tokio::time::resume();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_has_an_end() {
        assert_eq!(within(std::future::pending::<()>()).await, Err(PAUSED));
        assert_eq!(within(async { 1 }).await, Ok(1));
    }
}
