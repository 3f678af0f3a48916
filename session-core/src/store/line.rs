//! The line of callers for a value that is lent to one at a time, and the value.
//!
//! Invariants:
//! 1. The caller that is first has the value for itself: it alone creates, lends and discards it. Others only set a
//!    value where none is.
//! 2. Places keep their order, whatever becomes of the value. A place that is left is taken by the next caller in line.
//! 3. A caller that waits is told of each creation that begins meanwhile, and looks at its outcome before it is first.
//! 4. The lock is a leaf, taken under a session's state or alone. No user code runs under it: wakers, creations and
//!    values are dropped outside.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::store::any_set::Presence;
use crate::store::creation::Creation;
use crate::sync::{Counted, Mutex};
use crate::values::close::caught;
use crate::values::value::Held;

/// A line is made on first use, and lives as long as its cell.
pub(crate) struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    /// Empty while the property is absent or its value is being closed.
    value: Held,
    /// The value's number in the list of values to close, or zero. It stays until the value is closed.
    listed: u64,
    /// The first place, or zero.
    first: u32,
    /// The place that was taken last.
    last: u32,
    /// The callers that wait, in order. Behind a pointer, because few lines have any.
    #[expect(
        clippy::box_collection,
        reason = "a queue takes four words of every line"
    )]
    waiting: Option<Box<VecDeque<Waiting>>>,
}

struct Waiting {
    place: u32,
    waker: Option<Waker>,
    /// The creation that has begun since its last look.
    creation: Option<Arc<Creation>>,
}

/// A place in a line, left when it is dropped.
pub(crate) struct LinePlace {
    line: Counted<Line>,
    number: u32,
}

/// The news for a caller that waits.
pub(crate) enum News {
    First,
    /// The value is being created.
    Creation(Arc<Creation>),
}

impl Line {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::default()))
    }

    pub(crate) fn presence(&self) -> Presence {
        let state = self.0.lock();
        if !state.value.is_empty() {
            Presence::Present {
                born: state.value.tag().born,
            }
        } else if state.listed > 0 {
            Presence::BeingClosed
        } else {
            Presence::Absent
        }
    }

    /// Whether there is neither a value nor a caller.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.0.lock();
        state.value.is_empty() && state.first == 0
    }

    /// Returns another hold of the value, if it is present.
    pub(crate) fn value(&self) -> Option<Held> {
        let state = self.0.lock();
        (!state.value.is_empty()).then(|| state.value.again())
    }

    /// Sets the value, which is absent, with its number in the list of values to close.
    pub(crate) fn publish(&self, held: Held, listed: Option<u64>) {
        let mut state = self.0.lock();
        debug_assert!(state.value.is_empty(), "only the first takes a value out");
        state.value = held;
        state.listed = listed.unwrap_or_default();
    }

    /// Tells the callers that wait of a creation that has begun.
    pub(crate) fn tell(&self, creation: &Arc<Creation>) {
        let mut told = Vec::new();
        for waiting in self
            .0
            .lock()
            .waiting
            .iter_mut()
            .flat_map(|all| all.iter_mut())
        {
            let before = waiting.creation.replace(creation.clone());
            told.push((before, waiting.waker.take()));
        }
        for (_before, waker) in told {
            wake(waker);
        }
    }

    /// Takes the value out to be closed. Returns it with its number in the list of values to close.
    pub(crate) fn begin_close(&self) -> (Option<Held>, u64) {
        let mut state = self.0.lock();
        (state.value.take(), state.listed)
    }

    /// Makes the property absent again.
    pub(crate) fn end_close(&self) {
        self.0.lock().listed = 0;
    }
}

impl State {
    fn enter(&mut self) -> u32 {
        // Long before the numbers come round, a place of that number has been left.
        self.last = self.last.checked_add(1).unwrap_or(1);
        if self.first == 0 {
            self.first = self.last;
        } else {
            self.waiting.get_or_insert_default().push_back(Waiting {
                place: self.last,
                waker: None,
                creation: None,
            });
        }
        self.last
    }

    fn waiting(&mut self, place: u32) -> Option<&mut Waiting> {
        let mut waiting = self.waiting.as_mut()?.iter_mut();
        waiting.find(|waiting| waiting.place == place)
    }

    fn remove(&mut self, place: u32) -> Option<Waiting> {
        let waiting = self.waiting.as_mut()?;
        let at = waiting.iter().position(|waiting| waiting.place == place)?;
        let removed = waiting.remove(at);
        self.waiting.take_if(|waiting| waiting.is_empty());
        removed
    }

    /// Makes the next caller the first. Returns its waker.
    fn advance(&mut self) -> Option<Waker> {
        let next = self
            .waiting
            .as_mut()
            .and_then(|waiting| waiting.front_mut());
        self.first = next.as_ref().map_or(0, |next| next.place);
        next?.waker.take()
    }
}

impl LinePlace {
    /// Takes the last place.
    pub(crate) fn take(line: &Counted<Line>) -> Self {
        let number = line.0.lock().enter();
        Self {
            line: line.clone(),
            number,
        }
    }

    /// Takes the first place, if it is free.
    pub(crate) fn take_first(line: &Counted<Line>) -> Option<Self> {
        let number = {
            let mut state = line.0.lock();
            (state.first == 0).then(|| state.enter())
        };
        Some(Self {
            number: number?,
            line: line.clone(),
        })
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    pub(crate) fn is_first(&self) -> bool {
        self.line.0.lock().first == self.number
    }

    /// Waits for the next news.
    pub(crate) async fn news(&self) -> News {
        poll_fn(|cx| self.poll_news(cx)).await
    }

    fn poll_news(&self, cx: &mut Context<'_>) -> Poll<News> {
        let waker = cx.waker().clone();
        let mut state = self.line.0.lock();
        let is_first = state.first == self.number;
        let waiting = state.waiting(self.number);
        if let Some(creation) = waiting.and_then(|waiting| waiting.creation.take()) {
            return Poll::Ready(News::Creation(creation));
        }
        let old = if is_first {
            state.remove(self.number).and_then(|own| own.waker)
        } else {
            let waiting = state.waiting(self.number);
            waiting.and_then(|waiting| waiting.waker.replace(waker))
        };
        drop(state);
        drop(old);
        if is_first {
            Poll::Ready(News::First)
        } else {
            Poll::Pending
        }
    }
}

impl Drop for LinePlace {
    fn drop(&mut self) {
        let (own, next) = {
            let mut state = self.line.0.lock();
            let own = state.remove(self.number);
            let is_first = state.first == self.number;
            (own, is_first.then(|| state.advance()).flatten())
        };
        wake(next);
        drop(own);
    }
}

/// Wakes a caller. A waker that panics does not keep others from being woken.
fn wake(waker: Option<Waker>) {
    let woken = caught(|| {
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    });
    if let Err(trouble) = woken {
        tracing::error!(%trouble, "a task could not be woken");
    }
}
