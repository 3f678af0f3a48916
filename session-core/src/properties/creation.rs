//! One property being created: who makes it, who waits, and what came of it.
//!
//! Invariants:
//! 1. An outcome is set once: by the initialiser's end, or by completion before it.
//! 2. A waiter never holds the value: it looks again once there is an outcome. Only the caller whose own
//!    initialiser ran is handed it: by then it may be removed again, and there is nothing to make another with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, oneshot};
use tracing::{Instrument as _, Span};

use crate::error::PropertyError;
use crate::life::close::{Hook, panic_message};
use crate::life::report::{About, Trouble};
use crate::life::value::{PropertyRef, Tag};
use crate::owner::{Owner, OwnerRef};
use crate::properties::key::SlotKey;
use crate::properties::table::SlotState;
use crate::properties::wait_graph::{Node, Running, WaitGraph};
use crate::sync::{Condvar, Mutex, wait_for};

/// What an initialiser that may fail fails with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Outcome = Result<(), PropertyError>;

/// How an initialiser runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On its first caller's thread; others block.
    Sync,
    /// On a task of the session; all callers wait.
    Async,
}

pub(crate) struct Creation {
    pub(crate) about: About,
    mode: Mode,
    node: Node,
    outcome: Mutex<Option<Outcome>>,
    ended: Condvar,
    woken: Notify,
}

impl Creation {
    /// It runs on a caller's thread, where nothing can abort it.
    pub(crate) fn is_sync(&self) -> bool {
        self.mode == Mode::Sync
    }

    /// Sets the outcome, unless there is one.
    pub(crate) fn resolve(&self, outcome: Outcome) {
        self.outcome.lock().get_or_insert(outcome);
        self.ended.notify_all();
        self.woken.notify_waiters();
    }

    fn wait_blocking(&self, graph: &Arc<WaitGraph>) -> Outcome {
        let _edge = graph.wait_for(self.node)?;
        wait_for(&self.ended, self.outcome.lock(), |outcome| outcome.clone())
    }

    async fn wait(&self, graph: &Arc<WaitGraph>) -> Outcome {
        let _edge = graph.wait_for(self.node)?;
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            woken.as_mut().enable();
            if let Some(outcome) = self.outcome.lock().clone() {
                return outcome;
            }
            woken.await;
        }
    }
}

/// Where a property stands or will stand.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) hash: u64,
    pub(crate) key: SlotKey,
    pub(crate) about: About,
}

enum Begin<T: Send + Sync + 'static> {
    Present(PropertyRef<T>),
    Wait(Arc<Creation>),
    Run(Turn),
}

/// Finds the property, or who makes it, or takes the turn to make it.
fn begin<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: &Place,
    mode: Mode,
) -> Result<Begin<T>, PropertyError> {
    let local = owner.local();
    let mut state = local.lock();
    if let Some(used) = state.used()
        && let Some(slot) = used.table.get(place.hash, &place.key)
    {
        return match slot {
            SlotState::Creating(_) if state.is_completed() => Err(PropertyError::SessionEnded),
            SlotState::Creating(creation) => Ok(Begin::Wait(creation.clone())),
            SlotState::Present { held, .. } => match held.handle() {
                Some(handle) => Ok(Begin::Present(handle)),
                None => unreachable!("a slot's key holds the type of its value"),
            },
        };
    }
    if state.is_completed() {
        return Err(PropertyError::SessionEnded);
    }
    let creation = Arc::new(Creation {
        about: place.about.clone(),
        mode,
        node: local.shared.graph.node(),
        outcome: Mutex::new(None),
        ended: Condvar::new(),
        woken: Notify::new(),
    });
    state
        .used_mut()
        .table
        .begin(place.hash, place.key.clone(), creation.clone());
    drop(state);
    Ok(Begin::Run(Turn {
        owner: owner.to_owner(),
        place: place.clone(),
        creation,
        done: false,
    }))
}

/// The right, and the duty, to end one creation.
struct Turn {
    owner: Owner,
    place: Place,
    creation: Arc<Creation>,
    done: bool,
}

impl Turn {
    /// What the initialiser does is traced in this.
    fn span(&self) -> Span {
        let About { set, name, .. } = &self.place.about;
        tracing::debug_span!("initialise", set = *set, property = name.as_str())
    }

    fn graph(&self) -> Arc<WaitGraph> {
        self.owner.local().shared.graph.clone()
    }

    /// Publishes what the initialiser made, or that it made nothing.
    fn finish<T: Send + Sync + 'static>(
        mut self,
        made: Result<T, PropertyError>,
        hook: Option<Hook<T>>,
    ) -> Result<PropertyRef<T>, PropertyError> {
        if let Err(error) = &made {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            let Place { about, .. } = &self.place;
            tracing::warn!(set = about.set, property = about.name.as_str(), %error, cause, "a property was not created");
        }
        if let Err(PropertyError::Panicked(message)) = &made
            && self.owner.local().is_completed()
        {
            // Its callers have been told that the session ended: only the report is left to tell.
            let trouble = Trouble::Panicked(message.to_string());
            self.owner.local().note(self.place.about.clone(), trouble);
        }
        let published = made.and_then(|value| {
            let local = self.owner.local();
            let tag = Tag::new(
                self.place.about.clone(),
                local.shared.clock.instant(),
                local.ledger(),
            );
            let handle = PropertyRef::new(value, hook, tag);
            let mut state = local.lock();
            if state.is_completed() {
                drop(state);
                handle.forsake();
                return Err(PropertyError::SessionEnded);
            }
            state
                .used_mut()
                .table
                .publish(self.place.hash, &self.place.key, &handle);
            self.done = true;
            Ok(handle)
        });
        self.end(published.as_ref().map(drop).map_err(Clone::clone));
        published
    }

    fn end(&mut self, outcome: Outcome) {
        let local = self.owner.local();
        if !self.done {
            self.done = true;
            if let Some(used) = local.lock().used_if_any() {
                used.table.give_up(self.place.hash, &self.place.key);
            }
        }
        self.creation.resolve(outcome);
        local.check_drained();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The task that made it was aborted, or the runtime is gone.
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

/// Gets a property, or makes it on this thread.
pub(crate) fn get_or_init<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: &Place,
    make: impl FnOnce() -> Result<T, BoxError>,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<PropertyRef<T>, PropertyError> {
    loop {
        match begin(owner, place, Mode::Sync)? {
            Begin::Present(handle) => return Ok(handle),
            Begin::Wait(creation) if creation.mode == Mode::Async => {
                return Err(PropertyError::BeingCreated);
            }
            Begin::Wait(creation) => creation.wait_blocking(&owner.local().shared.graph)?,
            Begin::Run(turn) => return run_here(turn, make, hook),
        }
    }
}

/// Like [`get_or_init`], but waits for others without blocking.
pub(crate) async fn get_or_init_waiting<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: &Place,
    make: impl FnOnce() -> Result<T, BoxError> + Send,
    hook: impl FnOnce() -> Option<Hook<T>> + Send,
) -> Result<PropertyRef<T>, PropertyError> {
    loop {
        let creation = match begin(owner, place, Mode::Sync)? {
            Begin::Present(handle) => return Ok(handle),
            Begin::Wait(creation) => creation,
            Begin::Run(turn) => return run_here(turn, make, hook),
        };
        creation.wait(&owner.local().shared.graph).await?;
    }
}

/// Gets a property, or makes it on a task of the session.
pub(crate) async fn get_or_init_async<T, Fut>(
    owner: OwnerRef<'_>,
    place: &Place,
    make: impl FnOnce() -> Fut + Send + 'static,
    hook: impl FnOnce() -> Option<Hook<T>> + Send + 'static,
) -> Result<PropertyRef<T>, PropertyError>
where
    T: Send + Sync + 'static,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    let graph = &owner.local().shared.graph;
    loop {
        match begin(owner, place, Mode::Async)? {
            Begin::Present(handle) => return Ok(handle),
            Begin::Wait(creation) => creation.wait(graph).await?,
            Begin::Run(turn) => {
                let creation = turn.creation.clone();
                let made = spawn_initialiser(turn, make, hook);
                creation.wait(graph).await?;
                return made.await.map_err(|_gone| aborted());
            }
        }
    }
}

fn run_here<T: Send + Sync + 'static>(
    turn: Turn,
    make: impl FnOnce() -> Result<T, BoxError>,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<PropertyRef<T>, PropertyError> {
    let graph = turn.graph();
    let made = {
        // Whoever is being created by this caller waits for it, since it runs on its thread.
        let _edge = graph.wait_for(turn.creation.node)?;
        let _running = Running::enter(&graph, turn.creation.node);
        let span = turn.span();
        span.in_scope(|| catch_unwind(AssertUnwindSafe(make)))
    };
    turn.finish(
        made.map_err(panicked).and_then(|made| made.map_err(failed)),
        hook(),
    )
}

fn spawn_initialiser<T, Fut>(
    turn: Turn,
    make: impl FnOnce() -> Fut + Send + 'static,
    hook: impl FnOnce() -> Option<Hook<T>> + Send + 'static,
) -> oneshot::Receiver<PropertyRef<T>>
where
    T: Send + Sync + 'static,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    let owner = turn.owner.clone();
    let about = turn.place.about.clone();
    let (graph, node) = (turn.graph(), turn.creation.node);
    let making = AssertUnwindSafe(async move { make().await }).catch_unwind();
    let (sender, receiver) = oneshot::channel();
    let span = turn.span();
    let task = async move {
        let made = Running::during(graph, node, making).instrument(span).await;
        let published = turn.finish(
            made.map_err(panicked).and_then(|made| made.map_err(failed)),
            hook(),
        );
        // What went wrong is the creation's outcome; and the caller may be gone.
        let _handed = published.map(|handle| sender.send(handle));
    };
    crate::life::task::spawn_initialiser(owner.as_ref(), about, task);
    receiver
}

fn failed(error: BoxError) -> PropertyError {
    PropertyError::Failed(error.into())
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> PropertyError {
    PropertyError::Panicked(panic_message(panic).into())
}

fn aborted() -> PropertyError {
    PropertyError::Failed(Arc::new(InitialiserAborted))
}

/// The initialiser's task was gone before its end.
#[derive(Debug)]
struct InitialiserAborted;

impl std::fmt::Display for InitialiserAborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the initialiser's task was aborted, or its runtime is gone")
    }
}

impl std::error::Error for InitialiserAborted {}
