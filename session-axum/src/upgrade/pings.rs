//! Pings, and the times after which a peer is taken for dead.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// The number of pings' times for which a peer may be silent, or take to accept a message.
const PATIENCE: u32 = 3;

pub(super) struct Pings {
    every: Duration,
    heard: Instant,
    /// The times of silence that have been seen. While the handler does not receive, none is.
    silences: u32,
    next: Pin<Box<Sleep>>,
    /// The end of the time for the message that is on its way out.
    sent_until: Option<Pin<Box<Sleep>>>,
}

/// The peer is dead.
pub(super) struct Dead;

impl Pings {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            heard: Instant::now(),
            silences: 0,
            next: Box::pin(sleep(every)),
            sent_until: None,
        }
    }

    /// The peer has sent something.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
        self.silences = 0;
    }

    /// Resolves when a ping is due, to an error if the peer is dead. Polled while nothing is there to receive.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Dead>> {
        loop {
            ready!(self.next.as_mut().poll(cx));
            let now = Instant::now();
            let due = self.heard + self.every;
            if self.silences == 0 && now < due {
                self.next.set(sleep_until(due));
                continue;
            }
            self.silences += 1;
            self.next.set(sleep(self.every));
            let is_dead = self.silences == PATIENCE;
            return Poll::Ready(if is_dead { Err(Dead) } else { Ok(()) });
        }
    }

    /// Messages have left.
    pub(super) fn sent(&mut self) {
        self.sent_until = None;
    }

    /// Resolves when a message has been on its way out for too long. Polled while it is.
    pub(super) fn poll_sent_in_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let time = self.every.saturating_mul(PATIENCE);
        let until = self.sent_until.get_or_insert_with(|| Box::pin(sleep(time)));
        until.as_mut().poll(cx)
    }
}
