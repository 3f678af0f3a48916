//! The messages of one event stream, with their numbers, and the place of its reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use rmcp::model::{ProgressToken, RequestId, ServerJsonRpcMessage};

/// The number of messages that a stream keeps: those that a reader has taken for clients that reconnect, and the others
/// until they are taken.
pub(crate) const KEPT: usize = 16;

pub(crate) type Message = Arc<ServerJsonRpcMessage>;

/// The stream of a request, or the one that belongs to no request. Its messages are numbered from one; zero is the
/// event that primes the client to reconnect.
#[derive(Default)]
pub(crate) struct Channel {
    /// The newest messages; the last one has the number `last`.
    kept: VecDeque<Message>,
    last: u64,
    /// The number of the last message that a reader has taken.
    taken: u64,
    /// The number of the current reader, or of the last one if it has gone.
    reader: u64,
    is_read: bool,
    waker: Option<Waker>,
    /// Whether no more messages follow.
    finished: bool,
    pub(crate) request: Option<RequestId>,
    pub(crate) token: Option<ProgressToken>,
}

/// The state that a reader finds.
pub(crate) enum Next {
    Message(u64, Message),
    /// Another reader has taken over.
    Superseded,
    Finished,
    Nothing,
}

/// The wakers and values to wake or drop once the lock is released.
#[derive(Default)]
pub(crate) struct Later {
    pub(crate) waker: Option<Waker>,
    pub(crate) message: Option<Message>,
}

impl Channel {
    pub(crate) fn of_request(request: RequestId, token: Option<ProgressToken>) -> Self {
        Self {
            request: Some(request),
            token,
            ..Self::default()
        }
    }

    /// Whether a message may be added. A stream that nobody reads loses its oldest message instead.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_read || self.last - self.taken < KEPT as u64
    }

    pub(crate) fn push(&mut self, message: Message) -> Later {
        let oldest = self.last - self.kept.len() as u64 + 1;
        let is_spare = self.kept.len() >= KEPT && (!self.is_read || oldest <= self.taken);
        let spare = is_spare.then(|| self.kept.pop_front()).flatten();
        self.kept.push_back(message);
        self.last += 1;
        Later {
            waker: self.waker.take(),
            message: spare,
        }
    }

    /// Adds a reader, which takes over. It starts after the message with this number, or where the last one stopped.
    /// Returns its number; `None` if there was no such message yet.
    pub(crate) fn read(&mut self, after: Option<u64>) -> Option<(u64, Later)> {
        let after = after.unwrap_or(self.taken);
        if after > self.last {
            return None;
        }
        self.taken = after;
        self.reader += 1;
        self.is_read = true;
        let later = Later {
            waker: self.waker.take(),
            message: None,
        };
        Some((self.reader, later))
    }

    /// Takes the next message for this reader.
    pub(crate) fn take(&mut self, reader: u64, waker: Waker) -> (Next, Later) {
        if reader != self.reader {
            return (Next::Superseded, Later::default());
        }
        let oldest = self.last - self.kept.len() as u64;
        let next = self.taken.max(oldest) + 1;
        let place = usize::try_from(next - oldest - 1).unwrap_or(usize::MAX);
        if let Some(message) = self.kept.get(place) {
            self.taken = next;
            return (Next::Message(next, message.clone()), Later::default());
        }
        if self.finished {
            return (Next::Finished, Later::default());
        }
        let later = Later {
            waker: self.waker.replace(waker),
            message: None,
        };
        (Next::Nothing, later)
    }

    /// Ends the stream after its last message.
    pub(crate) fn finish(&mut self) -> Later {
        self.finished = true;
        Later {
            waker: self.waker.take(),
            message: None,
        }
    }

    /// Removes a reader that has gone.
    pub(crate) fn leave(&mut self, reader: u64) -> Later {
        let mut later = Later::default();
        if reader == self.reader {
            self.is_read = false;
            later.waker = self.waker.take();
        }
        later
    }

    pub(crate) fn is_left_over(&self) -> bool {
        self.finished && !self.is_read
    }
}

impl Later {
    /// Call it without the lock: wakers and messages may run code of the application.
    pub(crate) fn run(self) {
        if let Some(waker) = self.waker {
            waker.wake();
        }
        drop(self.message);
    }
}
