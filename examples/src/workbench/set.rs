//! What a visitor's session holds.

use session_core::{Exclusive, Property, SessionProperties};

use super::connection::{self, Connection};
use super::database::Database;
use super::runners::RunnerRegistry;

/// A visitor's workbench.
///
/// At the session's end its runners stop first: they are tasks of the session, and cleanup waits for those before
/// it closes anything. Then properties are closed, the last made first: the registry with its results, then the
/// connection, whose transaction is rolled back before.
#[derive(Debug, SessionProperties)]
#[session(state = Database)]
pub(crate) struct Workbench {
    /// The session's own connection: opened on first use, lent to one statement at a time, rolled back and closed
    /// when the session ends.
    #[property(try_async_init = connection::open, close = connection::close)]
    pub(crate) connection: Exclusive<Connection>,

    /// The queries it runs, and the last ones that ran.
    #[property(init = RunnerRegistry::new)]
    pub(crate) runners: Property<RunnerRegistry>,
}
