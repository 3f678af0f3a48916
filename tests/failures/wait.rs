//! Waiting for conditions, with a generous end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The lease of the nodes; all other times are told in multiples of it.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_millis(200);
pub(crate) const PATIENCE: Duration = Duration::from_millis(1_000);

/// The time after which a test stops to wait.
const GENEROUS: Duration = Duration::from_secs(30);

/// Waits until the condition holds; panics if it never does.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < GENEROUS, "this was waited for: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Prints a figure, for comparison with those of the design.
pub(crate) fn figure(row: &str, text: impl std::fmt::Display) {
    println!("figure: {row}: {text}");
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
