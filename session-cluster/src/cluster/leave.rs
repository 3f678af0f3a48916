//! The end of a node's membership.

use std::time::Duration;

use session_core::ShutdownReport;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cluster::{Cluster, Command};
use crate::directory::DirectoryError;
use crate::view::Mode;

/// The outcome of [`Cluster::leave`].
#[derive(Debug)]
#[non_exhaustive]
pub struct LeaveReport {
    /// Whether all sessions had ended by themselves before the time was up.
    pub is_drained: bool,
    /// The shutdown of the sessions that were left.
    pub shutdown: ShutdownReport,
    /// An error if the store does not know that the node has left: then its visitors get 503 until the others have given
    /// it up, a little longer than a lease.
    pub farewell: Result<(), DirectoryError>,
}

impl Cluster {
    /// Starts to drain: the node creates no new sessions, and its own ones go on, from whichever node their requests come.
    ///
    /// At once the node is not [ready](Self::is_ready), and sends strangers to a node that does not drain. 200
    /// milliseconds later, when the others know, it [refuses](session_core::SessionManager::drain) to create sessions.
    /// There is no way back.
    pub fn drain(&self) {
        self.shared.view.set_mode(Mode::Draining);
        // Without a keeper the manager is told by `leave`.
        let _ = self.shared.commands.send(Command::Drain);
    }

    /// Leaves the cluster: [drains](Self::drain) until no session is left, but not for longer than `drain`;
    /// [shuts the sessions down](session_core::SessionManager::shutdown), with `shutdown` as its timeout; and
    /// writes the verdict on its own tag, so that its visitors are strangers to the other nodes at once.
    ///
    /// From then on the node only forwards. So keep the server listening until this returns, and stop it then. The report of
    /// `session_axum::serve` counts no sessions after this, since they have ended: log this one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_cluster::{Cluster, InProcessDirectory};
    /// # use session_core::LocalSession;
    /// # use std::time::Duration;
    /// # let sessions = session_core::SessionManager::builder().build()?;
    /// # let cluster = Cluster::builder(sessions.clone(), InProcessDirectory::new())
    /// #     .address("10.0.0.7:8080".parse()?).secret([7; 32]).join().await?;
    /// let session = sessions.create()?;
    /// // Long enough for most visitors to finish, short enough for a deployment.
    /// let left = cluster.leave(Duration::from_secs(20 * 60), Duration::from_secs(10)).await;
    /// assert!(!left.is_drained && left.shutdown.is_clean() && left.farewell.is_ok());
    /// assert!(session.is_completed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// The steps that have begun go on: the node drains from the first poll, and sessions that are being shut down end. The
    /// next step is missing then, and another call takes it.
    pub async fn leave(&self, drain: Duration, shutdown: Duration) -> LeaveReport {
        let sessions = &self.shared.sessions;
        self.drain();
        let is_drained = timeout(drain, sessions.drained()).await.is_ok();
        let shutdown = sessions.shutdown(shutdown).await;
        let (reply, farewell) = oneshot::channel();
        let _ = self.shared.commands.send(Command::Leave { reply });
        let farewell = farewell
            .await
            .unwrap_or_else(|_| Err(DirectoryError::new("the node's keeper has ended")));
        LeaveReport {
            is_drained,
            shutdown,
            farewell,
        }
    }
}
