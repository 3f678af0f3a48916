//! An event stream, as a page's `EventSource` reads it.

use std::time::Duration;

use axum_core::body::Body;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::event_parser::{Event, Parser};

/// An open event stream: see [`Browser::events`](crate::Browser::events).
///
/// It is read by [`next`](Self::next) alone, so a test that does not call it is a client that does not read. Dropping it
/// is what a client does that hangs up.
#[derive(Debug)]
pub struct Events {
    asked: Asked,
    body: Body,
    parser: Parser,
}

impl Events {
    /// Begins to read it, if it is one.
    pub(crate) async fn open(asked: Asked, response: Response<Body>) -> Self {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.map_or("", |kind| kind.to_str().unwrap_or_default());
        let is_stream = kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"));
        if response.status() != StatusCode::OK || !is_stream {
            let kind = kind.to_owned();
            let answer = Answer::read(asked.clone(), response).await;
            panic!("{asked}: expected an event stream, came `{kind}`, {answer}");
        }
        Self {
            asked,
            body: response.into_body(),
            parser: Parser::default(),
        }
    }

    /// Returns the next event; `None` at the end of the stream. Comments and other keep-alives are not events.
    ///
    /// # Panics
    ///
    /// If the stream ends with an error, or no event comes within the [limit](crate#panics).
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        let asked = self.asked.clone();
        asked.within("an event", self.read()).await
    }

    /// Returns the time after which the server wants the client to reconnect, if it has said so.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry()
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.parser.next() {
                return Some(event);
            }
            match self.body.frame().await? {
                Ok(frame) => {
                    if let Some(bytes) = frame.data_ref() {
                        self.parser.take(bytes);
                    }
                }
                Err(error) => panic!(
                    "{}: the event stream ended with an error: {error}",
                    self.asked
                ),
            }
        }
    }
}
