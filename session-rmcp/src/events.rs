//! A reader of one stream: what an HTTP response sends to the client.

use std::num::ParseIntError;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use rmcp::model::{ClientRequest, JsonRpcRequest};
use rmcp::transport::streamable_http_server::session::ServerSseMessage;

use crate::channel::Next;
use crate::outbox::{self, Outbox};

pub(crate) struct Events {
    outbox: Arc<Outbox>,
    stream: outbox::Stream,
    reader: u64,
    /// The event that comes first, if any: it has an id, so that the client can reconnect before there is a message.
    first: Option<ServerSseMessage>,
}

impl Events {
    /// Opens the stream of a request. The client is told to wait this long before it reconnects.
    pub(crate) fn of_request(
        outbox: &Arc<Outbox>,
        request: &JsonRpcRequest<ClientRequest>,
        retry: Option<Duration>,
    ) -> Self {
        let (number, reader) = outbox.open(request);
        let id = Place {
            stream: Some(number),
            number: 0,
        }
        .to_string();
        Self {
            outbox: outbox.clone(),
            stream: Some(number),
            reader,
            first: retry.map(|retry| ServerSseMessage::priming(id, retry)),
        }
    }

    /// Returns the messages that belong to no request, from where the last reader stopped.
    pub(crate) fn standalone(outbox: &Arc<Outbox>) -> Option<Self> {
        Self::read(outbox, None, None)
    }

    /// Returns the messages after this one. `None` if its stream is unknown or forgotten.
    pub(crate) fn after(outbox: &Arc<Outbox>, place: Place) -> Option<Self> {
        Self::read(outbox, place.stream, Some(place.number))
    }

    /// Forgets the stream, if it is that of a request: nobody resumes it.
    pub(crate) fn forget(self) {
        if let Some(number) = self.stream {
            self.outbox.forget(number);
        }
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    fn read(outbox: &Arc<Outbox>, stream: outbox::Stream, after: Option<u64>) -> Option<Self> {
        Some(Self {
            reader: outbox.read(stream, after)?,
            outbox: outbox.clone(),
            stream,
            first: None,
        })
    }
}

impl Stream for Events {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ServerSseMessage>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        match self
            .outbox
            .take(self.stream, self.reader, cx.waker().clone())
        {
            Next::Message(number, message) => {
                let place = Place {
                    stream: self.stream,
                    number,
                };
                let mut event = ServerSseMessage::default();
                event.event_id = Some(place.to_string());
                event.message = Some(message);
                Poll::Ready(Some(event))
            }
            // A client that has several streams open must not be made to reconnect one after the other for ever: an
            // earlier one stays open, and silent.
            Next::Superseded if self.stream.is_none() => Poll::Pending,
            Next::Superseded | Next::Finished => Poll::Ready(None),
            Next::Nothing => Poll::Pending,
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.outbox.leave(self.stream, self.reader);
    }
}

/// The place of an event, as its id says it: `number` on the stream that belongs to no request, `number/stream` on that
/// of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) stream: outbox::Stream,
    pub(crate) number: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.stream {
            Some(stream) => write!(f, "{}/{stream}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

impl FromStr for Place {
    type Err = ParseIntError;

    fn from_str(id: &str) -> Result<Self, ParseIntError> {
        let (number, stream) = match id.split_once('/') {
            Some((number, stream)) => (number, Some(stream.parse()?)),
            None => (id, None),
        };
        let number = number.parse()?;
        Ok(Self { stream, number })
    }
}
