//! The upgraded connections of a server, whose ends a shutdown waits for.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The upgraded connections of a [`serve`](crate::serve()): in the extensions of the requests that ask for an upgrade.
///
/// It is for a layer that answers an upgrade itself, as one that passes it on to another server. Handlers use
/// a `SessionUpgrade` (feature `ws`), which ends with its session.
///
/// ```
/// use http::{Extensions, Request};
/// use session_axum::Sockets;
///
/// fn spawn(request: &Extensions, tunnel: impl Future<Output = ()> + Send + 'static) {
///     match request.get::<Sockets>() {
///         Some(sockets) => sockets.spawn_until_shutdown(tunnel),
///         None => drop(tokio::spawn(tunnel)), // another server, which knows nothing of it
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Sockets {
    tasks: TaskTracker,
    /// Cancelled when the server's sessions end.
    ending: CancellationToken,
}

impl Sockets {
    pub(super) fn new() -> Self {
        Self {
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
        }
    }

    /// Runs the task of an upgraded connection. A graceful shutdown drops it when the grace period is over, at the moment
    /// when the server's sessions end, and then waits until it is gone.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn_until_shutdown(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ending = self.ending.clone();
        self.tasks
            .spawn(async move { ending.run_until_cancelled(task).await });
    }

    /// Runs the task of a WebSocket, which ends soon after its session.
    #[cfg(feature = "ws")]
    pub(crate) fn spawn(&self, socket: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(socket);
    }

    /// Ends those that belong to no session.
    pub(super) fn end(&self) {
        self.ending.cancel();
    }

    /// Resolves when no socket is open.
    pub(super) async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
