//! The parser of `text/event-stream`, after the section "Server-sent events" of the HTML standard.

use std::collections::VecDeque;
use std::mem::take;
use std::time::Duration;

/// An event of an event stream, as a page's script sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its type; `message` if the server sent none.
    pub event: String,
    /// Its data. Several lines of it are joined by line feeds.
    pub data: String,
    /// The last id that the server has sent up to this event; empty if it has sent none.
    pub id: String,
}

#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    /// The last byte was a carriage return, to which a line feed may belong.
    after_return: bool,
    has_begun: bool,
    event: String,
    data: String,
    id: String,
    retry: Option<Duration>,
    parsed: VecDeque<Event>,
}

impl Parser {
    /// Takes the next bytes of the stream, which may end anywhere.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let after_return = take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = take(&mut self.line);
                    self.end_line(&String::from_utf8_lossy(&line));
                }
                _ => self.line.push(*byte),
            }
        }
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        self.parsed.pop_front()
    }

    /// The time after which the server wants a client to reconnect.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_line(&mut self, mut line: &str) {
        if !std::mem::replace(&mut self.has_begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // A comment, whose field is empty, or a field that no standard knows.
            _ => {}
        }
    }

    /// Without data it is no event, but its id counts.
    fn end_event(&mut self) {
        let (event, mut data) = (take(&mut self.event), take(&mut self.data));
        if data.pop().is_some() {
            self.parsed.push_back(Event {
                event: if event.is_empty() {
                    "message".into()
                } else {
                    event
                },
                data,
                id: self.id.clone(),
            });
        }
    }
}
