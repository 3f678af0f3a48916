//! The turn to create a property: one caller takes it, runs the initializer, and publishes the outcome.
//!
//! Only the caller whose own initializer ran is handed the value: by then the property may be removed again, and the
//! initializer is used up. A caller that finds a cell present takes the value from the cell: the functions here return
//! `None` to it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span};

use crate::error::{BoxError, PropertyError};
use crate::life::contents::Found;
use crate::life::owner::{Owner, OwnerRef};
use crate::store::creation::{Creation, Mode, Outcome};
use crate::store::key::Place;
use crate::store::wait_graph::{Running, WaitGraph};
use crate::values::about::About;
use crate::values::close::{Hook, panic_message};
use crate::values::report::Trouble;
use crate::values::value::{Held, PropertyRef, Tag};

enum Begin {
    Present(Option<Held>),
    Wait(Arc<Creation>),
    Run(Turn),
}

/// Finds the property or its creation, or takes the turn to create it.
fn begin(owner: OwnerRef<'_>, place: &Place, mode: Mode) -> Result<Begin, PropertyError> {
    let local = owner.local();
    let mut state = local.lock();
    let completed = state.is_completed();
    match state.find(place) {
        Some(Found::Entry(held)) => return Ok(Begin::Present(Some(held.again()))),
        // For a new value the caller comes in line, where the discarded one has its place until it is closed.
        Some(Found::Cell | Found::BeingClosed) => return Ok(Begin::Present(None)),
        _ if completed => return Err(PropertyError::SessionEnded),
        Some(Found::Creating(creation)) => return Ok(Begin::Wait(creation.clone())),
        None => {}
    }
    let creation = Arc::new(Creation::new(place.about(), mode));
    state.begin(place.clone(), creation.clone());
    drop(state);
    Ok(Begin::Run(Turn {
        owner: owner.to_owner(),
        place: place.clone(),
        creation,
        done: false,
    }))
}

/// The right and the duty to end one creation.
pub(crate) struct Turn {
    owner: Owner,
    place: Place,
    creation: Arc<Creation>,
    done: bool,
}

impl Turn {
    /// Returns the span in which the initializer is traced.
    fn span(&self) -> Span {
        let about = self.about();
        tracing::debug_span!("initialize", set = about.set(), property = about.name())
    }

    fn about(&self) -> &About {
        &self.creation.about
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    fn graph(&self) -> Arc<WaitGraph> {
        self.owner.local().env.graph.clone()
    }

    /// Publishes the initializer's value, or its error.
    fn finish(mut self, made: Result<Held, PropertyError>) -> Result<Held, PropertyError> {
        if let Err(error) = &made {
            let cause = std::error::Error::source(error).map(text_of);
            let about = self.about();
            let subject = self.owner.as_ref().subject();
            tracing::warn!(%subject, set = about.set(), property = about.name(), %error, cause, "a property was not created");
        }
        if let Err(PropertyError::Panicked(message)) = &made
            && self.owner.local().is_completed()
        {
            // Its callers got the error that the session has ended, so the panic still has to go into the report.
            let trouble = Trouble::Panicked(message.to_string());
            self.owner.local().note(self.about().clone(), trouble);
        }
        let published = made.and_then(|held| {
            let local = self.owner.local();
            let mut state = local.lock();
            if state.is_completed() {
                drop(state);
                // It came too late, but cleanup waits for its close.
                held.expect();
                return Err(PropertyError::SessionEnded);
            }
            state.publish(&self.place, &held);
            self.done = true;
            Ok(held)
        });
        self.end(published.as_ref().map(drop).map_err(Clone::clone));
        published
    }

    /// The session's own hold on the value that was made, by a thin layer that names its type.
    pub(crate) fn hold<T: Send + Sync + 'static>(&self, value: T, hook: Option<Hook<T>>) -> Held {
        let local = self.owner.local();
        let tag = Tag {
            about: self.about().clone(),
            born: local.env.clock.nanos(),
        };
        PropertyRef::new(value, hook, tag, || local.ledger()).hold()
    }

    fn end(&mut self, outcome: Outcome) {
        let local = self.owner.local();
        if !self.done {
            self.done = true;
            local.lock().give_up(&self.place);
        }
        self.creation.resolve(outcome);
        local.check_drained();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The initializer's task was aborted, or the runtime is gone.
        if !self.done {
            let ended = self.owner.local().is_completed();
            self.end(Err(if ended {
                PropertyError::SessionEnded
            } else {
                aborted()
            }));
        }
    }
}

/// Creates a value on this thread; it is called once.
pub(crate) type Make<'a> = dyn FnMut(&Turn) -> Result<Held, BoxError> + 'a;

/// The same, for a caller that may move to another thread before the call.
pub(crate) type SendMake<'a> = dyn FnMut(&Turn) -> Result<Held, BoxError> + Send + 'a;

/// Creates a value on a task.
pub(crate) type Making = Pin<Box<dyn Future<Output = Result<Made, BoxError>> + Send>>;

/// A value that waits for its turn to end, to be held.
pub(crate) type Made = Box<dyn FnOnce(&Turn) -> Held + Send>;

/// Gets a property, or creates it on this thread.
pub(crate) fn held_or_init(
    owner: OwnerRef<'_>,
    place: &Place,
    make: &mut Make<'_>,
) -> Result<Option<Held>, PropertyError> {
    loop {
        match begin(owner, place, Mode::Sync)? {
            Begin::Present(held) => return Ok(held),
            Begin::Wait(creation) if !creation.is_sync() => {
                return Err(PropertyError::BeingCreated);
            }
            Begin::Wait(creation) => creation.wait_blocking(&owner.local().env.graph)?,
            Begin::Run(turn) => return run_here(turn, make).map(Some),
        }
    }
}

/// Like [`held_or_init`], but waits for others without blocking.
pub(crate) async fn held_or_init_waiting(
    owner: OwnerRef<'_>,
    place: &Place,
    make: &mut SendMake<'_>,
) -> Result<Option<Held>, PropertyError> {
    loop {
        let creation = match begin(owner, place, Mode::Sync)? {
            Begin::Present(held) => return Ok(held),
            Begin::Wait(creation) => creation,
            Begin::Run(turn) => return run_here(turn, make).map(Some),
        };
        creation.wait(&owner.local().env.graph).await?;
    }
}

/// Gets a property, or creates it on a task of the session.
pub(crate) async fn held_or_init_async(
    owner: OwnerRef<'_>,
    place: &Place,
    start: &mut (dyn FnMut() -> Making + Send),
) -> Result<Option<Held>, PropertyError> {
    let graph = &owner.local().env.graph;
    loop {
        match begin(owner, place, Mode::Async)? {
            Begin::Present(held) => return Ok(held),
            Begin::Wait(creation) => creation.wait(graph).await?,
            Begin::Run(turn) => {
                let creation = turn.creation.clone();
                let made = spawn_initializer(turn, start());
                creation.wait(graph).await?;
                return made.await.map(Some).map_err(|_gone| aborted());
            }
        }
    }
}

fn run_here(turn: Turn, make: &mut Make<'_>) -> Result<Held, PropertyError> {
    let graph = turn.graph();
    let made = {
        // A property that this caller is creating waits for this one, since the initializer runs on its thread.
        let _edge = graph.wait_for(turn.creation.node())?;
        let _running = Running::enter(&graph, turn.creation.node());
        let span = turn.span();
        span.in_scope(|| catch_unwind(AssertUnwindSafe(|| make(&turn))))
    };
    turn.finish(made.map_err(panicked).and_then(|made| made.map_err(failed)))
}

fn spawn_initializer(turn: Turn, making: Making) -> oneshot::Receiver<Held> {
    let owner = turn.owner.clone();
    let about = turn.about().clone();
    let (graph, creation) = (turn.graph(), turn.creation.clone());
    let node = creation.node();
    let making = AssertUnwindSafe(making).catch_unwind();
    let (sender, receiver) = oneshot::channel();
    let span = turn.span();
    let task = async move {
        let made = Running::during(
            graph,
            node,
            |waker| creation.begin_poll(waker),
            making,
            || creation.end_poll(),
        )
        .instrument(span)
        .await;
        let made = made.map_err(panicked).and_then(|made| made.map_err(failed));
        let made = made.map(|made| made(&turn));
        let published = turn.finish(made);
        // An error is the creation's outcome already, and the caller may be gone.
        let _handed = published.map(|held| sender.send(held));
    };
    crate::life::task::spawn_initializer(owner.as_ref(), about, task);
    receiver
}

/// Returns the error's text. Its `Display` is the user's code, and may panic.
fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    catch_unwind(AssertUnwindSafe(|| error.to_string()))
        .unwrap_or_else(|panic| format!("its `Display` panicked: {}", panic_message(panic)))
}

fn failed(error: BoxError) -> PropertyError {
    PropertyError::Failed(error.into())
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> PropertyError {
    PropertyError::Panicked(panic_message(panic).into())
}

fn aborted() -> PropertyError {
    PropertyError::Failed(Arc::new(InitializerAborted))
}

/// The initializer's task was gone before its end.
#[derive(Debug)]
struct InitializerAborted;

impl std::fmt::Display for InitializerAborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the initializer's task was aborted, or its runtime is gone")
    }
}

impl std::error::Error for InitializerAborted {}
