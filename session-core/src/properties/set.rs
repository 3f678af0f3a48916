//! Property sets: the trait that the derive implements, and where a set lives.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::PropsError;
use crate::life::env::Env;
use crate::life::owner::{AsOwner, Owner, WeakOwner};
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;
use crate::store::any_set::{AnyCell, Presence};
use crate::store::key::Place;
use crate::values::description::{SetDescription, SetType};

/// A property set. Implement it with the derive macro.
///
/// A struct whose fields are cells, [`Property<T>`](crate::Property) or [`Exclusive<T>`](crate::Exclusive); one
/// instance per session or group, created on first use. See the derive macro of the same name for the attributes
/// of its fields.
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
    /// Returns the cell at this place. The bound is implied, but where `T` misses it, it keeps the error to one.
    #[doc(hidden)]
    fn cell(&self, index: u16) -> Option<&dyn AnyCell>
    where
        Self: 'static;
}

/// A property set that lives in this kind of local session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a property set of a `{L}`",
    label = "not a set of a `{L}`",
    note = "`#[derive(SessionProperties)]` makes a struct a set of a session; with `#[session(scope = group)]` it is a set of a group, and comes from `session.group()`"
)]
pub trait LivesIn<L>: SessionProperties {}

#[diagnostic::do_not_recommend]
impl<L, P: SessionProperties<Home: HomeOf<L>>> LivesIn<L> for P {}

/// The bounds of the value of a [`Property`](crate::Property).
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be shared, but the value of a `Property` must be",
    label = "not `Send + Sync + 'static`",
    note = "if it is `Send`, lend it to one caller at a time: `Exclusive<{Self}>`"
)]
pub trait Shareable: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shareable for T {}

/// The bounds of the value of an [`Exclusive`](crate::Exclusive).
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't move between threads, but the value of an `Exclusive` must",
    label = "not `Send + 'static`",
    note = "keep it on its own thread or task, and let the property be a handle that talks to it"
)]
pub trait Lendable: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Lendable for T {}

/// The bounds of the state of a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the state of a property set, because all sessions share it",
    label = "not `Send + Sync + 'static`",
    note = "use `Arc` and `Mutex`, which threads can share, instead of `Rc` and `RefCell`"
)]
pub trait SharedState: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<S: Send + Sync + 'static> SharedState for S {}

/// Where a set lives: the session itself or its group.
pub trait Home: AsOwner + Clone + Send + Sync + 'static {
    /// Returns the session itself, or its group.
    #[doc(hidden)]
    fn in_session(session: &Session) -> Cow<'_, Self>;

    #[doc(hidden)]
    fn from_owner(owner: Owner) -> Option<Self>;
}

/// The kind of local session that is an `L`.
pub trait HomeOf<L> {}

impl HomeOf<Session> for Session {}

impl HomeOf<SessionGroup> for SessionGroup {}

impl Home for Session {
    #[inline]
    fn in_session(session: &Session) -> Cow<'_, Self> {
        Cow::Borrowed(session)
    }

    fn from_owner(owner: Owner) -> Option<Self> {
        Self::of(owner)
    }
}

impl Home for SessionGroup {
    fn in_session(session: &Session) -> Cow<'_, Self> {
        Cow::Owned(session.group())
    }

    fn from_owner(owner: Owner) -> Option<Self> {
        Self::of(owner)
    }
}

/// The source from which an instance of a set is created.
pub struct Seed<'a> {
    base: Arc<Base>,
    env: &'a Env,
}

/// The data that the cells of an instance share.
pub(crate) struct Base {
    pub(crate) owner: WeakOwner,
    set: &'static SetType,
}

/// Returns the type of a set.
pub(crate) fn set_type<P: SessionProperties>() -> &'static SetType {
    const {
        &SetType {
            id: TypeId::of::<P>(),
            description: P::DESCRIPTION,
        }
    }
}

impl<'a> Seed<'a> {
    pub(crate) fn new<P: SessionProperties>(owner: WeakOwner, env: &'a Env) -> Self {
        let set = set_type::<P>();
        Self {
            base: Arc::new(Base { owner, set }),
            env,
        }
    }

    /// Fails unless the manager's state is an `S`.
    ///
    /// # Errors
    ///
    /// [`PropsError::MissingState`].
    pub fn check_state<S: SharedState>(&self) -> Result<(), PropsError> {
        match &self.env.settings.state {
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
        self.base.set.description.fmt(f)
    }
}

/// A cell's place: its set, and the session or group of that set.
pub(crate) struct Cell {
    pub(crate) base: Arc<Base>,
    index: u16,
}

impl Cell {
    pub(crate) fn place(&self) -> Place {
        Place::Cell(self.base.set, self.index)
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        self.base.owner.upgrade()
    }

    /// Writes the cell's `Debug` output.
    pub(crate) fn fmt(&self, presence: Presence, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.place().about();
        let state = match presence {
            Presence::Absent => "absent",
            Presence::Present { .. } => "present",
            Presence::BeingClosed => "being closed",
        };
        write!(f, "{}: {} ({state})", about.name(), about.type_name())
    }
}
