//! A session or group without its type, and the parts that the two have in common.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::life::activity::Activity;
use crate::life::cause::{CompletionCause, Ending};
use crate::life::clock::Ticks;
use crate::life::env::Env;
use crate::life::event::Subject;
use crate::life::signal::{CleanupCompleted, Signal};
use crate::life::state::{State, Used};
use crate::store::table::Slot;
use crate::sync::{Counted, Mutex, MutexGuard, WeakCounted, from_std, into_std};
use crate::values::about::About;
use crate::values::ledger::Ledger;
use crate::values::report::Trouble;

/// The interface that a life needs from its session or group.
pub(crate) trait AnyLocal: Any + Send + Sync {
    fn local(&self) -> &Local;

    /// Returns its name in events, logs and reports.
    fn subject(&self) -> Subject;

    /// Leaves its registries. Called in the step that completes it, under the state's lock.
    fn unregister(&self, locked: &mut State);

    /// Leaves its group. Called in the step that ends its cleanup, under the state's lock. Returns the group that has to
    /// complete now, if any, and its ending.
    fn leave(&self) -> Option<(Owner, Ending)>;

    /// Frees its place in the manager. Called outside all locks, before its waiters are woken.
    fn cleaned_up(&self);
}

/// The part that sessions and groups have in common.
#[repr(C)]
pub(crate) struct Local {
    /// The requests inside. For a group, the requests that were inside sessions when these left it.
    pub(crate) activity: Activity,
    state: Mutex<State>,
    pub(crate) env: Arc<Env>,
    pub(crate) serial: u64,
}

/// A strong handle.
#[derive(Clone)]
pub struct Owner(Counted<dyn AnyLocal>);

/// A weak handle.
#[derive(Clone)]
pub(crate) struct WeakOwner(WeakCounted<dyn AnyLocal>);

/// A borrowed handle.
#[derive(Clone, Copy)]
pub struct OwnerRef<'a> {
    local: &'a Local,
    handle: &'a dyn Handle,
}

/// The handle that an [`OwnerRef`] borrows.
trait Handle: Sync {
    fn any(&self) -> &dyn AnyLocal;
    fn share(&self) -> Owner;
}

/// A session or group as its owner handle. Seals [`LocalSession`](crate::LocalSession).
pub trait AsOwner {
    #[doc(hidden)]
    fn as_owner(&self) -> OwnerRef<'_>;

    /// Terminates it, with this cause and reason.
    #[doc(hidden)]
    fn end(&self, ending: Ending);
}

impl<L: AnyLocal> Handle for Counted<L> {
    fn any(&self) -> &dyn AnyLocal {
        &**self
    }

    fn share(&self) -> Owner {
        let counted = into_std(self.clone());
        Owner(from_std(counted as Arc<dyn AnyLocal>))
    }
}

impl Handle for Owner {
    fn any(&self) -> &dyn AnyLocal {
        &*self.0
    }

    fn share(&self) -> Owner {
        self.clone()
    }
}

impl Owner {
    pub(crate) fn as_ref(&self) -> OwnerRef<'_> {
        OwnerRef {
            local: self.local(),
            handle: self,
        }
    }

    pub(crate) fn local(&self) -> &Local {
        self.0.local()
    }

    /// Returns the counted pointer, if this is an `L`.
    pub(crate) fn downcast<L: AnyLocal>(self) -> Option<Counted<L>> {
        let counted = into_std(self.0);
        let any: Arc<dyn Any + Send + Sync> = counted;
        Some(from_std(any.downcast().ok()?))
    }
}

impl<'a> OwnerRef<'a> {
    pub(crate) fn new<L: AnyLocal>(counted: &'a Counted<L>) -> Self {
        Self {
            local: counted.local(),
            handle: counted,
        }
    }

    #[inline]
    pub(crate) fn local(self) -> &'a Local {
        self.local
    }

    pub(crate) fn any(self) -> &'a dyn AnyLocal {
        self.handle.any()
    }

    pub(crate) fn env(self) -> &'a Arc<Env> {
        &self.local.env
    }

    pub(crate) fn subject(self) -> Subject {
        self.any().subject()
    }

    pub(crate) fn to_owner(self) -> Owner {
        self.handle.share()
    }

    pub(crate) fn downgrade(self) -> WeakOwner {
        WeakOwner(Counted::downgrade(&self.to_owner().0))
    }
}

impl WeakOwner {
    pub(crate) fn upgrade(&self) -> Option<Owner> {
        self.0.upgrade().map(Owner)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for OwnerRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({})", self.subject())
    }
}

impl Local {
    pub(crate) fn new(env: Arc<Env>, now: Ticks) -> Self {
        Self {
            serial: env.next_serial(),
            env,
            activity: Activity::new(now),
            state: Mutex::new(State::default()),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn is_completed(&self) -> bool {
        // The mark is the first part of one step. A caller that sees it waits for the rest; otherwise it could
        // still find the session by its id.
        self.activity.is_completed() && self.lock().is_completed()
    }

    pub(crate) fn cause(&self) -> Option<CompletionCause> {
        self.lock().cause
    }

    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.lock().used()?.rare()?.reason.clone()
    }

    /// Returns a child of the session's own token.
    pub(crate) fn token(&self) -> CancellationToken {
        let mut state = self.lock();
        if state.is_completed() {
            let token = CancellationToken::new();
            token.cancel();
            return token;
        }
        state.used_mut().token.get_or_insert_default().child_token()
    }

    /// Returns the ledger of this session's values.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        let mut state = self.lock();
        if state.cleaned_up {
            // An entry that comes this late is in no report, and brings nothing of the session back.
            return Arc::new(self.env.new_ledger());
        }
        let completed = state.is_completed();
        let ledger = state.used_mut().ledger(&self.env);
        if completed {
            ledger.open();
        }
        ledger
    }

    /// Notes trouble for the report, if there will be one.
    pub(crate) fn note(&self, about: About, trouble: Trouble) {
        self.ledger().note(about, trouble);
    }

    /// Wakes the cleanup if it may have been waiting for something that has just ended.
    pub(crate) fn check_drained(&self) {
        if !self.is_completed() {
            return;
        }
        let drained = self
            .lock()
            .used()
            .and_then(|used| used.rare()?.drained.clone());
        if let Some(drained) = drained {
            drained.notify_one();
        }
    }

    /// Whether nothing is left that cleanup waits for before it closes the properties.
    pub(crate) fn is_drained(&self) -> bool {
        self.activity.inside() == 0 && self.lock().used().is_none_or(Used::is_drained)
    }

    pub(crate) fn cleanup_completed(&self) -> CleanupCompleted {
        let mut state = self.lock();
        if state.told {
            let (done, receiver) = oneshot::channel();
            let rare = state.used().and_then(Used::rare);
            let report = rare.map(|rare| rare.report.clone());
            let _ = done.send(report.unwrap_or_default());
            return CleanupCompleted::new(receiver.shared());
        }
        state
            .used_mut()
            .rare_mut()
            .signal
            .get_or_insert_with(Signal::new)
            .completed()
    }

    /// Takes the sets and the properties by key, to be dropped outside the lock. Called when cleanup has reached the
    /// properties.
    pub(crate) fn take_sets(
        &self,
    ) -> (
        impl Sized + Send + use<>,
        impl Iterator<Item = Slot> + use<>,
    ) {
        let mut state = self.lock();
        let first = state.first_set.take();
        let used = state.used_mut();
        let more = std::mem::take(&mut used.rare_mut().more_sets);
        let (entries, creations) = used.take_entries();
        ((first, more, creations), entries)
    }
}
