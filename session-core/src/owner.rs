//! A session or a group, where it does not matter which.

use crate::group::{SessionGroup, WeakGroup};
use crate::life::lifecycle::Local;
use crate::session::{Session, WeakSession};

/// A strong handle to either.
#[derive(Clone, Debug)]
pub enum Owner {
    Session(Session),
    Group(SessionGroup),
}

/// A borrowed handle to either.
#[derive(Clone, Copy, Debug)]
pub enum OwnerRef<'a> {
    Session(&'a Session),
    Group(&'a SessionGroup),
}

/// A weak handle to either.
#[derive(Clone)]
pub(crate) enum WeakOwner {
    Session(WeakSession),
    Group(WeakGroup),
}

impl Owner {
    pub(crate) fn as_ref(&self) -> OwnerRef<'_> {
        match self {
            Self::Session(session) => OwnerRef::Session(session),
            Self::Group(group) => OwnerRef::Group(group),
        }
    }

    pub(crate) fn local(&self) -> &Local {
        self.as_ref().local()
    }
}

impl<'a> OwnerRef<'a> {
    pub(crate) fn local(self) -> &'a Local {
        match self {
            Self::Session(session) => session.local(),
            Self::Group(group) => group.local(),
        }
    }

    pub(crate) fn serial(self) -> u64 {
        match self {
            Self::Session(session) => session.serial_number(),
            Self::Group(group) => group.serial_number(),
        }
    }

    pub(crate) fn to_owner(self) -> Owner {
        match self {
            Self::Session(session) => Owner::Session(session.clone()),
            Self::Group(group) => Owner::Group(group.clone()),
        }
    }

    pub(crate) fn downgrade(self) -> WeakOwner {
        match self {
            Self::Session(session) => WeakOwner::Session(session.downgrade()),
            Self::Group(group) => WeakOwner::Group(group.downgrade()),
        }
    }
}

impl WeakOwner {
    pub(crate) fn upgrade(&self) -> Option<Owner> {
        match self {
            Self::Session(session) => session.upgrade().map(Owner::Session),
            Self::Group(group) => group.upgrade().map(Owner::Group),
        }
    }
}
