//! The server, from its start to the orderly end.

use std::time::Duration;

use axum::Router;
use futures_util::{FutureExt, poll};
use session_axum::shutdown_signal;
use session_core::SessionManager;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::log::tell;

/// How much time requests under way have when the server ends.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// How long the shutdown may take in all.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the log may take after that.
const LOG_TIMEOUT: Duration = Duration::from_secs(1);

/// How the server was told to stop.
#[derive(Debug)]
pub(crate) enum End {
    InOrder,
    /// By a second signal.
    AtOnce,
}

/// Serves until Ctrl-C, logs how sessions end, and shuts down in order. A second Ctrl-C cuts it short.
pub(crate) async fn serve_until_told(
    listener: TcpListener,
    app: Router,
    sessions: SessionManager,
) -> End {
    let told = tokio::spawn(tell(sessions.subscribe()));
    let (listens, listening) = oneshot::channel();
    let signal = async {
        shutdown_signal().await;
        // At a second signal the server cuts its connections, and the program ends with the code for it.
        let mut second = Box::pin(shutdown_signal());
        if poll!(&mut second).is_pending() {
            let _ = listens.send(second);
        }
        tracing::info!("shutting down; once more to stop at once");
    };
    let report = session_axum::serve(listener, app, sessions)
        .with_graceful_shutdown(signal)
        .grace(GRACE)
        .timeout(SHUTDOWN_TIMEOUT)
        .await;
    tracing::info!(ended = report.ended(), unfinished = ?report.unfinished(), "sessions shut down");
    // The manager was dropped with the server, so the events end, unless a session is held.
    let _ = timeout(LOG_TIMEOUT, told).await;
    let second = listening.await.ok().and_then(FutureExt::now_or_never);
    match second {
        Some(()) => End::AtOnce,
        None => End::InOrder,
    }
}
