//! A WebSocket, over a connection in memory.

use std::fmt;

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, frame::coding::CloseCode};

use crate::asked::Asked;
use crate::message::Message;

/// An open WebSocket: see [`Browser::websocket`](crate::Browser::websocket).
///
/// Pings are answered by [`next`](Self::next), which also reads all else, so a test that does not call it is a client that
/// does not read. Dropping it is what a client does whose connection is lost.
pub struct WebSocket {
    asked: Asked,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    protocol: Option<String>,
    ended: bool,
}

impl WebSocket {
    pub(crate) async fn new(
        asked: Asked,
        upgraded: TokioIo<Upgraded>,
        protocol: Option<String>,
    ) -> Self {
        Self {
            asked,
            stream: WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await,
            protocol,
            ended: false,
        }
    }

    /// Returns the next message. The last one is [`Message::Close`], and `None` follows.
    ///
    /// # Panics
    ///
    /// If none comes within the [limit](crate#panics).
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Message> {
        if self.ended {
            return None;
        }
        let message = self.asked.within("a message", read(&mut self.stream)).await;
        self.ended = matches!(message, Message::Close { .. });
        Some(message)
    }

    /// Sends text. As with a page's socket, it goes nowhere if the connection has ended.
    ///
    /// # Panics
    ///
    /// If the server does not read it within the [limit](crate#panics).
    pub async fn send_text(&mut self, text: impl Into<String>) {
        let text: String = text.into();
        self.send(tungstenite::Message::Text(text.into())).await;
    }

    /// Sends bytes, as [`send_text`](Self::send_text) does text.
    ///
    /// # Panics
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) {
        self.send(tungstenite::Message::Binary(bytes.into())).await;
    }

    async fn send(&mut self, message: tungstenite::Message) {
        let sent = self.stream.send(message);
        // An error is the end of the connection, which `next` returns.
        let _ = self.asked.within("the server to read", sent).await;
    }

    /// Closes it with code 1000, and waits for the server's answer.
    ///
    /// # Panics
    ///
    /// If that does not come within the [limit](crate#panics).
    pub async fn close(mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let close = async {
            let _ = self.stream.close(Some(frame)).await;
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        self.asked
            .within("an answer to the close frame", close)
            .await;
    }

    /// Returns the protocol that the server has chosen of those in `Sec-WebSocket-Protocol`, if any.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }
}

async fn read(stream: &mut WebSocketStream<TokioIo<Upgraded>>) -> Message {
    while let Some(Ok(message)) = stream.next().await {
        if let Some(message) = Message::seen_by_a_page(message) {
            if matches!(message, Message::Close { .. }) {
                // The answer to the server's close frame leaves with this.
                let _ = stream.flush().now_or_never();
            }
            return message;
        }
    }
    Message::CUT
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebSocket")
            .field(&self.asked.to_string())
            .finish()
    }
}
