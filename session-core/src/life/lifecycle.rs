//! The life of a session or group: `Active -> Completed -> CleanedUp`, never back.
//!
//! Invariants:
//! 1. One lock guards the flip to completed, publication, the list of values and the token. So "completed at
//!    the very moment when ..." depends on which thread takes the lock first.
//! 2. `cause` is set once, together with the activity's `COMPLETED` and with leaving the registry.
//! 3. The token is cancelled after the flip, outside the lock. A token created after the flip is cancelled from the
//!    start. A token created outside the lock could miss both.
//! 4. No user code runs under the lock, and it is not held over an `.await`.
//! 5. Lock order: the addition of a key, the search for a session to evict, a session's state, its seat, a group's members, a registry shard.
//!    Never two of a kind, and a group's state is taken while none of these is held. A ledger's lock is a leaf.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::error::PropertyError;
use crate::life::activity::{Activity, Alive};
use crate::life::cause::Ending;
use crate::life::cleanup;
use crate::life::event::{LifecycleEvent, Subject};
use crate::life::owner::{Owner, OwnerRef};
use crate::life::state::{State, Used};
use crate::store::creation::Creation;
use crate::values::close::caught;
use crate::values::report::CleanupReport;

/// A completion whose step is done. The rest of it runs user code, outside all locks.
#[must_use = "nothing is cleaned up before it is carried out"]
pub(crate) struct Completion {
    ending: Ending,
    token: Option<CancellationToken>,
    creations: Vec<Arc<Creation>>,
    drained: Option<Arc<Notify>>,
}

/// Completes a session or group, whatever is inside. Returns whether this call did so.
pub(crate) fn complete(owner: OwnerRef<'_>, ending: impl Into<Ending>) -> bool {
    let unregister = |state: &mut State| owner.any().unregister(state);
    match begin(owner, ending, Activity::complete, unregister) {
        Ok(((), completion)) => {
            completion.carry_out(owner);
            true
        }
        Err(_) => false,
    }
}

/// The step of completion. `mark` sets the activity's `COMPLETED`, or returns the reason why not, and `unregister`
/// takes the session out of the registry.
pub(crate) fn begin<R>(
    owner: OwnerRef<'_>,
    ending: impl Into<Ending>,
    mark: impl FnOnce(&Activity, &mut State) -> Result<(), Alive>,
    unregister: impl FnOnce(&mut State) -> R,
) -> Result<(R, Completion), Alive> {
    let ending = ending.into();
    let local = owner.local();
    let mut state = local.lock();
    if state.is_completed() {
        return Err(Alive::Completed);
    }
    mark(&local.activity, &mut state)?;
    state.cause = Some(ending.cause);
    if ending.reason.is_some() {
        state
            .used_mut()
            .rare_mut()
            .reason
            .clone_from(&ending.reason);
    }
    let inside = local.activity.inside() > 0;
    let owes = inside || state.used().is_some_and(|used| !used.owes_nothing());
    if owes {
        let used = state.used_mut();
        used.rare_mut().drained = Some(Arc::default());
        used.ledger(&local.env).open();
        local.env.cleanups.begin(owner.subject());
    }
    let unregistered = unregister(&mut state);
    let used = state.used();
    let completion = Completion {
        ending,
        token: used.and_then(|used| used.token.clone()),
        creations: used.map(Used::creations).unwrap_or_default(),
        drained: used.and_then(|used| used.rare()?.drained.clone()),
    };
    Ok((unregistered, completion))
}

impl Completion {
    pub(crate) fn carry_out(self, owner: OwnerRef<'_>) {
        // A waker that panics does not keep the session from being cleaned up.
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
        let subject = owner.subject();
        let Ending { cause, reason } = self.ending;
        if let Subject::Session(session) = subject {
            let reason = reason.as_deref();
            tracing::debug!(session, %cause, reason, "session completed");
        }
        owner
            .env()
            .emit(|| LifecycleEvent::Completed(subject, cause, reason));
        match self.drained {
            Some(drained) => Cleanup::spawn(owner, drained),
            None => finish(owner, &CleanupReport::default()),
        }
    }
}

/// A cleanup under way, which ends once. If its runtime goes away, it ends at once, as far as possible.
struct Cleanup {
    owner: Owner,
    ended: bool,
}

impl Cleanup {
    fn spawn(owner: OwnerRef<'_>, drained: Arc<Notify>) {
        let mut cleanup = Self {
            owner: owner.to_owner(),
            ended: false,
        };
        // Problems are logged where they occur; this span says which session or group they belong to.
        let subject = owner.subject();
        let span = tracing::error_span!("cleanup", %subject);
        let run = async move {
            cleanup::run(&cleanup.owner, &drained).await;
            cleanup.end();
        };
        owner.env().runtime.spawn(run.instrument(span));
    }

    fn end(&mut self) {
        self.ended = true;
        let report = self.owner.local().ledger().finish().into();
        finish(self.owner.as_ref(), &report);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if !self.ended {
            cleanup::at_once(&self.owner);
            self.end();
        }
    }
}

/// The last step of cleanup: marks the session or group as cleaned up, and leaves its group.
fn finish(owner: OwnerRef<'_>, report: &CleanupReport) {
    let ((first_set, used), left) = {
        let mut state = owner.local().lock();
        state.cleaned_up = true;
        let left = owner.any().leave();
        ((state.first_set.take(), state.take_used()), left)
    };
    let env = owner.env();
    env.emit(|| LifecycleEvent::CleanedUp(owner.subject(), report.clone()));
    if let Some((group, ending)) = left {
        complete(group.as_ref(), ending);
    }
    let early = {
        let mut used = used;
        let signal = used
            .as_mut()
            .and_then(|used| used.rare_if_any()?.signal.take());
        // Values with nothing to close are dropped here, with the sets that hold them. None of this is user code.
        drop((first_set, used));
        signal
    };
    // Before waiters are woken, so that they find the manager's slot free.
    owner.any().cleaned_up();
    env.cleanups.end(&owner.subject(), report);
    let late = {
        let mut state = owner.local().lock();
        state.told = true;
        // A new `used` can only hold the reason, and the signal of a caller that asked in between.
        let used = state.take_used();
        if !report.is_empty() {
            state.used_mut().rare_mut().report = report.clone();
        }
        used.and_then(|mut used| used.rare_if_any()?.signal.take())
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
