//! The WebSockets of a server, whose close frames a shutdown waits for.

use tokio_util::task::TaskTracker;

/// In the extensions of the requests that ask for an upgrade.
#[derive(Clone)]
pub(crate) struct Sockets(TaskTracker);

impl Sockets {
    pub(super) fn new() -> Self {
        Self(TaskTracker::new())
    }

    /// Runs the task of a WebSocket, which ends soon after its session.
    #[cfg(feature = "ws")]
    pub(crate) fn spawn(&self, socket: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(socket);
    }

    /// Resolves when no socket is open.
    pub(super) async fn closed(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
