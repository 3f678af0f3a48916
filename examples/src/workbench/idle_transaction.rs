//! The rollback of a transaction that is open and idle while others wait for its end. Its session is told.

use std::time::Duration;

use session_axum::Props;
use tokio::time::sleep;

use super::blocking;
use super::set::Workbench;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Watches the transaction that this query has left open, until it ends or another query starts.
pub(crate) async fn watch(workbench: &Props<Workbench>, query: u64, patience: Duration) {
    let Some(runners) = workbench.runners.get() else {
        return;
    };
    sleep(patience).await;
    while runners.in_transaction() && runners.latest() == query {
        // While the list of tables uses the connection, the transaction stays a little longer.
        if let Some(mut connection) = workbench.connection.try_lock()
            && runners.latest() == query
        {
            let rolled_back = blocking(move || connection.roll_back_for_others());
            match rolled_back.await {
                Ok(true) => runners.set_rolled_back(),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "a transaction could not be rolled back"),
            }
        }
        sleep(LOOK_EVERY).await;
    }
}
