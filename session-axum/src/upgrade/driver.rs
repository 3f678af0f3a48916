//! The task of one WebSocket, from the response to its handshake to the end of the connection.
//!
//! The session's cleanup does not wait for it: when the session completes, the handler and the request's guard are
//! dropped in their slot, and only the connection is left.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use session_core::{Pass, Session, SessionEnded, UntilCompleted};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::close;
use super::wire::Wire;

/// The time for the upgrade. If a layer outside has replaced the response, there will be none.
const UPGRADE_TIME: Duration = Duration::from_secs(10);

/// The time for the close frame and the peer's answer.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Runs the handler on the connection once it is `upgraded`, and closes the connection when the handler has ended.
/// Until `start` is called the handler waits.
pub(super) async fn drive<H: Future<Output = ()>>(
    handler: UntilCompleted<H>,
    mut upgraded: oneshot::Receiver<WebSocket>,
    start: impl FnOnce(Arc<Wire>),
    session: Session,
    pass: Pass,
) {
    let mut handler = Box::pin(AssertUnwindSafe(handler).catch_unwind());
    let upgrade = tokio::select! {
        biased;
        _ = &mut handler => None,
        upgrade = timeout(UPGRADE_TIME, &mut upgraded) => Some(upgrade),
    };
    let _ = match upgrade {
        Some(Ok(Ok(socket))) => {
            let wire = Arc::new(Wire::new(socket));
            start(Arc::clone(&wire));
            let frame = match handler.as_mut().await {
                Ok(Ok(())) if close::is_over(&session, pass) => close::session_over(&session, pass),
                Ok(Ok(())) => close::finished(),
                Ok(Err(SessionEnded)) => close::session_over(&session, pass),
                Err(_panic) => close::panicked(),
            };
            drop(handler);
            drop(session);
            timeout(CLOSE_TIME, async {
                if let Some(socket) = wire.take().await {
                    close(*socket, frame).await;
                }
            })
            .await
        }
        // The session is over before the connection is there.
        None => {
            let frame = close::session_over(&session, pass);
            timeout(CLOSE_TIME, async {
                if let Ok(socket) = upgraded.await {
                    close(socket, frame).await;
                }
            })
            .await
        }
        // No upgrade: dropping the handler leaves the session.
        Some(_) => return,
    };
}

/// Closes the connection, and waits for the peer to agree.
async fn close(mut socket: WebSocket, frame: CloseFrame) {
    // First the rest of a message in the middle of which the handler was dropped.
    let _ = socket.flush().await;
    let _ = socket.send(Message::Close(Some(frame))).await;
    while let Some(Ok(_)) = socket.next().await {}
}
