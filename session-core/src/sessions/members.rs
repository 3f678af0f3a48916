//! The members of a group, as its lock guards them.
//!
//! Invariants:
//! 1. `active` is the number of members whose completion has not been counted. It is never above the bound, if there is
//!    one.
//! 2. While a group lingers it has no members and is not closed.

use std::collections::HashMap;

use crate::error::GroupFull;
use crate::life::cause::Ending;
use crate::life::owner::{Owner, OwnerRef, WeakOwner};
use crate::sessions::lingering::Ticket;

#[derive(Default)]
pub(crate) struct Members {
    /// By serial.
    sessions: HashMap<u64, Member>,
    active: usize,
    /// The number of sessions that have joined so far.
    joined: u64,
    pub(crate) lingering: Option<Ticket>,
    /// The cause and the reason for which the group will complete. Once set, no session is admitted.
    closed: Option<Ending>,
}

pub(crate) struct Member {
    owner: WeakOwner,
    /// Later members have greater numbers.
    number: u64,
    /// Its completion has not been counted.
    pub(crate) is_active: bool,
    /// It is listed.
    pub(crate) has_arrived: bool,
}

impl Members {
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Closes the group with this ending, unless it is closed. Returns the ending with which it is.
    pub(crate) fn close(&mut self, ending: impl Into<Ending>) -> Ending {
        self.closed.get_or_insert_with(|| ending.into()).clone()
    }

    /// Returns an error if a session can't be admitted for want of room.
    pub(crate) fn check_room(&self, max: Option<usize>) -> Result<(), GroupFull> {
        match max {
            Some(max) if self.active >= max && !self.is_closed() => Err(GroupFull),
            _ => Ok(()),
        }
    }

    pub(crate) fn insert(&mut self, session: OwnerRef<'_>) {
        self.joined += 1;
        self.active += 1;
        let member = Member {
            owner: session.downgrade(),
            number: self.joined,
            is_active: true,
            has_arrived: false,
        };
        self.sessions.insert(session.local().serial, member);
    }

    pub(crate) fn has_arrived(&mut self, session: u64) {
        if let Some(member) = self.sessions.get_mut(&session) {
            member.has_arrived = true;
        }
    }

    pub(crate) fn has_completed(&mut self, session: u64) {
        if let Some(member) = self.sessions.get_mut(&session) {
            let counted = std::mem::replace(&mut member.is_active, false);
            self.active -= usize::from(counted);
        }
    }

    /// Removes a member. Returns `None` if the session is not one.
    pub(crate) fn remove(&mut self, session: u64) -> Option<()> {
        let member = self.sessions.remove(&session)?;
        self.active -= usize::from(member.is_active);
        Some(())
    }

    /// Returns the members that `are` so, with their numbers.
    pub(crate) fn find(&self, are: impl Fn(&Member) -> bool) -> Vec<(u64, Owner)> {
        let found = self.sessions.values().filter(|member| are(member));
        found
            .filter_map(|member| Some((member.number, member.owner.upgrade()?)))
            .collect()
    }
}
