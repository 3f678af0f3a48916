//! rmcp's side of a conversation: where the handler's serve loop takes its client's messages, and leaves its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use rmcp::{ErrorData, RoleServer};
use session_core::{CancellationToken, LocalSession as _, RequestGuard, Session, SessionEnded};
use tokio::sync::{mpsc, oneshot};

use crate::alarm::Alarm;
use crate::outbox::{self, Outbox};

/// The transport of one MCP session: what [`LiveSessions`](crate::LiveSessions) hands to rmcp for each of them.
///
/// A call is inside its session from its arrival until its answer has been handed over, however often its client drops
/// the stream in the meantime. When the session completes, the calls under way may still end; then the transport does,
/// and with it rmcp's task and the handler.
pub struct SessionTransport {
    session: Session,
    outbox: Arc<Outbox>,
    inbound: mpsc::Receiver<Box<Inbound>>,
    completed: CancellationToken,
    /// The calls that are not answered yet.
    calls: HashMap<RequestId, RequestGuard>,
    /// Dropped when the client has finished `initialize`: see [`end_if_late`].
    initializing: Option<oneshot::Sender<()>>,
    /// Dropped with the transport: tells the session's cleanup that rmcp has let go.
    _served: oneshot::Sender<()>,
}

/// A message of the client, with the guard that has been inside the session since it arrived. It is boxed on its way,
/// because a channel has memory for 32 of what it carries from its start.
pub(crate) struct Inbound {
    pub(crate) message: ClientJsonRpcMessage,
    pub(crate) guard: RequestGuard,
}

/// The request that a tool or prompt runs for, in the extensions of its context.
#[derive(Clone)]
pub(crate) struct Inside {
    pub(crate) guard: RequestGuard,
    pub(crate) alarm: Alarm,
}

impl SessionTransport {
    pub(crate) fn new(
        session: &Session,
        outbox: Arc<Outbox>,
        inbound: mpsc::Receiver<Box<Inbound>>,
        served: oneshot::Sender<()>,
        init_timeout: Duration,
    ) -> Self {
        let (initializing, initialized) = oneshot::channel();
        tokio::spawn(end_if_late(session.clone(), init_timeout, initialized));
        Self {
            completed: session.completion_token(),
            session: session.clone(),
            outbox,
            inbound,
            calls: HashMap::new(),
            initializing: Some(initializing),
            _served: served,
        }
    }

    /// Takes note of a message on its way to the handler.
    fn admit(&mut self, inbound: Box<Inbound>) -> ClientJsonRpcMessage {
        let Inbound { mut message, guard } = *inbound;
        match &message {
            JsonRpcMessage::Request(request) => {
                let id = request.id.clone();
                message.insert_extension(Inside {
                    guard: guard.clone(),
                    alarm: Alarm::new(self.outbox.clone(), id.clone()),
                });
                self.calls.insert(id, guard);
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ClientNotification::InitializedNotification(_) => self.initializing = None,
                ClientNotification::CancelledNotification(cancelled) => {
                    // rmcp drops the answer of a cancelled call. A tool that runs on stays inside by its own guard.
                    if let Some(request) = &cancelled.params.request_id {
                        self.outbox.cancel(request);
                        self.calls.remove(request);
                    }
                }
                _ => {}
            },
            _ => {}
        }
        message
    }

    /// Answers calls whose handlers have panicked.
    fn answer_for(&mut self, panicked: Vec<RequestId>) {
        for request in panicked {
            if self.calls.contains_key(&request) {
                let error =
                    ErrorData::internal_error("the handler of this call has panicked", None);
                let answer = self.send(ServerJsonRpcMessage::error(error, Some(request)));
                tokio::spawn(answer);
            }
        }
    }
}

impl Transport<RoleServer> for SessionTransport {
    type Error = SessionEnded;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), SessionEnded>> + Send + 'static {
        let answered = outbox::answered(&message);
        let call = answered.and_then(|request| self.calls.remove(request));
        let outbox = self.outbox.clone();
        async move {
            let sent = outbox.send(message).await;
            drop(call);
            sent
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let over = self.completed.is_cancelled();
            if over && self.calls.is_empty() {
                // A request that arrived at the last moment is inside, too, and is answered.
                let inbound = self.inbound.try_recv().ok()?;
                return Some(self.admit(inbound));
            }
            tokio::select! {
                inbound = self.inbound.recv() => return Some(self.admit(inbound?)),
                () = self.completed.cancelled(), if !over => {}
                panicked = self.outbox.panics() => self.answer_for(panicked),
            }
        }
    }

    async fn close(&mut self) -> Result<(), SessionEnded> {
        self.inbound.close();
        Ok(())
    }
}

/// Ends the session if the client does not finish `initialize` in time. It is a task, because rmcp does not poll its
/// transport while the handler initializes, which may take for ever.
async fn end_if_late(session: Session, timeout: Duration, initialized: oneshot::Receiver<()>) {
    let completed = session.completion_token();
    tokio::select! {
        _ = initialized => {}
        () = completed.cancelled() => {}
        () = tokio::time::sleep(timeout) => {
            session.terminate_because("the client did not finish `initialize`");
        }
    }
}

impl Drop for SessionTransport {
    /// Without a transport nothing can be said in the session any more.
    fn drop(&mut self) {
        self.session.terminate();
    }
}

impl fmt::Debug for SessionTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionTransport")
            .field(&self.session)
            .finish()
    }
}
