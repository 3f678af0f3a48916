//! Discarding the value of an `Exclusive`: it goes to its close hook on a task that holds the place in line.
//!
//! Invariants:
//! 1. The place is left when the value is closed, whichever of its holders closes it. So there is never a second value
//!    before that.
//! 2. The close is recorded as a disposal in the step that takes the value out, so a completion either finds the value
//!    in the list or waits for this close.
//! 3. The outcome is told last, when the property is absent.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::life::owned::Disposal;
use crate::properties::lending::First;
use crate::store::line::LinePlace;
use crate::values::close::Closed;
use crate::values::report::Trouble;
use crate::values::value::Held;

/// A future that resolves when a discarded value is closed, and says how its hook ended: see
/// [`ExclusiveGuard::discard`](crate::ExclusiveGuard::discard).
///
/// The value is closed whether or not this is polled. `Err` is what went wrong:
/// [`TimedOut`](Trouble::TimedOut) after the close timeout, [`Aborted`](Trouble::Aborted) if the manager's runtime is
/// gone.
pub struct Discarded(oneshot::Receiver<Closed>);

impl Future for Discarded {
    type Output = Result<(), Trouble>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let closed = self.0.poll_unpin(cx);
        closed.map(|closed| closed.unwrap_or(Err(Trouble::Aborted)))
    }
}

impl fmt::Debug for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discarded")
    }
}

/// Discards the value that the first caller in line has in hand.
pub(crate) fn discard(held: Held, first: First) -> Discarded {
    let First { place, owner } = first;
    let local = owner.local();
    // Without a hook and without drop glue there is nothing to watch.
    let watched = held.watch();
    held.expect();
    let (taken_out, disposal) = {
        let mut state = local.lock();
        let (own, listed) = place.line().begin_close();
        let used = state.used_if_any();
        let listed = used.and_then(|used| used.unlist(listed));
        ((own, listed), Disposal::of_property(&owner, &mut state))
    };
    drop(taken_out);
    let (told, discarded) = oneshot::channel();
    let discard = Discard {
        held,
        watched,
        closed: None,
        under_way: Some((disposal, place)),
        told: Some(told),
    };
    let hurry = local.env.hurry.clone();
    local.env.runtime.spawn(discard.run(hurry));
    Discarded(discarded)
}

/// A value on its way out.
struct Discard {
    held: Held,
    watched: Option<oneshot::Receiver<Closed>>,
    closed: Option<Closed>,
    under_way: Option<(Option<Disposal>, LinePlace)>,
    told: Option<oneshot::Sender<Closed>>,
}

impl Discard {
    async fn run(mut self, hurry: CancellationToken) {
        let close = self.held.take().and_then(Held::let_go);
        if let Some((entry, closing)) = close {
            entry.run(closing, hurry.cancelled()).await;
        }
        // Another holder may be the last one: a task that has just created the value, or a cleanup.
        self.closed = Some(match &mut self.watched {
            Some(watched) => watched.await.unwrap_or(Err(Trouble::Aborted)),
            None => Ok(()),
        });
    }
}

impl Drop for Discard {
    fn drop(&mut self) {
        // If the task has not run to its end, its runtime is gone, and this closes the value as far as possible.
        drop(self.held.take());
        let closed = self.closed.take().or_else(|| match &mut self.watched {
            Some(watched) => watched.try_recv().ok(),
            None => Some(Ok(())),
        });
        if let Some((disposal, place)) = self.under_way.take() {
            place.line().end_close();
            drop(disposal);
            drop(place);
        }
        if let Some(told) = self.told.take() {
            let _gone = told.send(closed.unwrap_or(Err(Trouble::Aborted)));
        }
    }
}
