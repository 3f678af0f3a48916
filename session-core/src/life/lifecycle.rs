//! The life of a session or group: `Active -> Completed -> CleanedUp`, never back.
//!
//! Invariants:
//! 1. One lock guards the flip to completed, publication, the list of values and the token. So "completed at
//!    the very moment when ..." is a question of who gets the lock.
//! 2. `cause` is set once, together with the activity's `COMPLETED` and with leaving the registry.
//! 3. The token is cancelled after the flip, outside the lock; one that is made after the flip is born
//!    cancelled. A token made outside the lock could miss both.
//! 4. No user code runs under the lock, and it is not held over an `.await`.
//! 5. Lock order: the search for a session to evict, a session's state, its seat, a group's members, a registry shard;
//!    never two of a kind, and a group's state is taken while none of these is held. A ledger's lock is a leaf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::error::PropertyError;
use crate::event::{LifecycleEvent, Subject};
use crate::life::activity::{Activity, Alive};
use crate::life::cause::CompletionCause;
use crate::life::cleanup::{self, CleanupCompleted, Signal};
use crate::life::clock::Ticks;
use crate::life::close::caught;
use crate::life::ledger::Ledger;
use crate::life::owned::Owning;
use crate::life::report::{About, CleanupReport, Trouble};
use crate::life::task::Task;
use crate::life::until_completed::AnySlot;
use crate::owner::OwnerRef;
use crate::properties::creation::Creation;
use crate::properties::props::AnySet;
use crate::properties::table::Table;
use crate::shared::Shared;
use crate::sync::{Mutex, MutexGuard};

/// What a session and a group have in common.
#[repr(C)]
pub(crate) struct Local {
    /// The requests inside; of a group, the requests that were inside sessions when these left it.
    pub(crate) activity: Activity,
    state: Mutex<State>,
    pub(crate) shared: Arc<Shared>,
}

/// What the lock guards.
#[derive(Default)]
#[repr(C)]
pub(crate) struct State {
    /// The first property set in use, mostly the only one: a request finds it without a look into `used`.
    first_set: Option<Arc<dyn AnySet>>,
    cause: Option<CompletionCause>,
    cleaned_up: bool,
    /// The end of cleanup may be heard of.
    told: bool,
    used: Option<Box<Used>>,
    report: CleanupReport,
}

/// What a session may never use, made when it is first used and gone after cleanup.
#[derive(Default)]
pub(crate) struct Used {
    token: Option<CancellationToken>,
    pub(crate) table: Table,
    more_sets: Vec<Arc<dyn AnySet>>,
    pub(crate) owned: BTreeMap<u64, Owning>,
    /// The values of requests that end with the session; each holds its request inside.
    pub(crate) slots: BTreeMap<u64, Arc<dyn AnySlot>>,
    pub(crate) tasks: HashMap<u64, Task>,
    /// The `keep_alive()` guards that exist.
    pub(crate) kept: usize,
    /// The `dispose()` calls under way.
    pub(crate) disposals: HashMap<u64, About>,
    next: u64,
    ledger: Option<Arc<Ledger>>,
    signal: Option<Signal>,
    /// Wakes the cleanup when something it waits for has ended; there from completion on.
    drained: Option<Arc<Notify>>,
}

impl State {
    pub(crate) fn is_completed(&self) -> bool {
        self.cause.is_some()
    }

    pub(crate) fn is_cleaned_up(&self) -> bool {
        self.cleaned_up
    }

    /// The property sets in use.
    pub(crate) fn sets(&self) -> impl Iterator<Item = &Arc<dyn AnySet>> {
        let more = self.used.iter().flat_map(|used| &used.more_sets);
        self.first_set.iter().chain(more)
    }

    pub(crate) fn add_set(&mut self, set: Arc<dyn AnySet>) {
        match self.first_set {
            None => self.first_set = Some(set),
            Some(_) => self.used_mut().more_sets.push(set),
        }
    }

    pub(crate) fn used(&self) -> Option<&Used> {
        self.used.as_deref()
    }

    /// What is used, without making it: after cleanup it is gone for good.
    pub(crate) fn used_if_any(&mut self) -> Option<&mut Used> {
        self.used.as_deref_mut()
    }

    pub(crate) fn used_mut(&mut self) -> &mut Used {
        self.used.get_or_insert_default()
    }
}

impl Used {
    /// A number that nothing else of this session has.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn ledger(&mut self, shared: &Shared) -> Arc<Ledger> {
        self.ledger
            .get_or_insert_with(|| Arc::new(shared.new_ledger()))
            .clone()
    }

    /// Does cleanup have nothing to wait for before it closes the properties?
    pub(crate) fn is_drained(&self) -> bool {
        self.tasks.is_empty() && self.disposals.is_empty() && !self.table.is_creating()
    }

    fn owes_nothing(&self) -> bool {
        self.is_drained()
            && self.owned.is_empty()
            && !self.table.has_published()
            && self
                .ledger
                .as_ref()
                .is_none_or(|ledger| ledger.is_settled())
    }
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, now: Ticks) -> Self {
        Self {
            shared,
            activity: Activity::new(now),
            state: Mutex::new(State::default()),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn is_completed(&self) -> bool {
        // The mark is the first part of one step: who sees it waits for the rest, or it could still find the
        // session by its id.
        self.activity.is_completed() && self.lock().is_completed()
    }

    pub(crate) fn cause(&self) -> Option<CompletionCause> {
        self.lock().cause
    }

    /// A child of the session's own token.
    pub(crate) fn token(&self) -> CancellationToken {
        let mut state = self.lock();
        if state.is_completed() {
            let token = CancellationToken::new();
            token.cancel();
            return token;
        }
        state.used_mut().token.get_or_insert_default().child_token()
    }

    /// The accounts of this session's values.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        let mut state = self.lock();
        if state.cleaned_up {
            // What comes so late is in nobody's report, and brings nothing of the session back.
            return Arc::new(self.shared.new_ledger());
        }
        let completed = state.is_completed();
        let ledger = state.used_mut().ledger(&self.shared);
        if completed {
            ledger.open();
        }
        ledger
    }

    /// Notes trouble for the report, if there is to be one.
    pub(crate) fn note(&self, about: About, trouble: Trouble) {
        self.ledger().note(about, trouble);
    }

    /// Wakes the cleanup if it may have been waiting for what has just ended.
    pub(crate) fn check_drained(&self) {
        if !self.is_completed() {
            return;
        }
        let drained = self.lock().used().and_then(|used| used.drained.clone());
        if let Some(drained) = drained {
            drained.notify_one();
        }
    }

    /// Is nothing left that cleanup waits for before it closes the properties?
    pub(crate) fn is_drained(&self) -> bool {
        self.activity.inside() == 0 && self.lock().used().is_none_or(Used::is_drained)
    }

    pub(crate) fn cleanup_completed(&self) -> CleanupCompleted {
        let mut state = self.lock();
        if state.told {
            let (done, receiver) = oneshot::channel();
            let _ = done.send(state.report.clone());
            return CleanupCompleted::new(receiver.shared());
        }
        state
            .used_mut()
            .signal
            .get_or_insert_with(Signal::new)
            .completed()
    }

    /// The sets and the properties by key, to be dropped outside the lock: cleanup has come to the properties.
    pub(crate) fn take_sets(
        &self,
    ) -> (
        impl Sized + Send + use<>,
        impl Iterator<Item: Send> + Send + use<>,
    ) {
        let mut state = self.lock();
        let first = state.first_set.take();
        let used = state.used_mut();
        let more = std::mem::take(&mut used.more_sets);
        ((first, more), used.table.take_slots())
    }
}

/// A completion whose step is done, and of which the rest runs user code: outside all locks.
#[must_use = "nothing is cleaned up before it is carried out"]
pub(crate) struct Completion {
    cause: CompletionCause,
    token: Option<CancellationToken>,
    creations: Vec<Arc<Creation>>,
    drained: Option<Arc<Notify>>,
}

/// Completes a session or group.
pub(crate) fn complete<R>(
    owner: OwnerRef<'_>,
    cause: CompletionCause,
    mark: impl FnOnce(&Activity) -> Result<(), Alive>,
    unregister: impl FnOnce() -> R,
) -> Result<R, Alive> {
    let (unregistered, completion) = begin(owner, cause, mark, unregister)?;
    completion.carry_out(owner);
    Ok(unregistered)
}

/// The step of completion: `mark` sets the activity's `COMPLETED`, or says why not, and `unregister` takes the session out
/// of the registry.
pub(crate) fn begin<R>(
    owner: OwnerRef<'_>,
    cause: CompletionCause,
    mark: impl FnOnce(&Activity) -> Result<(), Alive>,
    unregister: impl FnOnce() -> R,
) -> Result<(R, Completion), Alive> {
    let local = owner.local();
    let mut state = local.lock();
    if state.is_completed() {
        return Err(Alive::Completed);
    }
    mark(&local.activity)?;
    state.cause = Some(cause);
    let inside = local.activity.inside() > 0;
    let owes = inside || state.used().is_some_and(|used| !used.owes_nothing());
    if owes {
        let used = state.used_mut();
        used.drained = Some(Arc::default());
        used.ledger(&local.shared).open();
    }
    let unregistered = local.shared.completing(owner, cause, owes, unregister);
    let used = state.used();
    let completion = Completion {
        cause,
        token: used.and_then(|used| used.token.clone()),
        creations: used.map(|used| used.table.creations()).unwrap_or_default(),
        drained: used.and_then(|used| used.drained.clone()),
    };
    Ok((unregistered, completion))
}

impl Completion {
    pub(crate) fn carry_out(self, owner: OwnerRef<'_>) {
        // A waker that panics keeps no session from being cleaned up.
        let woken = caught(|| {
            if let Some(token) = self.token {
                token.cancel();
            }
            Ok(())
        });
        let resolved = self.creations.into_iter().map(|creation| {
            caught(|| {
                creation.resolve(Err(PropertyError::SessionEnded));
                Ok(())
            })
        });
        for trouble in resolved.chain([woken]).filter_map(Result::err) {
            tracing::error!(%trouble, "a task could not be woken");
        }
        owner.local().shared.completed(owner, self.cause);
        match self.drained {
            Some(drained) => cleanup::spawn(owner, drained),
            None => finish(owner, &CleanupReport::default()),
        }
    }
}

/// The last step of cleanup: `CleanedUp`, and the group is left.
pub(crate) fn finish(owner: OwnerRef<'_>, report: &CleanupReport) {
    let ((first_set, used), left) = {
        let mut state = owner.local().lock();
        state.cleaned_up = true;
        state.report = report.clone();
        let left = match owner {
            OwnerRef::Session(session) => session.leave_group(),
            OwnerRef::Group(_) => None,
        };
        ((state.first_set.take(), state.used.take()), left)
    };
    let shared = &owner.local().shared;
    shared.emit(|| LifecycleEvent::CleanedUp(Subject::of(owner), report.clone()));
    if let Some(group) = left {
        group.complete();
    }
    let early = {
        let mut used = used;
        let signal = used.as_mut().and_then(|used| used.signal.take());
        // Values with nothing to close go here, and the sets that hold them: none of this is user code.
        drop((first_set, used));
        signal
    };
    // Before anybody hears of it: who does finds the place in the manager free.
    shared.cleaned_up(owner, report);
    let late = {
        let mut state = owner.local().lock();
        state.told = true;
        // Whoever has asked since `used` was taken is all there is in a new one.
        state.used.take().and_then(|mut used| used.signal.take())
    };
    for signal in early.into_iter().chain(late) {
        let resolved = caught(|| {
            signal.resolve(report.clone());
            Ok(())
        });
        if let Err(trouble) = resolved {
            tracing::error!(%trouble, "a task could not be woken");
        }
    }
}
