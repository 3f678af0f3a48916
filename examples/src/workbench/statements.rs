//! The running statements. All share SQLite's memory: when a statement that has just begun finds none, the one that has
//! run longest is stopped.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::ErrorCode;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A statement that has run for longer than this is not helped to memory: it may be the one that holds it all.
const YOUNG: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub(crate) struct Statements {
    running: Mutex<Vec<Arc<Statement>>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Statement {
    began: Instant,
    stop: CancellationToken,
    crowded_out: CancellationToken,
}

/// A running statement, until this is dropped.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    all: &'a Statements,
    own: Arc<Statement>,
}

impl Statements {
    /// Registers a statement, which this token stops.
    pub(crate) fn begin(&self, stop: CancellationToken) -> Running<'_> {
        let own = Arc::new(Statement {
            began: Instant::now(),
            stop,
            crowded_out: CancellationToken::new(),
        });
        self.lock().push(Arc::clone(&own));
        Running { all: self, own }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Statement>>> {
        self.running.lock().expect("no holder panics")
    }
}

impl Running<'_> {
    /// Runs a step that may find no memory, and stops other statements as long as it finds none. Blocks.
    pub(crate) fn with_room<T>(
        &self,
        mut work: impl FnMut() -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        loop {
            match work() {
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::OutOfMemory)
                        && self.stop_the_longest() => {}
                done => return done,
            }
        }
    }

    /// Stops the statement that has run longest, and waits for its end. Returns `false` if none has run longer, or if
    /// this one has run for long itself.
    fn stop_the_longest(&self) -> bool {
        let patience = YOUNG.saturating_sub(self.own.began.elapsed());
        let running = self.all.lock();
        let longest = running.iter().min_by_key(|statement| statement.began);
        let longest = longest
            .filter(|longest| !Arc::ptr_eq(longest, &self.own))
            .cloned();
        let Some(longest) = longest.filter(|_| !patience.is_zero()) else {
            return false;
        };
        longest.crowded_out.cancel();
        longest.stop.cancel();
        let runs = |running: &mut Vec<_>| running.iter().any(|one| Arc::ptr_eq(one, &longest));
        let waited = self.all.ended.wait_timeout_while(running, patience, runs);
        drop(waited.expect("no holder panics"));
        true
    }

    /// Whether it was stopped because another statement found no memory.
    pub(crate) fn was_crowded_out(&self) -> bool {
        self.own.crowded_out.is_cancelled()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.all.lock().retain(|one| !Arc::ptr_eq(one, &self.own));
        self.all.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Error::SqliteFailure;
    use rusqlite::ffi;

    use super::*;

    fn no_memory() -> rusqlite::Result<()> {
        Err(SqliteFailure(ffi::Error::new(ffi::SQLITE_NOMEM), None))
    }

    #[test]
    fn one_that_finds_no_memory_stops_the_one_that_has_run_longest() {
        let statements = Statements::default();
        let [longer, long, own] = [(); 3].map(|()| CancellationToken::new());
        let longest = Mutex::new(Some(statements.begin(longer.clone())));
        let other = statements.begin(long.clone());
        let running = statements.begin(own.clone());
        let ended = || longest.lock().expect("no panic before this").take();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !longer.is_cancelled() {
                    std::thread::yield_now();
                }
                let ended = ended().expect("it runs until now");
                assert!(ended.was_crowded_out());
            });
            let done = running.with_room(|| {
                let has_ended = longest.lock().expect("no panic before this").is_none();
                if has_ended { Ok(()) } else { no_memory() }
            });
            assert_eq!(done, Ok(()));
        });
        assert!(!other.was_crowded_out() && !long.is_cancelled() && !own.is_cancelled());
    }

    #[test]
    fn the_one_that_has_run_longest_stops_none() {
        let statements = Statements::default();
        let [first, second] = [(); 2].map(|()| CancellationToken::new());
        let running = statements.begin(first);
        let _other = statements.begin(second.clone());
        assert!(running.with_room(no_memory).is_err());
        assert!(!second.is_cancelled());
    }
}
