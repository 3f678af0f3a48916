//! The handle of a property set.

use std::any::{Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::PropsError;
use crate::lifecycle::SetEntry;
use crate::owner::OwnerRef;
use crate::set::{Base, Seed, SessionProperties};

/// A handle to a property set of a session or group: derefs to the set, and clones.
///
/// It keeps the set alive and with it what its cells hold, but not the session. Stored inside a value of the
/// same set it keeps itself: cleanup then reports these values as still held.
///
/// It has no methods of its own, since they would hide the set's. `Debug` shows which properties are there; it
/// creates nothing.
pub struct Props<P>(Arc<Instance<P>>);

/// A set, and whose it is.
struct Instance<P> {
    set: P,
    base: Arc<Base>,
}

impl<P> Deref for Props<P> {
    type Target = P;

    #[inline]
    fn deref(&self) -> &P {
        &self.0.set
    }
}

impl<P> Clone for Props<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: SessionProperties> fmt::Debug for Props<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_struct(P::DESCRIPTION.name());
        for (name, state) in self.0.base.states() {
            set.field(name, &state);
        }
        set.finish()
    }
}

/// The set of this type, made if it is not there.
pub(crate) fn props<P: SessionProperties>(owner: OwnerRef<'_>) -> Result<Props<P>, PropsError> {
    let local = owner.local();
    {
        let state = local.lock();
        if let Some(set) = state.used().and_then(|used| find::<P>(&used.sets)) {
            drop(state);
            return Ok(handle(set));
        }
        if state.is_completed() {
            return Err(PropsError::SessionEnded);
        }
    }
    let seed = Seed::new::<P>(owner.downgrade(), &local.shared);
    let set = P::bind(&seed)?;
    let base = seed.into_base();
    let made = Arc::new(Instance { set, base });
    let mut state = local.lock();
    if state.is_completed() {
        return Err(PropsError::SessionEnded);
    }
    let used = state.used_mut();
    // Of two that were made at the same time, one stays; neither holds anything yet.
    let set = find::<P>(&used.sets).unwrap_or_else(|| {
        used.sets.push(SetEntry {
            id: TypeId::of::<P>(),
            description: P::DESCRIPTION,
            set: made.clone(),
        });
        made.clone()
    });
    drop(state);
    Ok(handle(set))
}

fn find<P: SessionProperties>(sets: &[SetEntry]) -> Option<Arc<dyn Any + Send + Sync>> {
    let entry = sets.iter().find(|entry| entry.id == TypeId::of::<P>())?;
    Some(entry.set.clone())
}

fn handle<P: SessionProperties>(set: Arc<dyn Any + Send + Sync>) -> Props<P> {
    match set.downcast() {
        Ok(set) => Props(set),
        Err(_) => unreachable!("a set is kept under its own type"),
    }
}
