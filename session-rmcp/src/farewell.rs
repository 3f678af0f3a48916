//! The last words to the client of a session.
#![expect(
    deprecated,
    reason = "log messages are deprecated in the versions of the protocol that have no sessions"
)]

use rmcp::model::{
    JsonRpcMessage, JsonRpcNotification, LoggingLevel, LoggingMessageNotification,
    LoggingMessageNotificationParam, ServerNotification,
};
use rmcp::transport::streamable_http_server::session::ServerSseMessage;
use session_core::{CompletionCause, LocalSession as _, Session};

/// Says why a session has ended, and what its client can do.
pub(crate) fn farewell(session: &Session) -> String {
    let why = match session.completion_cause() {
        Some(CompletionCause::IdleTimeout) => "it was idle for too long",
        Some(CompletionCause::AbsoluteTimeout) => "it has reached its maximum age",
        Some(CompletionCause::Evicted) => "the server needed room",
        Some(CompletionCause::Shutdown) => "the server is shutting down",
        _ => "it was closed",
    };
    let why = session.completion_reason().unwrap_or_else(|| why.into());
    format!("the session has ended: {why}; initialize a new one")
}

/// Returns the farewell as a log message.
pub(crate) fn event(session: &Session) -> ServerSseMessage {
    let params = LoggingMessageNotificationParam::new(
        LoggingLevel::Notice,
        serde_json::Value::from(farewell(session)),
    );
    let notification = LoggingMessageNotification::new(params.with_logger("session"));
    ServerSseMessage::from_message(JsonRpcMessage::Notification(JsonRpcNotification {
        jsonrpc: rmcp::model::JsonRpcVersion2_0,
        notification: ServerNotification::LoggingMessageNotification(notification),
    }))
}
