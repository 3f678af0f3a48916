//! Messages of a WebSocket.

use bytes::Bytes;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// A message that a [`WebSocket`](crate::WebSocket) has received, or its end, as a page's script sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// The end of the connection, after which nothing comes.
    #[non_exhaustive]
    Close {
        /// The server's code; 1005 if it sent none, and 1006 if the connection ended without a close frame.
        code: u16,
        /// The server's reason; empty if it sent none.
        reason: String,
    },
}

impl Message {
    /// The end of a connection without a close frame.
    pub(crate) const CUT: Self = Self::Close {
        code: 1006,
        reason: String::new(),
    };

    /// Text to compare with: `assert_eq!(socket.next().await, Some(Message::text("hello")))`.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An end to compare with: `assert_eq!(socket.next().await, Some(Message::close(1008, "terminated")))`.
    pub fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close {
            code,
            reason: reason.into(),
        }
    }

    /// `None` for pings and pongs, which a page does not see.
    pub(crate) fn seen_by_a_page(message: tungstenite::Message) -> Option<Self> {
        match message {
            tungstenite::Message::Text(text) => Some(Self::text(text.as_str())),
            tungstenite::Message::Binary(bytes) => Some(Self::Binary(bytes)),
            tungstenite::Message::Close(Some(CloseFrame { code, reason })) => {
                Some(Self::close(code.into(), reason.as_str()))
            }
            tungstenite::Message::Close(None) => Some(Self::close(1005, "")),
            _ => None,
        }
    }
}
