//! Confirming a session: asking the store whether it should still go on.

use session_core::{LocalSession as _, Session};

use crate::cluster::Cluster;
use crate::cluster::error::ConfirmError;

impl Cluster {
    /// Asks the store whether this node still owns the session, and whether it was ended on another one. Calls at the
    /// same time share one operation of the store, and there are at most 10 a second.
    ///
    /// This is for an effect outside that must not come from a session that is over, such as the commit of a
    /// transaction by a process that has been stopped for a minute: call it right before. It narrows the gap and can't
    /// close it, because the process may be stopped again right after it. To close it, let the resource itself refuse a
    /// late effect, by an idempotency key or the id's tag.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_cluster::{Cluster, ConfirmError, InProcessDirectory};
    /// # use session_core::LocalSession;
    /// # let sessions = session_core::SessionManager::builder().build()?;
    /// # let cluster = Cluster::builder(sessions.clone(), InProcessDirectory::new())
    /// #     .address("10.0.0.7:8080".parse()?).secret([7; 32]).join().await?;
    /// let session = sessions.create()?;
    /// assert_eq!(cluster.confirm(&session).await, Ok(()));
    /// session.terminate();
    /// assert_eq!(cluster.confirm(&session).await, Err(ConfirmError::SessionEnded));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfirmError::SessionEnded`], and [`ConfirmError::Unsure`] if the store has not answered within the builder's
    /// [`patience`](crate::ClusterBuilder::patience).
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    pub async fn confirm(&self, session: &Session) -> Result<(), ConfirmError> {
        let view = &self.shared.view;
        let answer = view.answer(self.shared.times.patience).await;
        if session.is_completed() {
            return Err(ConfirmError::SessionEnded);
        }
        match answer {
            Ok(()) if view.is_open() => Ok(()),
            _ => Err(ConfirmError::Unsure),
        }
    }
}
