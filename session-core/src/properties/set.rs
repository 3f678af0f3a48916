//! Property sets: what the derive implements, and where a set lives.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use crate::error::PropsError;
use crate::group::SessionGroup;
use crate::life::report::About;
use crate::local::LocalSession;
use crate::owner::{Owner, OwnerRef, WeakOwner};
use crate::properties::dictionary::PropertyState;
use crate::properties::key::SlotKey;
use crate::properties::props::{Props, props};
use crate::properties::table::Table;
use crate::session::Session;
use crate::shared::Shared;

/// A property set: derive it.
///
/// A struct whose fields are cells, [`Property<T>`](crate::Property) or [`Exclusive<T>`](crate::Exclusive); one
/// instance per session or group, made on first use. See the derive macro of the same name for what can be
/// written on its fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a property set",
    label = "not a property set",
    note = "write `#[derive(SessionProperties)]` on the struct, whose fields are `Property<T>` or `Exclusive<T>`"
)]
pub trait SessionProperties: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    const DESCRIPTION: SetDescription;
    #[doc(hidden)]
    type Home: Home;
    #[doc(hidden)]
    fn bind(seed: &Seed<'_>) -> Result<Self, PropsError>;
}

/// A property set that lives in this kind of local session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no property set of a `{L}`",
    label = "no set of a `{L}`",
    note = "`#[derive(SessionProperties)]` makes a struct a set of a session; with `#[session(scope = group)]` it is one of a group, and asked of `session.group()`"
)]
pub trait LivesIn<L>: SessionProperties {}

#[diagnostic::do_not_recommend]
impl<L, P: SessionProperties<Home: HomeOf<L>>> LivesIn<L> for P {}

/// What the value of a [`Property`](crate::Property) is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be shared, as the value of a `Property` is",
    label = "not `Send + Sync + 'static`",
    note = "if it is `Send`, lend it to one caller at a time: `Exclusive<{Self}>`"
)]
pub trait Shareable: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shareable for T {}

/// What the value of an [`Exclusive`](crate::Exclusive) is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't move between threads, as the value of an `Exclusive` does",
    label = "not `Send + 'static`",
    note = "keep it on a thread or task of its own, and let the property be the handle that talks to it"
)]
pub trait Lendable: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Lendable for T {}

/// What the state of a set is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the state of a property set, for all sessions share it",
    label = "not `Send + Sync + 'static`",
    note = "share what it holds as `Arc` and `Mutex`, which threads can share, instead of `Rc` and `RefCell`"
)]
pub trait SharedState: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<S: Send + Sync + 'static> SharedState for S {}

/// Where a set lives: the session itself or its group.
pub trait Home: LocalSession + Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn props_of<P: SessionProperties<Home = Self>>(
        session: &Session,
    ) -> Result<Props<P>, PropsError>;
    #[doc(hidden)]
    fn from_owner(owner: &Owner) -> Option<Self>;
}

/// The kind of local session that is an `L`.
pub trait HomeOf<L> {}

impl HomeOf<Session> for Session {}

impl HomeOf<SessionGroup> for SessionGroup {}

impl Home for Session {
    #[inline]
    fn props_of<P: SessionProperties<Home = Self>>(
        session: &Session,
    ) -> Result<Props<P>, PropsError> {
        props(OwnerRef::Session(session))
    }

    fn from_owner(owner: &Owner) -> Option<Self> {
        match owner {
            Owner::Session(session) => Some(session.clone()),
            Owner::Group(_) => None,
        }
    }
}

impl Home for SessionGroup {
    fn props_of<P: SessionProperties<Home = Self>>(
        session: &Session,
    ) -> Result<Props<P>, PropsError> {
        props(OwnerRef::Group(&session.group()))
    }

    fn from_owner(owner: &Owner) -> Option<Self> {
        match owner {
            Owner::Group(group) => Some(group.clone()),
            Owner::Session(_) => None,
        }
    }
}

/// What a set is, apart from its instances.
#[derive(Clone, Copy, Debug)]
pub struct SetDescription {
    name: &'static str,
    cells: &'static [CellDescription],
}

impl SetDescription {
    /// The description of a set of this name and these cells.
    #[must_use]
    pub const fn new(name: &'static str, cells: &'static [CellDescription]) -> Self {
        Self { name, cells }
    }
}

/// What a cell is, apart from its instances.
#[derive(Clone, Copy)]
pub struct CellDescription {
    name: &'static str,
    type_name: fn() -> &'static str,
}

impl CellDescription {
    /// The description of a cell of this name and type.
    #[must_use]
    pub const fn new(name: &'static str, type_name: fn() -> &'static str) -> Self {
        Self { name, type_name }
    }

    pub(crate) fn about(&self) -> About {
        About::kind(self.name, (self.type_name)())
    }
}

impl fmt::Debug for CellDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.name, (self.type_name)())
    }
}

/// What an instance of a set is made from.
pub struct Seed<'a> {
    base: Arc<Base>,
    shared: &'a Shared,
}

/// What the cells of an instance share.
pub(crate) struct Base {
    pub(crate) owner: WeakOwner,
    set: TypeId,
    description: SetDescription,
}

impl Base {
    pub(crate) fn name(&self) -> &'static str {
        self.description.name
    }

    /// The set's properties, and which of them are there.
    pub(crate) fn states(
        &self,
        table: Option<&Table>,
    ) -> impl Iterator<Item = (About, PropertyState)> {
        let cells = self.description.cells.iter().zip(0..);
        cells.map(move |(cell, index)| {
            let key = SlotKey::Cell {
                set: self.set,
                index,
            };
            let slot = table.and_then(|table| table.get(key.hash(), &key));
            let state = slot.map_or(PropertyState::Absent, PropertyState::of);
            (cell.about().in_set(self.name()), state)
        })
    }
}

impl<'a> Seed<'a> {
    pub(crate) fn new<P: SessionProperties>(owner: WeakOwner, shared: &'a Shared) -> Self {
        let base = Base {
            owner,
            set: TypeId::of::<P>(),
            description: P::DESCRIPTION,
        };
        Self {
            base: Arc::new(base),
            shared,
        }
    }

    /// Fails unless the manager's state is an `S`.
    ///
    /// # Errors
    ///
    /// [`PropsError::MissingState`].
    pub fn check_state<S: SharedState>(&self) -> Result<(), PropsError> {
        match &self.shared.state {
            Some(state) if (**state).is::<S>() => Ok(()),
            _ if TypeId::of::<S>() == TypeId::of::<()>() => Ok(()),
            _ => Err(PropsError::MissingState(std::any::type_name::<S>())),
        }
    }

    pub(crate) fn into_base(self) -> Arc<Base> {
        self.base
    }

    pub(crate) fn cell(&self, index: u16) -> Cell {
        Cell {
            base: self.base.clone(),
            index,
        }
    }
}

impl fmt::Debug for Seed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.description.fmt(f)
    }
}

/// A cell's place: in which set, of which session or group.
pub(crate) struct Cell {
    pub(crate) base: Arc<Base>,
    index: u16,
}

impl Cell {
    pub(crate) fn key(&self) -> SlotKey {
        SlotKey::Cell {
            set: self.base.set,
            index: self.index,
        }
    }

    pub(crate) fn about(&self) -> About {
        let description = self.base.description;
        let cell = description.cells.get(usize::from(self.index));
        let about = cell.map_or(About::kind("?", "?"), CellDescription::about);
        about.in_set(description.name)
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        self.base.owner.upgrade()
    }
}
