//! The conversation of one MCP session: a property of it, through which HTTP requests reach rmcp's handler.
//!
//! It is the first property of its session, so it is closed last: a tool can answer while the others are closed. Its
//! close waits until rmcp has let go of the session, so that a report that is clean says that of the handler, too.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::ClientJsonRpcMessage;
use session_core::{GroupId, LocalSession as _, PropertyKey, RequestGuard, Session, SessionEnded};
use tokio::sync::{mpsc, oneshot};

use crate::farewell::farewell;
use crate::outbox::Outbox;
use crate::transport::{Inbound, SessionTransport};

pub(crate) const CONVERSATION: PropertyKey<Conversation> = PropertyKey::new("mcp conversation");

/// The number of messages that may wait for the handler. A request whose message finds no room waits.
const WAITING: usize = 16;

pub(crate) struct Conversation {
    /// The owner by the request that created the session.
    pub(crate) owner: Option<GroupId>,
    pub(crate) outbox: Arc<Outbox>,
    inbound: mpsc::Sender<Box<Inbound>>,
    served: oneshot::Receiver<()>,
}

impl Conversation {
    /// Starts the conversation of a new session. Returns rmcp's side of it.
    pub(crate) fn start(
        session: &Session,
        owner: Option<GroupId>,
        init_timeout: Duration,
    ) -> Result<SessionTransport, SessionEnded> {
        let outbox = Arc::<Outbox>::default();
        let (inbound, arriving) = mpsc::channel(WAITING);
        let (serving, served) = oneshot::channel();
        let conversation = Self {
            owner,
            outbox: outbox.clone(),
            inbound,
            served,
        };
        let ended = session.clone();
        let close = move |conversation: Self| conversation.close(farewell(&ended));
        let properties = session.properties();
        match properties.insert_with(&CONVERSATION, conversation, close) {
            Ok(_) => {}
            Err(_) => return Err(SessionEnded),
        }
        Ok(SessionTransport::new(
            session,
            outbox,
            arriving,
            serving,
            init_timeout,
        ))
    }

    /// Hands a message to the handler, when there is room.
    pub(crate) async fn send(
        &self,
        message: ClientJsonRpcMessage,
        guard: RequestGuard,
    ) -> Result<(), SessionEnded> {
        let sent = self
            .inbound
            .send(Box::new(Inbound { message, guard }))
            .await;
        sent.map_err(|_| SessionEnded)
    }

    async fn close(self, farewell: String) {
        let Self {
            outbox,
            inbound,
            served,
            ..
        } = self;
        outbox.close(&ErrorData::internal_error(farewell, None));
        drop(inbound);
        // An error says that the transport has been dropped, which is what is waited for.
        served.await.unwrap_or_default();
    }
}
