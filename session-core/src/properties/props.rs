//! The handle of a property set.

use std::any::{Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::PropsError;
use crate::life::owner::{AsOwner as _, OwnerRef};
use crate::life::state::State;
use crate::properties::listing::cells;
use crate::properties::set::{Base, Home as _, Seed, SessionProperties, set_type};
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;
use crate::store::any_set::{AnyCell, AnySet};
use crate::values::description::SetType;

/// A handle to a property set of a session or group. It derefs to the set and can be cloned.
///
/// It keeps the set and the values in its cells alive, but not the session. Stored inside a value of the same set
/// it keeps itself alive, and cleanup then reports these values as still held.
///
/// It has no methods of its own, since they would hide the set's; [`Props::of`] is a function. `Debug` shows which
/// properties are present, and creates nothing.
pub struct Props<P>(Arc<Instance<P>>);

/// A set, and the base that names its owner.
struct Instance<P> {
    set: P,
    base: Arc<Base>,
}

impl<P: SessionProperties> AnySet for Instance<P> {
    fn set_type(&self) -> &'static SetType {
        set_type::<P>()
    }

    fn cell(&self, index: u16) -> Option<&dyn AnyCell> {
        self.set.cell(index)
    }
}

impl<P: SessionProperties> Props<P> {
    /// Returns the set of this type of the session, or of its group if it lives there, created on first use. For code
    /// that does not know which, such as an adapter for a web framework.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{Property, Props, SessionManager, SessionProperties};
    /// use std::sync::atomic::AtomicU32;
    ///
    /// #[derive(SessionProperties)]
    /// #[session(scope = group)]
    /// struct Shared {
    ///     #[property(default)]
    ///     visits: Property<AtomicU32>,
    /// }
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create()?;
    /// let of_the_group = Props::<Shared>::of(&session)?;
    /// assert!(Props::<Shared>::lives_in_group());
    /// assert!(of_the_group.visits.get().is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`LocalSession::props`](crate::LocalSession::props).
    #[inline]
    pub fn of(session: &Session) -> Result<Self, PropsError> {
        props(P::Home::in_session(session).as_owner())
    }

    /// Whether sets of this type live in groups, which several sessions share.
    #[must_use]
    pub fn lives_in_group() -> bool {
        TypeId::of::<P::Home>() == TypeId::of::<SessionGroup>()
    }
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
        let cells: Vec<_> = match self.0.base.owner.upgrade() {
            Some(owner) => cells(&*self.0, &owner.local().lock(), 0).collect(),
            None => Vec::new(),
        };
        let mut set = f.debug_struct(P::DESCRIPTION.name);
        for cell in cells {
            set.field(cell.name(), &cell.state());
        }
        set.finish()
    }
}

/// Returns the set of this type, created if it is missing.
pub(crate) fn props<P: SessionProperties>(owner: OwnerRef<'_>) -> Result<Props<P>, PropsError> {
    let local = owner.local();
    {
        let state = local.lock();
        if let Some(set) = find::<P>(&state) {
            drop(state);
            return Ok(handle(set));
        }
        if state.is_completed() {
            return Err(PropsError::SessionEnded);
        }
    }
    let seed = Seed::new::<P>(owner.downgrade(), owner.env());
    let set = P::bind(&seed)?;
    let base = seed.into_base();
    let made = Arc::new(Instance { set, base });
    let mut state = local.lock();
    if state.is_completed() {
        return Err(PropsError::SessionEnded);
    }
    // Of two sets created at the same time, one stays; neither holds anything yet.
    let set = find::<P>(&state).unwrap_or_else(|| {
        state.add_set(made.clone());
        made.clone()
    });
    drop(state);
    Ok(handle(set))
}

#[inline]
fn find<P: SessionProperties>(state: &State) -> Option<Arc<dyn AnySet>> {
    let is = |set: &&Arc<dyn AnySet>| (***set).type_id() == TypeId::of::<Instance<P>>();
    state.sets().find(is).cloned()
}

fn handle<P: SessionProperties>(set: Arc<dyn AnySet>) -> Props<P> {
    let set: Arc<dyn Any + Send + Sync> = set;
    match set.downcast() {
        Ok(set) => Props(set),
        Err(_) => unreachable!("a set is kept under its own type"),
    }
}
