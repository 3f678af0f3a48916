//! A job in the background of a session: it counts primes until the session ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use session_core::{InitContext, LocalSession as _, SessionEnded};
use tokio::task::spawn_blocking;

use super::Database;

/// How many numbers are looked at in one go, between two looks at the session's end.
const SLICE: u64 = 10_000;

pub(super) struct Primes {
    below: Arc<AtomicU64>,
    found: Arc<AtomicU64>,
}

impl Primes {
    pub(super) fn start(cx: &InitContext<Database>) -> Result<Self, SessionEnded> {
        let primes = Self {
            below: Arc::default(),
            found: Arc::default(),
        };
        let (below, found) = (primes.below.clone(), primes.found.clone());
        let session = cx.session();
        let serial = session.serial();
        session.spawn(move |token| async move {
            while !token.is_cancelled() {
                let start = below.load(Ordering::Relaxed);
                let count = move || (start..start + SLICE).filter(|&n| is_prime(n)).count() as u64;
                found.fetch_add(spawn_blocking(count).await.unwrap_or(0), Ordering::Relaxed);
                below.store(start + SLICE, Ordering::Relaxed);
            }
            tracing::info!(session = serial, "job stopped");
        })?;
        Ok(primes)
    }

    pub(super) fn progress(&self) -> String {
        let (found, below) = (
            self.found.load(Ordering::Relaxed),
            self.below.load(Ordering::Relaxed),
        );
        format!("{found} primes below {below} so far")
    }
}

fn is_prime(number: u64) -> bool {
    number > 1 && !(2..=number.isqrt()).any(|divisor| number.is_multiple_of(divisor))
}
