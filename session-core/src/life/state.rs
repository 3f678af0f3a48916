//! The state that the lock of a session or group guards: the progress of its life, and its contents.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::id::session_key::KeyHash;
use crate::life::cause::CompletionCause;
use crate::life::clock::SmallSpan;
use crate::life::env::Env;
use crate::life::signal::Signal;
use crate::life::slot::AnySlot;
use crate::store::any_set::AnySet;
use crate::store::cells::CellCreations;
use crate::store::published::Published;
use crate::store::table::Table;
use crate::sync::runtime::AbortHandle;
use crate::values::about::About;
use crate::values::ledger::Ledger;
use crate::values::report::CleanupReport;

/// The state that the lock guards.
#[derive(Default)]
#[repr(C)]
pub(crate) struct State {
    /// The first property set in use, usually the only one. A request finds it without a look into `used`.
    pub(super) first_set: Option<Arc<dyn AnySet>>,
    pub(super) cause: Option<CompletionCause>,
    pub(super) cleaned_up: bool,
    /// The end of cleanup has been announced.
    pub(super) told: bool,
    /// The idle timeout of this session alone. It takes the room of what would be padding.
    pub(crate) own_idle_timeout: SmallSpan,
    pub(super) used: Option<Box<Used>>,
}

/// The parts that a session may never use, created on first use.
#[derive(Default)]
pub(crate) struct Used {
    pub(super) token: Option<CancellationToken>,
    pub(super) table: Table,
    pub(super) cells: CellCreations,
    pub(super) published: Published,
    next: u64,
    ledger: Option<Arc<Ledger>>,
    rare: Option<Box<Rare>>,
}

/// The parts that few sessions use, created on first use.
#[derive(Default)]
pub(crate) struct Rare {
    pub(super) more_sets: Vec<Arc<dyn AnySet>>,
    pub(crate) owned: BTreeMap<u64, Owning>,
    /// The values of requests that end with the session; each holds its request inside.
    pub(crate) slots: BTreeMap<u64, Arc<dyn AnySlot>>,
    pub(crate) tasks: BTreeMap<u64, Task>,
    /// The number of `keep_alive()` guards that exist.
    pub(crate) kept: usize,
    /// The disposals under way, with the subject if cleanup has to report one that takes too long.
    pub(crate) disposals: BTreeMap<u64, Option<About>>,
    /// The key that the application has given the session.
    key: Option<KeyHash>,
    pub(super) signal: Option<Signal>,
    /// Wakes the cleanup when something it waits for has ended. Exists from completion on.
    pub(super) drained: Option<Arc<Notify>>,
    /// Left after cleanup, if something happened in it.
    pub(super) report: CleanupReport,
    /// The reason of the call that completed it, if that call had one. Left after cleanup.
    pub(super) reason: Option<Arc<str>>,
}

/// A task that cleanup waits for.
pub(crate) struct Task {
    pub(crate) about: About,
    pub(super) handle: Option<AbortHandle>,
    pub(super) aborted: bool,
}

impl Task {
    /// Marks it as aborted. The caller aborts it by the returned handle, outside the session's lock.
    pub(crate) fn abort(&mut self) -> (About, Option<AbortHandle>) {
        self.aborted = true;
        (self.about.clone(), self.handle.clone())
    }
}

/// A value that a session owns.
pub(crate) struct Owning {
    pub(super) value: Box<dyn Any + Send>,
    pub(super) type_name: &'static str,
}

impl Owning {
    pub(crate) fn about(&self) -> About {
        About::kind("owned value", self.type_name)
    }
}

impl State {
    pub(crate) fn is_completed(&self) -> bool {
        self.cause.is_some()
    }

    pub(crate) fn is_cleaned_up(&self) -> bool {
        self.cleaned_up
    }

    /// Returns the property sets in use.
    pub(crate) fn sets(&self) -> impl Iterator<Item = &Arc<dyn AnySet>> {
        let rare = self.used().and_then(Used::rare);
        let more = rare.into_iter().flat_map(|rare| &rare.more_sets);
        self.first_set.iter().chain(more)
    }

    pub(crate) fn add_set(&mut self, set: Arc<dyn AnySet>) {
        match self.first_set {
            None => self.first_set = Some(set),
            Some(_) => self.used_mut().rare_mut().more_sets.push(set),
        }
    }

    /// Sets its key, or takes it away. Returns the old one.
    pub(crate) fn set_key(&mut self, key: Option<KeyHash>) -> Option<KeyHash> {
        let old = self.take_key();
        if key.is_some() {
            self.used_mut().rare_mut().key = key;
        }
        old
    }

    pub(crate) fn take_key(&mut self) -> Option<KeyHash> {
        self.used_if_any()?.rare_if_any()?.key.take()
    }

    pub(crate) fn used(&self) -> Option<&Used> {
        self.used.as_deref()
    }

    /// Returns the used parts without creating them.
    pub(crate) fn used_if_any(&mut self) -> Option<&mut Used> {
        self.used.as_deref_mut()
    }

    pub(crate) fn used_mut(&mut self) -> &mut Used {
        self.used.get_or_insert_default()
    }

    /// Takes the used parts, to be dropped outside the lock. The reason stays.
    pub(super) fn take_used(&mut self) -> Option<Box<Used>> {
        let mut used = self.used.take()?;
        let reason = used.rare_if_any().and_then(|rare| rare.reason.take());
        if reason.is_some() {
            self.used_mut().rare_mut().reason = reason;
        }
        Some(used)
    }
}

impl Used {
    /// Returns a number that is unique in this session.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn rare(&self) -> Option<&Rare> {
        self.rare.as_deref()
    }

    /// The rare parts, without creating them.
    pub(crate) fn rare_if_any(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    pub(crate) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn ledger(&mut self, env: &Env) -> Arc<Ledger> {
        self.ledger
            .get_or_insert_with(|| Arc::new(env.new_ledger()))
            .clone()
    }

    /// Whether cleanup has nothing to wait for before it closes the properties.
    pub(crate) fn is_drained(&self) -> bool {
        let is_drained = |rare: &Rare| rare.tasks.is_empty() && rare.disposals.is_empty();
        self.rare().is_none_or(is_drained) && !self.is_creating()
    }

    /// Whether nothing is left of what was here, and no caller has a number that a new part could be given again.
    pub(super) fn is_unused(&self) -> bool {
        let Self {
            token,
            table,
            cells,
            published,
            next: 0,
            ledger: None,
            rare: None,
        } = self
        else {
            return false;
        };
        token.is_none() && table.is_empty() && cells.is_empty() && published.is_empty()
    }

    /// Whether nothing but a report and a reason is left.
    #[cfg(all(test, session_shuttle))]
    pub(crate) fn is_report(&self) -> bool {
        let rare = self.rare().expect("a report is here");
        let counts = [rare.owned.len(), rare.slots.len(), rare.tasks.len()];
        let is_empty = rare.signal.is_none() && rare.more_sets.is_empty();
        let Self { ledger: None, .. } = self else {
            return false;
        };
        is_empty && counts == [0; 3] && self.published.is_empty() && self.table.is_empty()
    }

    pub(super) fn owes_nothing(&self) -> bool {
        self.is_drained()
            && self
                .rare()
                .is_none_or(|rare| rare.owned.is_empty() && rare.slots.is_empty())
            && self.published.is_empty()
            && self
                .ledger
                .as_ref()
                .is_none_or(|ledger| ledger.is_settled())
    }
}
