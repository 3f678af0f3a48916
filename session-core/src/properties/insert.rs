//! Values that a caller inserts, without an initializer.

use crate::error::Refused;
use crate::life::contents::{Found, Removed};
use crate::life::owner::OwnerRef;
use crate::store::key::Place;
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
    let tag = Tag {
        about: place.about(),
        born: local.env.clock.nanos(),
    };
    let mut state = local.lock();
    if state.is_completed() {
        return Err(Refused::SessionEnded(value));
    }
    match state.find(&place) {
        Some(Found::Creating(_)) => return Err(Refused::BeingCreated(value)),
        Some(Found::BeingClosed) => return Err(Refused::BeingClosed(value)),
        Some(_) if if_present == IfPresent::Refuse => return Err(Refused::AlreadyPresent(value)),
        _ => {}
    }
    let removed = state.remove(&place);
    let new = PropertyRef::new(value, hook, tag, || state.used_mut().ledger(&local.env));
    state.insert(place, &new.hold());
    drop(state);
    Ok(Inserted {
        new,
        old: removed.and_then(Removed::handle),
    })
}
