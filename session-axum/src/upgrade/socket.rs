//! The socket that a handler holds.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt as _};
use http::HeaderValue;
use session_core::{Session, SessionEnded};

use super::pings::Pings;
use super::wire::Wire;

/// The WebSocket that [`SessionUpgrade::run`](super::SessionUpgrade::run) passes to its handler: a [`Stream`] and a
/// [`Sink`] of axum's [`Message`]s.
///
/// It ends with the session: soon after that it yields no message and refuses to send, even if the handler has moved it,
/// or half of it, into another task.
///
/// Pings of the peer are answered while the handler receives or sends; they and, without
/// [`ping`](super::SessionUpgrade::ping), pongs are passed on as messages, which most handlers ignore.
pub struct Socket {
    wire: Arc<Wire>,
    protocol: Option<HeaderValue>,
    pings: Option<Pings>,
    /// The session in which a message is activity.
    touches: Option<Session>,
}

impl Socket {
    pub(super) fn new(
        wire: Arc<Wire>,
        protocol: Option<HeaderValue>,
        pings: Option<Pings>,
        touches: Option<Session>,
    ) -> Self {
        Self {
            wire,
            protocol,
            pings,
            touches,
        }
    }

    /// Receives the next message; `None` once the socket is closed, or the session has ended.
    ///
    /// # Errors
    ///
    /// If the connection fails, the peer breaks the protocol, or does not answer the
    /// [pings](super::SessionUpgrade::ping).
    ///
    /// # Cancel safety
    ///
    /// No message is lost.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        self.next().await
    }

    /// Sends a message, and waits until it has left for the network.
    ///
    /// # Errors
    ///
    /// If the socket is closed, the session has ended or the connection fails.
    ///
    /// # Cancel safety
    ///
    /// A message that is dropped before it has all left is sent whole, or not at all. The rest leaves with the next one.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        SinkExt::send(self, message).await
    }

    /// The protocol that was [agreed on](axum::extract::ws::WebSocketUpgrade::protocols).
    pub fn protocol(&self) -> Option<&HeaderValue> {
        self.protocol.as_ref()
    }

    /// Polls the sending side, which takes no longer than pings allow.
    fn poll_sending(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut WebSocket>, &mut Context<'_>) -> Poll<Result<(), Error>>,
    ) -> Poll<Result<(), Error>> {
        self.wire.writer.register(cx.waker());
        let Some(polled) = self.wire.with(|socket| poll(Pin::new(socket), cx)) else {
            return Poll::Ready(Err(ended()));
        };
        if let Some(pings) = &mut self.pings {
            if polled.is_ready() {
                pings.sent();
            } else {
                ready!(pings.poll_sent_in_time(cx));
                return Poll::Ready(Err(self.give_up()));
            }
        }
        polled
    }

    /// Drops the connection to a peer that is dead.
    fn give_up(&self) -> Error {
        self.wire.cut();
        Error::new("the peer does not answer")
    }
}

impl Stream for Socket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.wire.reader.register(cx.waker());
        loop {
            let Some(polled) = this.wire.with(|socket| socket.poll_next_unpin(cx)) else {
                return Poll::Ready(None);
            };
            if let Poll::Ready(message) = polled {
                let is_answer = matches!(message, Some(Ok(Message::Pong(_))));
                if let Some(pings) = &mut this.pings {
                    pings.heard();
                    if is_answer {
                        continue;
                    }
                }
                if let Some(Ok(Message::Text(_) | Message::Binary(_))) = message
                    && let Some(session) = &this.touches
                {
                    // If it has ended, so does the socket.
                    drop(session.enter());
                }
                return Poll::Ready(message);
            }
            let Some(pings) = &mut this.pings else {
                return Poll::Pending;
            };
            if ready!(pings.poll_silence(cx)).is_err() {
                return Poll::Ready(Some(Err(this.give_up())));
            }
            this.wire.with(|socket| ping(socket, cx));
            // A task that waits to send must wait again, since this one has waited in its place.
            this.wire.writer.wake();
        }
    }
}

/// Sends a ping, unless messages are stuck on their way out.
fn ping(socket: &mut WebSocket, cx: &mut Context<'_>) {
    if socket.poll_ready_unpin(cx).is_ready() {
        // Errors show when the handler sends or receives.
        let _ = socket.start_send_unpin(Message::Ping(axum::body::Bytes::new()));
        let _ = socket.poll_flush_unpin(cx);
    }
}

fn ended() -> Error {
    Error::new(SessionEnded)
}

impl Sink<Message> for Socket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sending(cx, Sink::poll_ready)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let started = self.wire.with(|socket| socket.start_send_unpin(message));
        started.unwrap_or_else(|| Err(ended()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sending(cx, Sink::poll_flush)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sending(cx, Sink::poll_close)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
