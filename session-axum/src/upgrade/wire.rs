//! The place of a WebSocket that may be taken away from its handler at any time.
//!
//! Invariants:
//! 1. The WebSocket is in one place at a time: here, in the hand of a [`Socket`](super::Socket) that polls it, or gone.
//! 2. Once it is wanted it comes back from the hand after the poll under way, and no later poll finds it, wherever the
//!    handler has put its `Socket`.
//! 3. The lock is a leaf, and no user code runs under it.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::WebSocket;
use futures_util::task::AtomicWaker;
use tokio::sync::oneshot;

pub(super) struct Wire {
    place: Mutex<Place>,
    /// The task that waits for messages.
    pub(super) reader: AtomicWaker,
    /// The task that waits for messages to go out.
    pub(super) writer: AtomicWaker,
}

enum Place {
    Here(Box<WebSocket>),
    /// Being polled. Stays so if the poll panicked.
    InHand,
    /// Being polled, and then to be sent there.
    Wanted(oneshot::Sender<Box<WebSocket>>),
    Gone,
}

impl Wire {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self {
            place: Mutex::new(Place::Here(Box::new(socket))),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    /// Polls the WebSocket; `None` if it is gone, even if that happens meanwhile.
    pub(super) fn with<R>(&self, poll: impl FnOnce(&mut WebSocket) -> R) -> Option<R> {
        let mut socket = {
            let mut place = self.lock();
            match mem::replace(&mut *place, Place::InHand) {
                Place::Here(socket) => socket,
                other => {
                    *place = other;
                    return None;
                }
            }
        };
        let polled = poll(&mut socket);
        let mut place = self.lock();
        match mem::replace(&mut *place, Place::Gone) {
            Place::InHand => {
                *place = Place::Here(socket);
                Some(polled)
            }
            other => {
                drop(place);
                if let Place::Wanted(home) = other {
                    let _ = home.send(socket);
                }
                None
            }
        }
    }

    /// Takes the WebSocket for good, as soon as a poll under way has ended. Resolves to `None` if it is gone already.
    pub(super) async fn take(&self) -> Option<Box<WebSocket>> {
        let (home, coming) = oneshot::channel();
        let here = {
            let mut place = self.lock();
            match mem::replace(&mut *place, Place::Gone) {
                Place::Here(socket) => Some(socket),
                Place::InHand => {
                    *place = Place::Wanted(home);
                    None
                }
                Place::Wanted(_) | Place::Gone => return None,
            }
        };
        self.reader.wake();
        self.writer.wake();
        match here {
            Some(socket) => Some(socket),
            None => coming.await.ok(),
        }
    }

    /// Drops the WebSocket, and with it the connection.
    pub(super) fn cut(&self) {
        let place = mem::replace(&mut *self.lock(), Place::Gone);
        drop(place);
        self.reader.wake();
        self.writer.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
