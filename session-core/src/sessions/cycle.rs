//! Changes of a session's id: by cycling, at a log-in, and at a log-out.
//!
//! Invariants, for a change to a new id:
//! 1. The old id is dead before `id_changes` goes up, so a request that has entered by the old id counts fewer changes.
//! 2. `id_changes` has gone up, and the values that end with a parting have ended, before the session's lock is
//!    released. The new group can be seen only under that lock, so a request that came in before and has seen it finds
//!    that it is parted.
//! 3. No user code runs in the caller: dropping and waking are left to a task, and so is an end after its first step.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{CycleError, SessionEnded};
use crate::id::{GroupId, SessionId};
use crate::life::activity::{Activity, Alive};
use crate::life::cause::{CompletionCause, Ending};
use crate::life::cleanups::Owed;
use crate::life::env::Env;
use crate::life::lifecycle;
use crate::life::owner::AsOwner as _;
use crate::life::slot::{AnySlot, Emptied};
use crate::life::state::{State, Used};
use crate::sessions::evicted::Evicted;
use crate::sessions::group::{OwedEnd, SessionGroup};
use crate::sessions::guard::{Pass, RequestGuard};
use crate::sessions::session::Session;
use crate::sessions::superseded::{NewId, SupersededId};

impl Session {
    /// Moves the live session to a new id, in one step. The old id is dead at once: it is *superseded*, so that a
    /// request that still presents it (from another tab, say) is not taken for a stranger's ([`NewId`]).
    ///
    /// This *parts* the session from all requests inside. The values that they hold with
    /// [`until_completed`](RequestGuard::until_completed) end as at completion, and
    /// [`is_parted`](RequestGuard::is_parted) returns `true` for them. So a stranger's request that came by a planted
    /// id does not see what the visitor does afterwards. Anything that their handlers already have, such as a handle
    /// of the session, they keep until they return.
    ///
    /// A request that changes the id of its own session calls [`RequestGuard::cycle_id`], and at a log-in
    /// [`RequestGuard::log_in`]: these do not part it.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if the session has completed.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bits.
    pub fn cycle_id(&self) -> Result<NewId, SessionEnded> {
        self.cycle(None, None).map_err(|_| SessionEnded)
    }

    /// Ends the session as [`terminate`](crate::LocalSession::terminate) does, and supersedes its id, for an adapter
    /// that tells the client to forget the id. Returns `None` if the session had already completed.
    ///
    /// For the session of a request, use [`log_out`](Self::log_out).
    pub fn terminate_and_supersede(&self) -> Option<SupersededId> {
        let ending = CompletionCause::Terminated;
        self.complete_superseded(ending, Activity::complete).ok()
    }

    /// Returns an anonymous group that has ended, for a request that is [parted](RequestGuard::is_parted) from the
    /// session and must not see its group.
    pub fn parted_group(&self) -> SessionGroup {
        let group = SessionGroup::found(&self.sessions().groups, None);
        group.complete();
        group
    }

    fn complete_superseded(
        &self,
        ending: impl Into<Ending>,
        mark: impl FnOnce(&Activity, &mut State) -> Result<(), Alive>,
    ) -> Result<SupersededId, Alive> {
        let unregister = |state: &mut State| self.unregister_by(state, |id| self.supersede(*id));
        let (superseded, completion) = lifecycle::begin(self.as_owner(), ending, mark, unregister)?;
        completion.carry_out(self.as_owner());
        Ok(superseded)
    }

    fn supersede(&self, id: SessionId) -> SupersededId {
        let ids = &self.sessions().ids;
        let time = || (Arc::clone(ids), self.local().env.clock.clone());
        SupersededId::new(id, ids.supersede(&id).then(time))
    }

    /// Changes the id, and the group if one is named. `own` is the request that asks for the change.
    fn cycle(
        &self,
        own: Option<&RequestGuard>,
        group: Option<&GroupId>,
    ) -> Result<NewId, CycleError> {
        loop {
            match (self.try_cycle(own, group), group) {
                (Err(CycleError::Full), Some(group)) => {
                    if let Some(evicted) = self.sessions().make_room_in(group)? {
                        let mut afterwards = Afterwards::new(&self.local().env);
                        afterwards.evicted = Some(evicted);
                        afterwards.spawn();
                    }
                }
                (changed, _) => return changed,
            }
        }
    }

    fn try_cycle(
        &self,
        own: Option<&RequestGuard>,
        group: Option<&GroupId>,
    ) -> Result<NewId, CycleError> {
        let tag = self.sessions().tag.get();
        let id = SessionId::random(tag);
        // Before `is_closing` is read: a shutdown that has missed the session waits for the outcome of this change.
        let _owed = Owed::new(&self.local().env.cleanups, self.as_owner().subject());
        let (new, mut afterwards) = {
            let mut state = self.local().lock();
            // A shutdown is about to end the session.
            if state.is_completed() || self.sessions().is_closing() {
                return Err(CycleError::SessionEnded);
            }
            if own.is_some_and(RequestGuard::is_parted) {
                return Err(CycleError::Parted);
            }
            let mut seat = self.seat();
            // A change of the tag is about to end it.
            if tag.is_some_and(|tag| tag != seat.id.tag()) {
                return Err(CycleError::SessionEnded);
            }
            // First, because it may fail. The session is listed there only when it moves, below.
            let admitted = match group {
                Some(group) => self.admitted_to(&seat, group)?,
                None => None,
            };
            // Insert the new id first: a look-up between the two steps finds the session by either.
            self.sessions().ids.insert(id, self.clone());
            let old = std::mem::replace(&mut seat.id, id);
            let new = NewId::new(id, self.supersede(old));
            self.record().has_changed_id(&mut state);
            let mut request = 0;
            if let Some(own) = own {
                own.has_changed_id(&mut seat);
                request = own.arrival().request();
            }
            let slots = state.used_if_any().and_then(Used::rare_if_any);
            let slots = slots.into_iter().flat_map(|rare| {
                let is_parted = |slot: &Arc<dyn AnySlot>| request == 0 || slot.request() != request;
                rare.slots.extract_if(.., move |_, slot| is_parted(slot))
            });
            let parted: Vec<_> = slots.collect();
            let parted = parted.iter().rev().map(|(_, slot)| slot.empty()).collect();
            let mut afterwards = Afterwards::new(&self.local().env);
            afterwards.parted = parted;
            afterwards.left =
                admitted.and_then(|admitted| self.move_to(&mut state, &mut seat, admitted));
            (new, afterwards)
        };
        // A shutdown or a change of the tag that reads the registry may have missed the session under both ids.
        let missed = if self.sessions().is_closing() {
            Some(CompletionCause::Shutdown)
        } else {
            let lost = self.sessions().tag.is_not_of(&id);
            lost.then_some(CompletionCause::OwnershipLost)
        };
        match missed {
            Some(cause) => afterwards.missed = self.end_now(cause),
            None => self.sessions().schedule(self, id),
        }
        if missed.is_some() || group.is_some() || !afterwards.parted.is_empty() {
            afterwards.spawn();
        }
        if missed.is_some() {
            return Err(CycleError::SessionEnded);
        }
        Ok(new)
    }

    /// The step of completion. Returns the rest of it.
    fn end_now(&self, cause: CompletionCause) -> Option<Evicted> {
        let unregister = |state: &mut State| self.as_owner().any().unregister(state);
        let begun = lifecycle::begin(self.as_owner(), cause, Activity::complete, unregister);
        let ((), completion) = begun.ok()?;
        Some(Evicted::new(self.clone(), completion))
    }

    /// Whether the session is [parted](RequestGuard::is_parted) from the request with this right. It is parted from
    /// every request that has been inside another session.
    pub fn is_parted_from(&self, pass: Pass) -> bool {
        self.local().serial != pass.serial() || self.record().id_changes() != pass.id_changes
    }

    /// Logs out: ends the session as [`terminate_and_supersede`](Self::terminate_and_supersede) does, on behalf of the
    /// request with this right.
    ///
    /// # Errors
    ///
    /// [`CycleError::Parted`] for a request that came in before another's log-in: it does not end the session that has
    /// logged in.
    /// [`CycleError::SessionEnded`] if the session has completed.
    pub fn log_out(&self, pass: Pass) -> Result<SupersededId, CycleError> {
        self.end_for(pass, CompletionCause::Terminated)
    }

    /// Logs out as [`log_out`](Self::log_out) does, and says why in words, as
    /// [`terminate_because`](crate::LocalSession::terminate_because) does.
    ///
    /// # Errors
    ///
    /// As [`log_out`](Self::log_out).
    pub fn log_out_because(
        &self,
        pass: Pass,
        reason: impl Into<Cow<'static, str>>,
    ) -> Result<SupersededId, CycleError> {
        self.end_for(pass, Ending::because(reason))
    }

    fn end_for(&self, pass: Pass, ending: impl Into<Ending>) -> Result<SupersededId, CycleError> {
        let mark = |activity: &Activity, state: &mut State| {
            if self.is_parted_from(pass) {
                return Err(Alive::Active);
            }
            activity.complete(state)
        };
        match self.complete_superseded(ending, mark) {
            Ok(superseded) => Ok(superseded),
            Err(Alive::Active) => Err(CycleError::Parted),
            Err(_) => Err(CycleError::SessionEnded),
        }
    }
}

impl RequestGuard {
    /// Moves the session to a new id, as [`Session::cycle_id`] does, on behalf of this request, which stays with the
    /// session.
    ///
    /// # Errors
    ///
    /// [`CycleError::Parted`] if another request has changed the id since this one came in, so that only one of two
    /// racing requests changes it; [`CycleError::SessionEnded`] if the session has completed. On an error nothing has
    /// changed.
    ///
    /// # Panics
    ///
    /// As [`Session::cycle_id`].
    pub fn cycle_id(&mut self) -> Result<NewId, CycleError> {
        self.cycle(None)
    }

    /// Logs in: changes the session's id and moves it to this group, as [`Session::join`] does, in one step. The old id
    /// is dead before the group is joined, and the session is parted from all other requests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{NotLive, SessionManager};
    /// # let sessions = SessionManager::builder().build()?;
    /// let planted = sessions.create()?.id();
    /// let mut request = sessions.enter(&planted)?;
    /// let stranger = sessions.enter(&planted)?;
    ///
    /// let new = request.log_in("user:42".into())?;
    /// assert_eq!(request.session().id(), new.id());
    /// assert!(!request.is_parted() && stranger.is_parted());
    /// assert_eq!(sessions.enter(&planted).unwrap_err(), NotLive::Superseded);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CycleError::Full`] if as many sessions are active in the group as the manager
    /// [allows](crate::SessionManagerBuilder::max_sessions_per_group). Otherwise as [`cycle_id`](Self::cycle_id). On an
    /// error the session keeps its id and its group.
    ///
    /// # Panics
    ///
    /// As [`Session::cycle_id`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers create the id for this call, and it reads better"
    )]
    pub fn log_in(&mut self, group: GroupId) -> Result<NewId, CycleError> {
        self.cycle(Some(&group))
    }

    fn cycle(&mut self, group: Option<&GroupId>) -> Result<NewId, CycleError> {
        self.session().cycle(Some(self), group)
    }
}

/// The work that a change of the id leaves to be done outside all locks, the caller's included.
struct Afterwards {
    parted: Vec<Emptied>,
    left: Option<OwedEnd>,
    /// The session, if a shutdown or a change of the tag has missed it. It is completed already.
    missed: Option<Evicted>,
    /// A session that has made room in the group.
    evicted: Option<Evicted>,
    env: Arc<Env>,
}

impl Afterwards {
    fn new(env: &Arc<Env>) -> Self {
        Self {
            parted: Vec::new(),
            left: None,
            missed: None,
            evicted: None,
            env: env.clone(),
        }
    }

    fn spawn(self) {
        let runtime = self.env.runtime.clone();
        let spawned = Spawned(Some(self));
        runtime.spawn(async move { spawned.run() });
    }

    fn run(self) {
        self.env.events.deliver();
        // Ends come first: the values of requests may take long to drop.
        drop((self.left, self.evicted, self.missed));
        for emptied in self.parted {
            if let Err((about, trouble)) = emptied.dispose() {
                tracing::warn!(%about, %trouble, "a request's stream could not be dropped cleanly");
            }
        }
    }
}

/// Runs on a task, or on its own thread if the runtime is gone and has dropped the task in its caller.
struct Spawned(Option<Afterwards>);

impl Spawned {
    fn run(mut self) {
        if let Some(afterwards) = self.0.take() {
            afterwards.run();
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if let Some(afterwards) = self.0.take() {
            // If no thread can be spawned either, it is dropped here.
            let _ = std::thread::Builder::new().spawn(move || afterwards.run());
        }
    }
}
