//! Values that are given rather than made.

use crate::error::Refused;
use crate::life::close::Hook;
use crate::life::value::{PropertyRef, Tag};
use crate::owner::OwnerRef;
use crate::properties::creation::Place;
use crate::properties::table::{Removed, SlotState};

/// What became of a value that was given.
pub(crate) struct Inserted<T> {
    pub(crate) new: PropertyRef<T>,
    pub(crate) old: Option<PropertyRef<T>>,
}

/// Puts a value in its place: over what is there, or only if nothing is.
pub(crate) fn insert<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: Place,
    value: T,
    hook: Option<Hook<T>>,
    over: bool,
) -> Result<Inserted<T>, Refused<T>> {
    let local = owner.local();
    let born = local.shared.clock.instant();
    let Place { hash, key, about } = place;
    let mut state = local.lock();
    if state.is_completed() {
        return Err(Refused::SessionEnded(value));
    }
    let used = state.used_mut();
    match used.table.get(hash, &key) {
        Some(SlotState::Creating(_)) => return Err(Refused::BeingCreated(value)),
        Some(SlotState::Present { .. }) if !over => return Err(Refused::AlreadyPresent(value)),
        _ => {}
    }
    let removed = used.table.remove(hash, &key);
    let tag = Tag::new(about, born, used.ledger(&local.shared));
    let new = PropertyRef::new(value, hook, tag);
    used.table.insert(hash, key, &new.hold());
    drop(state);
    Ok(Inserted {
        new,
        old: removed.and_then(Removed::handle),
    })
}
