//! Values that a caller inserts, without an initializer.

use crate::error::Refused;
use crate::life::owner::OwnerRef;
use crate::store::creation::Place;
use crate::store::table::{Removed, SlotState};
use crate::values::close::Hook;
use crate::values::value::{PropertyRef, Tag};

/// The outcome of an insertion.
pub(crate) struct Inserted<T> {
    pub(crate) new: PropertyRef<T>,
    pub(crate) old: Option<PropertyRef<T>>,
}

/// The behavior of an insertion whose place is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfPresent {
    Refuse,
    Replace,
}

/// Inserts a value in its place.
pub(crate) fn insert<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: Place,
    value: T,
    hook: Option<Hook<T>>,
    if_present: IfPresent,
) -> Result<Inserted<T>, Refused<T>> {
    let local = owner.local();
    let born = local.env.clock.instant();
    let Place { hash, key, about } = place;
    let mut state = local.lock();
    if state.is_completed() {
        return Err(Refused::SessionEnded(value));
    }
    let used = state.used_mut();
    match used.table.get(hash, &key) {
        Some(SlotState::Creating(_)) => return Err(Refused::BeingCreated(value)),
        Some(SlotState::Present { .. }) if if_present == IfPresent::Refuse => {
            return Err(Refused::AlreadyPresent(value));
        }
        _ => {}
    }
    let removed = used.table.remove(hash, &key);
    let tag = Tag { about, born };
    let new = PropertyRef::new(value, hook, tag, || used.ledger(&local.env));
    used.table.insert(hash, key, &new.hold());
    drop(state);
    Ok(Inserted {
        new,
        old: removed.and_then(Removed::handle),
    })
}
