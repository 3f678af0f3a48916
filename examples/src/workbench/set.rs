//! The contents of a visitor's session.

use session_core::{Exclusive, Property, SessionProperties};

use super::connection::{self, Connection};
use super::database::Database;
use super::runners::RunnerRegistry;

/// A visitor's workbench.
///
/// At the session's end its runners stop first: they are tasks of the session, and cleanup waits for those before
/// it closes anything. Then the properties are closed, the last created first. The registry goes with its results, then
/// the connection, after its transaction is rolled back.
#[derive(Debug, SessionProperties)]
#[session(state = Database)]
pub(crate) struct Workbench {
    /// The session's own connection: opened on first use, lent to one statement at a time, rolled back and closed
    /// when the session ends.
    #[property(try_async_init = connection::open, close = connection::close)]
    pub(crate) connection: Exclusive<Connection>,

    /// The queries that it is running, and the last ones that ran.
    #[property(init = RunnerRegistry::new)]
    pub(crate) runners: Property<RunnerRegistry>,
}
