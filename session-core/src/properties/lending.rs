//! Lending, apart from the type of the value: a caller waits in line until it is first, and creates a value if there is
//! none.
//!
//! A caller that finds neither a value nor a line waits for the creation alone, without a place: it may be an
//! initializer that keeps the future and goes on.

use std::fmt;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use futures_util::future::{Fuse, FusedFuture as _};

use crate::error::PropertyError;
use crate::life::contents::Found;
use crate::life::owner::Owner;
use crate::properties::set::{Cell, Seed};
use crate::properties::turn::{Making, SendMake, held_or_init_async, held_or_init_waiting};
use crate::store::any_set::{AnyCell, Presence};
use crate::store::creation::{Creation, Outcome};
use crate::store::key::Place;
use crate::store::line::{Line, LinePlace, News};
use crate::store::wait_graph::WaitGraph;
use crate::sync::Counted;
use crate::sync::runtime::sleep_on;
use crate::values::value::Held;

/// The cell of an `Exclusive`, without the type of its value.
pub(crate) struct Lending {
    line: OnceLock<Counted<Line>>,
    cell: Cell,
}

/// The caller that is first in line.
pub(crate) struct First {
    pub(crate) place: LinePlace,
    pub(crate) owner: Owner,
}

/// The value, for the caller that is first in line.
pub(crate) struct Loan {
    pub(crate) held: Held,
    pub(crate) first: First,
}

/// Creates a value.
pub(crate) enum Make<'a> {
    /// On the caller's thread.
    Here(&'a mut SendMake<'a>),
    /// On a task of the session.
    OnTask(&'a mut (dyn FnMut(&Owner) -> Making + Send)),
}

impl Lending {
    pub(crate) fn bind(seed: &Seed<'_>, index: u16) -> Self {
        Self {
            line: OnceLock::new(),
            cell: seed.cell(index),
        }
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        self.cell.owner()
    }

    pub(crate) fn place(&self) -> Place {
        self.cell.place()
    }

    fn line(&self) -> &Counted<Line> {
        self.line.get_or_init(|| Counted::new(Line::new()))
    }

    /// Whether there is neither a value nor a line of callers.
    fn is_idle(&self) -> bool {
        self.line.get().is_none_or(|line| line.is_idle())
    }

    fn active_owner(&self) -> Result<Owner, PropertyError> {
        let owner = self.owner().ok_or(PropertyError::SessionEnded)?;
        if owner.local().is_completed() {
            return Err(PropertyError::SessionEnded);
        }
        Ok(owner)
    }

    /// Lends the value if it is present and no other caller has it.
    pub(crate) fn try_lend(&self) -> Option<Loan> {
        let place = LinePlace::take_first(self.line.get()?)?;
        let owner = self.owner()?;
        First { place, owner }.loan().ok()?
    }

    /// Waits until the caller is first in line, and lends the value if it is present.
    pub(crate) async fn lend_present(&self) -> Result<Option<Loan>, PropertyError> {
        let owner = self.active_owner()?;
        if self.is_idle() {
            return Ok(None);
        }
        self.first(owner).await?.loan()
    }

    /// Waits until the caller is first in line, and lends the value, created if there is none.
    pub(crate) async fn lend(&self, mut make: Make<'_>) -> Result<Loan, PropertyError> {
        let owner = self.active_owner()?;
        if self.is_idle() {
            self.create(&owner, &mut make).await?;
        }
        let first = self.first(owner).await?;
        loop {
            if let Some(held) = first.value()? {
                return Ok(Loan { held, first });
            }
            self.create(&first.owner, &mut make).await?;
        }
    }

    /// Creates the value, unless it is present.
    async fn create(&self, owner: &Owner, make: &mut Make<'_>) -> Result<(), PropertyError> {
        let tell = || {
            if let (Some(line), Some(creation)) = (self.line.get(), self.creation(owner)) {
                line.tell(&creation);
            }
        };
        let (owner_ref, place) = (owner.as_ref(), self.place());
        let created = match make {
            Make::Here(make) => {
                let make = &mut |turn: &_| {
                    tell();
                    make(turn)
                };
                held_or_init_waiting(owner_ref, &place, make).await
            }
            Make::OnTask(start) => {
                let start = &mut || {
                    tell();
                    start(owner)
                };
                held_or_init_async(owner_ref, &place, start).await
            }
        };
        created.map(drop)
    }

    /// Waits until the caller is first in line.
    async fn first(&self, owner: Owner) -> Result<First, PropertyError> {
        let place = LinePlace::take(self.line());
        if !place.is_first() {
            self.wait(&place, &owner).await?;
        }
        Ok(First { place, owner })
    }

    /// Waits for the place to be first. The lend timeout runs from when the caller waits for other callers; a creation
    /// that is under way by then has all the time that it takes.
    async fn wait(&self, place: &LinePlace, owner: &Owner) -> Result<(), PropertyError> {
        let local = owner.local();
        let (runtime, graph) = (&local.env.runtime, &local.env.graph);
        let token = local.token();
        let mut patience = pin!(Fuse::terminated());
        let mut creation = self.creation(owner);
        loop {
            if creation.is_none() && patience.is_terminated() {
                patience.set(sleep_on(runtime, local.env.settings.lend_timeout).fuse());
            }
            tokio::select! {
                biased;
                () = token.cancelled() => return Err(PropertyError::SessionEnded),
                // A creation that fails does so for all callers that waited for it, also for the one that is first by now.
                created = outcome(creation.as_ref(), graph) => {
                    created?;
                    creation = None;
                }
                news = place.news() => match news {
                    News::First => return Ok(()),
                    News::Creation(begun) => creation = Some(begun),
                },
                () = &mut patience => {
                    let about = self.place().about();
                    let subject = owner.as_ref().subject();
                    tracing::warn!(%subject, set = about.set(), property = about.name(), "lent for longer than the lend timeout");
                    return Err(PropertyError::Busy);
                }
            }
        }
    }

    /// Returns the creation under way, if any.
    fn creation(&self, owner: &Owner) -> Option<Arc<Creation>> {
        match owner.local().lock().find(&self.place()) {
            Some(Found::Creating(creation)) => Some(creation.clone()),
            _ => None,
        }
    }
}

/// Waits for the creation, or for ever if there is none.
async fn outcome(creation: Option<&Arc<Creation>>, graph: &Arc<WaitGraph>) -> Outcome {
    match creation {
        Some(creation) => creation.wait(graph).await,
        None => pending().await,
    }
}

impl First {
    /// Returns another hold of the value, if it is present. A value that was lent before completion stays lent; none is
    /// lent after it.
    fn value(&self) -> Result<Option<Held>, PropertyError> {
        if self.owner.local().is_completed() {
            return Err(PropertyError::SessionEnded);
        }
        Ok(self.place.line().value())
    }

    fn loan(self) -> Result<Option<Loan>, PropertyError> {
        let value = self.value()?;
        Ok(value.map(|held| Loan { held, first: self }))
    }
}

impl AnyCell for Lending {
    fn presence(&self) -> Presence {
        let line = self.line.get();
        line.map_or(Presence::Absent, |line| line.presence())
    }

    fn publish(&self, held: &Held, listed: Option<u64>) {
        self.line().publish(held.again(), listed);
    }
}

impl fmt::Debug for Lending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(self.presence(), f)
    }
}
