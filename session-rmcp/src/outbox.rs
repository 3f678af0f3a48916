//! The messages of one session to its client, each on the stream that it belongs to.
//!
//! Invariants:
//! 1. No waker and no destructor of a message runs under the lock, which is a leaf.
//! 2. A stream has one reader at a time; a later one takes over.
//! 3. A message that the reader has not taken yet is not lost: the sender waits for room instead. Without a reader the
//!    newest messages are kept, for a client that reconnects.
//! 4. Of the streams that are answered and have no reader, a session keeps the newest few, also those that were read to the
//!    end: their messages may have been lost on the way.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use rmcp::ErrorData;
use rmcp::model::{
    ClientRequest, GetExtensions as _, GetMeta as _, JsonRpcMessage, JsonRpcRequest, ProgressToken,
    RequestId, ServerJsonRpcMessage, ServerNotification, ServerResult,
};
use rmcp::service::OriginatingRequestId;
use session_core::SessionEnded;
use tokio::sync::Notify;

use crate::channel::{Channel, KEPT, Later, Message, Next};

#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Notified when a reader has taken a message or has gone, when the way to a stream has changed, and at the end.
    room: Notify,
    /// Notified when the handler of a request has panicked.
    panics: Notify,
}

#[derive(Default)]
struct State {
    /// The stream that belongs to no request.
    standalone: Channel,
    /// The streams of requests, the oldest first.
    requests: BTreeMap<u64, Channel>,
    of_request: HashMap<RequestId, u64>,
    of_token: HashMap<ProgressToken, u64>,
    opened: u64,
    /// The requests whose handlers have panicked, until the transport answers them.
    panicked: Vec<RequestId>,
    logs: bool,
    closed: bool,
}

/// A stream: that of a request, by its number, or the one that belongs to no request.
pub(crate) type Stream = Option<u64>;

enum Pushed {
    Yes(Later),
    NoRoom,
    Closed,
}

impl Outbox {
    /// Opens the stream of a request, with its reader. Returns their numbers.
    pub(crate) fn open(&self, request: &JsonRpcRequest<ClientRequest>) -> (u64, u64) {
        let token = request.request.get_meta().get_progress_token();
        let mut state = self.lock();
        state.opened += 1;
        let number = state.opened;
        let mut channel = Channel::of_request(request.id.clone(), token.clone());
        if state.closed {
            channel.finish();
        }
        let reader = channel.read(None).map_or(0, |(reader, _)| reader);
        state.requests.insert(number, channel);
        // A client that uses the id again has no use for the earlier answer.
        let earlier = state.of_request.insert(request.id.clone(), number);
        let ended = earlier.and_then(|number| state.requests.get_mut(&number)?.finish().into());
        if let Some(token) = token {
            state.of_token.insert(token, number);
        }
        let forgotten = state.forget_left_over();
        drop(state);
        drop(forgotten);
        ended.unwrap_or_default().run();
        self.room.notify_waiters();
        (number, reader)
    }

    /// Adds a reader to a stream: see [`Channel::read`].
    pub(crate) fn read(&self, stream: Stream, after: Option<u64>) -> Option<u64> {
        let mut state = self.lock();
        let (reader, later) = state.channel(stream)?.read(after)?;
        drop(state);
        later.run();
        Some(reader)
    }

    pub(crate) fn take(&self, stream: Stream, reader: u64, waker: Waker) -> Next {
        let mut state = self.lock();
        let Some(channel) = state.channel(stream) else {
            return Next::Finished;
        };
        let (next, later) = channel.take(reader, waker);
        drop(state);
        later.run();
        if let Next::Message(..) = next {
            self.room.notify_waiters();
        }
        next
    }

    pub(crate) fn leave(&self, stream: Stream, reader: u64) {
        let mut state = self.lock();
        let later = state.channel(stream).map(|channel| channel.leave(reader));
        let forgotten = state.forget_left_over();
        drop(state);
        drop(forgotten);
        later.unwrap_or_default().run();
        self.room.notify_waiters();
    }

    /// Forgets the stream of a request, which nobody resumes.
    pub(crate) fn forget(&self, number: u64) {
        let forgotten = self.lock().forget(number);
        drop(forgotten);
    }

    /// Sends a message on its stream, when there is room.
    pub(crate) async fn send(&self, message: ServerJsonRpcMessage) -> Result<(), SessionEnded> {
        let message = Arc::new(message);
        loop {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            match self.push(&message) {
                Pushed::Yes(later) => {
                    later.run();
                    return Ok(());
                }
                Pushed::NoRoom => room.await,
                Pushed::Closed => return Err(SessionEnded),
            }
        }
    }

    fn push(&self, message: &Message) -> Pushed {
        let mut state = self.lock();
        if state.closed {
            return Pushed::Closed;
        }
        if let JsonRpcMessage::Response(response) = &**message
            && let ServerResult::InitializeResult(initialized) = &response.result
        {
            state.logs = initialized.capabilities.logging.is_some();
        }
        let answered = answered(message);
        let stream = match answered {
            // A request that its client has cancelled has no stream.
            Some(request) => match state.of_request.get(request) {
                Some(number) => Some(*number),
                None => return Pushed::Yes(Later::default()),
            },
            None => state.stream_of(message),
        };
        let Some(channel) = state.channel(stream) else {
            return Pushed::Yes(Later::default());
        };
        if !channel.has_room() {
            return Pushed::NoRoom;
        }
        let later = channel.push(message.clone());
        if let (Some(_), Some(number)) = (answered, stream) {
            channel.finish();
            state.unlink(number);
        }
        Pushed::Yes(later)
    }

    /// Ends the stream of a request that its client has cancelled: it is not answered.
    pub(crate) fn cancel(&self, request: &RequestId) {
        let mut state = self.lock();
        let number = state.of_request.get(request).copied();
        let later = number.and_then(|number| {
            let later = state.channel(Some(number)).map(Channel::finish);
            state.unlink(number);
            later
        });
        drop(state);
        later.unwrap_or_default().run();
        self.room.notify_waiters();
    }

    /// Takes note that the handler of a request has panicked.
    pub(crate) fn panicked(&self, request: RequestId) {
        self.lock().panicked.push(request);
        self.panics.notify_one();
    }

    /// Waits until handlers have panicked, and returns their requests; none is lost if it is dropped.
    pub(crate) async fn panics(&self) -> Vec<RequestId> {
        loop {
            self.panics.notified().await;
            let panicked = std::mem::take(&mut self.lock().panicked);
            if !panicked.is_empty() {
                return panicked;
            }
        }
    }

    /// Ends all streams after the messages that they have. A request that is still unanswered gets this error.
    pub(crate) fn close(&self, error: &ErrorData) {
        let mut state = self.lock();
        state.closed = true;
        let mut later = vec![state.standalone.finish()];
        for (request, number) in std::mem::take(&mut state.of_request) {
            let error = ServerJsonRpcMessage::error(error.clone(), Some(request));
            let channel = state.requests.get_mut(&number);
            later.extend(channel.map(|channel| channel.push(Arc::new(error))));
        }
        for channel in state.requests.values_mut() {
            later.push(channel.finish());
        }
        drop(state);
        for later in later {
            later.run();
        }
        self.room.notify_waiters();
    }

    /// Whether the server has declared that it sends log messages.
    pub(crate) fn logs(&self) -> bool {
        self.lock().logs
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the request that a message answers.
pub(crate) fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        _ => None,
    }
}

impl State {
    fn channel(&mut self, stream: Stream) -> Option<&mut Channel> {
        match stream {
            Some(number) => self.requests.get_mut(&number),
            None => Some(&mut self.standalone),
        }
    }

    /// Returns the stream of a message that answers nothing: progress, and a request that the server makes while it
    /// handles one of the client's, go with that one.
    fn stream_of(&self, message: &ServerJsonRpcMessage) -> Stream {
        match message {
            JsonRpcMessage::Request(request) => {
                let origin = request.request.extensions().get::<OriginatingRequestId>()?;
                self.of_request.get(&origin.0).copied()
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ServerNotification::ProgressNotification(progress) => {
                    let token = &progress.params.progress_token;
                    self.of_token.get(token).copied()
                }
                ServerNotification::CancelledNotification(cancelled) => {
                    let request = cancelled.params.request_id.as_ref()?;
                    self.of_request.get(request).copied()
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Removes the ways to a request's stream, to which nothing more is sent.
    fn unlink(&mut self, number: u64) {
        let Some(channel) = self.requests.get(&number) else {
            return;
        };
        if let Some(request) = &channel.request
            && self.of_request.get(request) == Some(&number)
        {
            self.of_request.remove(request);
        }
        if let Some(token) = &channel.token
            && self.of_token.get(token) == Some(&number)
        {
            self.of_token.remove(token);
        }
    }

    fn forget(&mut self, number: u64) -> Option<Channel> {
        self.unlink(number);
        self.requests.remove(&number)
    }

    /// Forgets the oldest streams that are finished and have no reader, if there are too many.
    fn forget_left_over(&mut self) -> Vec<Channel> {
        let left_over =
            |(number, channel): (&u64, &Channel)| channel.is_left_over().then_some(*number);
        let mut numbers: Vec<u64> = self.requests.iter().filter_map(left_over).collect();
        numbers.truncate(numbers.len().saturating_sub(KEPT));
        numbers
            .into_iter()
            .filter_map(|number| self.forget(number))
            .collect()
    }
}
