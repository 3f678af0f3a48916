//! The objects that one client works with, in a session of the protocol or behind a handle.

use session_core::{Exclusive, Property, SessionProperties};

use super::Database;
use super::primes::Primes;
use super::transaction::Transaction;

/// A desk: a transaction, and a job in the background.
#[derive(SessionProperties)]
#[session(state = Database)]
pub(super) struct Desk {
    /// Begun on first use, lent to one call at a time, rolled back at the end.
    #[property(try_async_init = Transaction::begin, close = Transaction::roll_back)]
    pub(super) transaction: Exclusive<Transaction>,

    /// Started on first use, stopped at the end.
    #[property(try_init = Primes::start)]
    pub(super) primes: Property<Primes>,
}
