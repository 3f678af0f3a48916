//! Values that end with their session, or when the session is parted from the request they belong to.
//!
//! Invariants:
//! 1. The contents are in one place at a time: in the slot, in the poller's hand, or gone.
//! 2. An emptied slot stays empty, and yields nothing that its contents produce afterwards. A poll under way drops the
//!    contents itself.
//! 3. The slot's lock is a leaf, and no user code runs under it.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures_util::Stream;
use pin_project_lite::pin_project;

use crate::error::SessionEnded;
use crate::life::slot::{AnySlot, Emptied};
use crate::sessions::guard::{Arrival, RequestGuard};
use crate::sessions::session::{Session, WeakSession};
use crate::sync::Mutex;

/// A future, stream or other value that ends with its session: see [`RequestGuard::until_completed`].
///
/// As a future it then resolves to [`SessionEnded`]; as a stream it just ends. For other kinds of values there is
/// [`poll_with`](Self::poll_with).
///
/// # Cancel safety
///
/// Dropping it drops the value and leaves the session, just as the value's own end does.
#[must_use = "dropping it drops the value"]
pub struct UntilCompleted<T> {
    /// `None` once the value has ended by itself.
    slot: Option<Arc<Slot<T>>>,
    session: WeakSession,
    number: u64,
}

struct Slot<T> {
    request: u64,
    place: Mutex<Place<T>>,
}

struct Place<T> {
    contents: Contents<T>,
    waker: Option<Waker>,
}

enum Contents<T> {
    Here(Pin<Box<Held<T>>>),
    /// Being polled. Stays so if the poll panicked.
    InHand,
    Gone,
}

pin_project! {
    /// The fields drop in this order, so that the request leaves when its value is gone.
    struct Held<T> {
        #[pin]
        value: T,
        guard: Option<RequestGuard>,
    }
}

impl RequestGuard {
    /// Holds a value for this request only as long as the session is active.
    ///
    /// At completion, or when the session is [parted](Self::is_parted) from the request, the value and then this guard
    /// are dropped at once, on a task of the manager's runtime, whether or not anything polls. So a client that has
    /// stopped reading a stream holds up neither the session's cleanup nor the values that the stream borrowed. If the
    /// session has already ended, or is already parted from the request, the value is dropped in this call.
    ///
    /// Clones of the guard stay: the request leaves when they are gone, too. If one of them changes the id, the value
    /// goes on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionEnded, SessionManager};
    /// # let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// let endless = session.enter()?.until_completed(std::future::pending::<()>());
    /// session.terminate();
    /// assert_eq!(endless.await, Err(SessionEnded));
    /// assert!(session.cleanup_completed().await.is_clean());
    /// # Ok(()) }
    /// ```
    pub fn until_completed<T: Send + 'static>(self, value: T) -> UntilCompleted<T> {
        let (session, arrival) = (self.session().clone(), self.arrival());
        UntilCompleted::new(&session, arrival, Held::new(value, Some(self)))
    }

    /// The same for a value that does not keep the session from being idle: the request leaves in this call. A
    /// connection that stays open while nothing happens holds its task so, and the session may expire meanwhile.
    ///
    /// The value is dropped as [`until_completed`](Self::until_completed) says, but cleanup does not wait for a poll
    /// that is under way: the poller drops the value as soon as that poll ends.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, CompletionCause, SessionEnded, SessionManager};
    /// # use std::time::Duration;
    /// # tokio::time::pause();
    /// let sessions = SessionManager::builder().idle_timeout(Duration::from_secs(60)).build()?;
    /// let session = sessions.create()?;
    /// let endless = session.enter()?.idle_until_completed(std::future::pending::<()>());
    /// assert_eq!(endless.await, Err(SessionEnded));
    /// assert_eq!(session.completion_cause(), Some(CompletionCause::IdleTimeout));
    /// # Ok(()) }
    /// ```
    pub fn idle_until_completed<T: Send + 'static>(self, value: T) -> UntilCompleted<T> {
        UntilCompleted::new(self.session(), self.arrival(), Held::new(value, None))
    }
}

impl<T> Held<T> {
    fn new(value: T, guard: Option<RequestGuard>) -> Self {
        Self { value, guard }
    }
}

impl<T: Send + 'static> UntilCompleted<T> {
    fn new(session: &Session, arrival: Arrival, held: Held<T>) -> Self {
        let slot = Arc::new(Slot {
            request: arrival.request(),
            place: Mutex::new(Place {
                contents: Contents::Here(Box::pin(held)),
                waker: None,
            }),
        });
        let mut state = session.local().lock();
        // Under the lock that completion and parting take: if either comes later, it finds the slot.
        let number = if state.is_completed() || session.is_parted_since(arrival) {
            drop(state);
            // A panic propagates to the caller, as from any drop.
            drop(slot.empty().held);
            0
        } else {
            let used = state.used_mut();
            let number = used.number();
            used.rare_mut().slots.insert(number, slot.clone());
            number
        };
        UntilCompleted {
            slot: Some(slot),
            session: session.downgrade(),
            number,
        }
    }
}

impl<T> UntilCompleted<T> {
    /// Polls the value with `poll`, unless it has ended. This is how other kinds of values are wrapped. Drop `self`
    /// when the value has ended by itself.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] once the session has ended or was parted from the request, even if that happened during `poll`.
    ///
    /// # Panics
    ///
    /// If `poll` panics. Later calls return [`SessionEnded`].
    pub fn poll_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<Result<R, SessionEnded>> {
        let Some(slot) = &self.slot else {
            return Poll::Ready(Err(SessionEnded));
        };
        let waker = cx.waker().clone();
        let (contents, old_waker) = {
            let mut place = slot.place.lock();
            let emptied = !matches!(place.contents, Contents::Here(_));
            let next = if emptied {
                Contents::Gone
            } else {
                Contents::InHand
            };
            let contents = mem::replace(&mut place.contents, next);
            (contents, place.waker.replace(waker))
        };
        drop(old_waker);
        let Contents::Here(mut held) = contents else {
            return Poll::Ready(Err(SessionEnded));
        };
        let polled = poll(held.as_mut().project().value, cx);
        let late = {
            let mut place = slot.place.lock();
            match place.contents {
                Contents::InHand => {
                    place.contents = Contents::Here(held);
                    None
                }
                _ => Some(held),
            }
        };
        if late.is_some() {
            return Poll::Ready(Err(SessionEnded));
        }
        polled.map(Ok)
    }

    /// Drops the value and leaves the session.
    fn end(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        if let Some(session) = self.session.upgrade() {
            let registered = session
                .local()
                .lock()
                .used_if_any()
                .and_then(|used| used.rare_if_any()?.slots.remove(&self.number));
            drop(registered);
        }
        let contents = mem::replace(&mut slot.place.lock().contents, Contents::Gone);
        drop(contents);
    }
}

impl<T> Drop for UntilCompleted<T> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<F: Future> Future for UntilCompleted<F> {
    type Output = Result<F::Output, SessionEnded>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(self.poll_with(cx, F::poll));
        self.end();
        Poll::Ready(output)
    }
}

impl<S: Stream> Stream for UntilCompleted<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let item = ready!(self.poll_with(cx, S::poll_next)).ok().flatten();
        if item.is_none() {
            self.end();
        }
        Poll::Ready(item)
    }
}

impl<T> fmt::Debug for UntilCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UntilCompleted<{}>", std::any::type_name::<T>())
    }
}

impl<T: Send + 'static> AnySlot for Slot<T> {
    fn request(&self) -> u64 {
        self.request
    }

    fn empty(&self) -> Emptied {
        let mut place = self.place.lock();
        let contents = mem::replace(&mut place.contents, Contents::Gone);
        let waker = place.waker.take();
        let held = match contents {
            Contents::Here(held) => Some(held as Pin<Box<dyn Send>>),
            Contents::InHand | Contents::Gone => None,
        };
        Emptied {
            held,
            waker,
            type_name: std::any::type_name::<T>(),
        }
    }
}
