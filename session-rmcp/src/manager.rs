//! rmcp's session manager, on live sessions.

use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, future, stream};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use session_core::{CreateError, LocalSession as _, PropertyRef, RequestGuard, SessionEnded};

use crate::arrival::{Arrival, Refusal};
use crate::conversation::Conversation;
use crate::events::{Events, Place};
use crate::farewell;
use crate::live::LiveSessions;
use crate::transport::SessionTransport;

/// A request of a session was refused.
///
/// rmcp answers 500 to all of these but [`UnknownEvent`](Self::UnknownEvent). [`LiveService`](crate::LiveService) answers
/// 404 or 503 to the first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveSessionsError {
    /// The session has ended, or there never was one with this id.
    #[error("the session has ended")]
    SessionEnded,
    /// No session could be created.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The event from which the client wants to go on is unknown, or no longer kept. rmcp answers with an empty stream.
    #[error("the event to resume from is unknown")]
    UnknownEvent,
    /// A stream or `initialize` was asked for by a message that is not a request.
    #[error("the message is not a request")]
    NotARequest,
}

impl From<SessionEnded> for LiveSessionsError {
    fn from(SessionEnded: SessionEnded) -> Self {
        Arrival::refuse(Refusal::Gone);
        Self::SessionEnded
    }
}

impl LiveSessions {
    /// Enters the session, if it is of the owner of the request. The service has checked that where it knew from the head
    /// that the request is one of a session; but rmcp has `initialize` be one whatever version the head names.
    fn find(&self, id: &SessionId) -> Option<(RequestGuard, PropertyRef<Conversation>)> {
        let found = self.enter(id);
        found.filter(|(_, conversation)| Arrival::may_be_of(conversation.owner.as_ref()))
    }

    fn require(
        &self,
        id: &SessionId,
    ) -> Result<(RequestGuard, PropertyRef<Conversation>), LiveSessionsError> {
        Ok(self.find(id).ok_or(SessionEnded)?)
    }
}

impl SessionManager for LiveSessions {
    type Error = LiveSessionsError;
    type Transport = SessionTransport;

    async fn create_session(&self) -> Result<(SessionId, SessionTransport), LiveSessionsError> {
        let owner = Arrival::current_owner();
        let created = self.sessions().create_entered(owner.as_ref());
        let guard = created.inspect_err(|error| Arrival::refuse(Refusal::NoRoom(*error)))?;
        let session = guard.session();
        let transport = Conversation::start(session, owner, self.init_timeout())?;
        Ok((session.id().encode().into(), transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, LiveSessionsError> {
        let JsonRpcMessage::Request(request) = &message else {
            return Err(LiveSessionsError::NotARequest);
        };
        let (guard, conversation) = self.require(id)?;
        let mut events = Events::of_request(&conversation.outbox, request, None);
        conversation.send(message, guard).await?;
        drop(conversation);
        let answer = events.next().await.and_then(|event| event.message);
        let answer = answer.ok_or(SessionEnded)?;
        // Nobody resumes it, since its response has another id.
        events.forget();
        Ok(Arc::unwrap_or_clone(answer))
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, LiveSessionsError> {
        Ok(self.find(id).is_some())
    }

    /// Ends the session. rmcp calls it for a client that does, and for a session that it has stopped serving.
    async fn close_session(&self, id: &SessionId) -> Result<(), LiveSessionsError> {
        if let Some((guard, _)) = self.find(id) {
            guard.session().terminate();
        }
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, LiveSessionsError>
    {
        let JsonRpcMessage::Request(request) = &message else {
            return Err(LiveSessionsError::NotARequest);
        };
        let (guard, conversation) = self.require(id)?;
        let events = Events::of_request(&conversation.outbox, request, self.retry());
        conversation.send(message, guard).await?;
        Ok(events)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), LiveSessionsError> {
        let (guard, conversation) = self.require(id)?;
        Ok(conversation.send(message, guard).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, LiveSessionsError>
    {
        let (guard, conversation) = self.require(id)?;
        let events = Events::standalone(&conversation.outbox);
        Ok(until_completed(
            guard,
            events.ok_or(LiveSessionsError::UnknownEvent)?,
        ))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, LiveSessionsError>
    {
        let (guard, conversation) = self.require(id)?;
        let place: Result<Place, _> = last_event_id.parse();
        let place = place.map_err(|_| LiveSessionsError::UnknownEvent)?;
        let events = Events::after(&conversation.outbox, place);
        let events = events.ok_or(LiveSessionsError::UnknownEvent)?;
        Ok(if place.stream.is_some() {
            // The call keeps the session active, until it is answered; then its client just reads on.
            events.left_stream()
        } else {
            until_completed(guard, events).right_stream()
        })
    }
}

/// The stream that belongs to no request keeps its session active while it is open. It ends with the session, read or
/// not, and tells a client that reads why.
fn until_completed(
    guard: RequestGuard,
    events: Events,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    let session = guard.session().clone();
    let outbox = events.outbox().clone();
    let farewell = stream::once(future::lazy(move |_| {
        outbox.logs().then(|| farewell::event(&session))
    }));
    let farewell = farewell.filter_map(future::ready);
    guard.until_completed(events).chain(farewell)
}
