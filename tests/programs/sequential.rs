//! Programs run one step at a time, against the model.

use std::pin::Pin;
use std::time::Duration;

use proptest::prelude::*;
use session_core::{
    CancellationToken, CleanupCompleted, GroupId, KeepAlive, LocalSession, NotLive, Owned,
    Properties, PropertyKey, PropertyRef, Refused, RequestGuard, Session, SessionGroup,
    SessionManager, Trouble, WhenFull,
};

use crate::model::{Expected, Model};
use crate::probe::{Holder, Log, Probe};
use crate::program::{SESSIONS, Step, program};

const LONG: Duration = Duration::from_secs(100_000_000);

pub(crate) const KEYS: [PropertyKey<Probe>; 3] = [
    PropertyKey::new("a"),
    PropertyKey::new("b"),
    PropertyKey::new("c"),
];

pub(crate) fn manager() -> SessionManager {
    SessionManager::builder()
        .idle_timeout(LONG)
        .absolute_timeout(LONG)
        .max_sessions(SESSIONS, WhenFull::Reject)
        .build()
        .expect("there is a runtime")
}

pub(crate) fn name(group: usize) -> GroupId {
    GroupId::from(format!("group {group}"))
}

pub(crate) struct World {
    sessions: SessionManager,
    pub(crate) log: Log,
    pub(crate) model: Model,
    slots: [Option<Session>; SESSIONS],
    pub(crate) handles: Vec<PropertyRef<Probe>>,
    pub(crate) owned: Vec<(Holder, u32, Owned<Probe>)>,
    guards: Vec<(usize, RequestGuard)>,
    kept: Vec<KeepAlive>,
}

/// A session or a group.
pub(crate) enum Found {
    Session(Session),
    Group(SessionGroup),
}

impl Found {
    pub(crate) fn properties(&self) -> Properties<'_> {
        match self {
            Self::Session(session) => session.properties(),
            Self::Group(group) => group.properties(),
        }
    }

    pub(crate) fn own(&self, probe: Probe) -> Result<Owned<Probe>, Refused<Probe>> {
        match self {
            Self::Session(session) => session.take_ownership(probe),
            Self::Group(group) => group.take_ownership(probe),
        }
    }

    fn spawn(&self) -> bool {
        match self {
            Self::Session(session) => session.spawn(CancellationToken::cancelled_owned).is_ok(),
            Self::Group(group) => group.spawn(CancellationToken::cancelled_owned).is_ok(),
        }
    }
}

impl World {
    fn new() -> Self {
        Self {
            sessions: manager(),
            log: Log::default(),
            model: Model::default(),
            slots: Default::default(),
            handles: Vec::new(),
            owned: Vec::new(),
            guards: Vec::new(),
            kept: Vec::new(),
        }
    }

    pub(crate) fn find(&self, holder: Holder) -> Option<Found> {
        match holder {
            Holder::Session(session) => self.slots[session].clone().map(Found::Session),
            Holder::Group(group) => self.sessions.group(&name(group)).map(Found::Group),
        }
    }

    /// The cleanups of these, requested before they end.
    fn cleanup(&self, holder: Holder) -> Option<CleanupCompleted> {
        self.find(holder).map(|found| match found {
            Found::Session(session) => session.cleanup_completed(),
            Found::Group(group) => group.cleanup_completed(),
        })
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Create(session, group) => self.create(session, group),
            Step::Terminate(Holder::Session(session)) => self.terminate(session).await,
            Step::Terminate(Holder::Group(group)) => self.terminate_group(group).await,
            Step::Join(session, group) => self.join(session, group).await,
            Step::LogIn(session, group) => self.log_in(session, group).await,
            Step::LogOut(session) => self.log_out(session).await,
            Step::CycleId(session) => self.cycle_id(session),
            Step::Insert(holder, key, close) => self.insert(holder, key, close),
            Step::Replace(holder, key, close) => self.replace(holder, key, close),
            Step::Remove(holder, key) => self.remove(holder, key),
            Step::GetOrInit(holder, key) => self.get_or_init(holder, key, false).await,
            Step::GetOrInitAsync(holder, key) => self.get_or_init(holder, key, true).await,
            Step::Hold(holder, key) => self.hold(holder, key),
            Step::LetGo(latest) => self.let_go(latest),
            Step::Own(holder) => self.own(holder),
            Step::Dispose(latest) => self.disown(latest, true),
            Step::Reclaim(latest) => self.disown(latest, false),
            Step::Spawn(holder) => {
                if let Some(found) = self.find(holder) {
                    assert_eq!(found.spawn(), self.model.is_active(holder));
                }
            }
            Step::Enter(session) => {
                let Some(found) = &self.slots[session] else {
                    return;
                };
                let entered = found.enter();
                assert_eq!(
                    entered.is_ok(),
                    self.model.is_active(Holder::Session(session))
                );
                if let Ok(guard) = entered {
                    self.guards.push((self.model.enter(session), guard));
                }
            }
            Step::KeepAlive(session) => {
                let Some(found) = &self.slots[session] else {
                    return;
                };
                let kept = found.keep_alive();
                assert_eq!(kept.is_ok(), self.model.is_active(Holder::Session(session)));
                self.kept.extend(kept);
            }
            Step::Leave(latest) => {
                if let Some(at) = self.guards.len().checked_sub(latest + 1) {
                    let (number, guard) = self.guards.remove(at);
                    drop(guard);
                    self.model.leave(number);
                }
            }
        }
    }

    fn create(&mut self, session: usize, group: Option<usize>) {
        if self.model.is_active(Holder::Session(session)) {
            return;
        }
        let created = match group {
            Some(group) => self.sessions.create_in(name(group)),
            None => self.sessions.create(),
        };
        self.slots[session] =
            Some(created.expect("there is room: the others have been cleaned up"));
        self.model.create(session, group);
    }

    async fn terminate(&mut self, session: usize) {
        let Some(found) = self.slots[session].clone() else {
            return;
        };
        if !self.model.is_active(Holder::Session(session)) {
            found.terminate();
            return;
        }
        let id = found.id();
        let (expected, cleanups) = self.expect(|model| model.end_session(session));
        found.terminate();
        assert!(self.sessions.get(&id).is_none());
        check(expected, cleanups).await;
    }

    async fn terminate_group(&mut self, group: usize) {
        let Some(Found::Group(found)) = self.find(Holder::Group(group)) else {
            assert!(!self.model.is_active(Holder::Group(group)));
            return;
        };
        let (expected, cleanups) = self.expect(|model| {
            let sessions = model.sessions_of(group);
            sessions
                .into_iter()
                .flat_map(|session| model.end_session(session))
                .collect()
        });
        found.terminate();
        check(expected, cleanups).await;
    }

    async fn join(&mut self, session: usize, group: usize) {
        let Some(found) = self.slots[session].clone() else {
            return;
        };
        let joined = if self.model.is_active(Holder::Session(session)) {
            let (expected, cleanups) = self.expect(|model| model.join(session, group));
            let joined = found.join(name(group));
            assert_eq!(found.group().id(), Some(&name(group)));
            check(expected, cleanups).await;
            joined.is_ok()
        } else {
            found.join(name(group)).is_err()
        };
        assert!(joined);
    }

    /// A join by one of the session's own requests, and a new id.
    async fn log_in(&mut self, session: usize, group: usize) {
        let Some(found) = self.slots[session].clone() else {
            return;
        };
        let Ok(mut request) = found.enter() else {
            assert!(!self.model.is_active(Holder::Session(session)));
            return;
        };
        let old = found.id();
        let (expected, cleanups) = self.expect(|model| model.join(session, group));
        let new = request.log_in(name(group)).expect("it is active").id();
        assert_eq!(found.group().id(), Some(&name(group)));
        assert_eq!(self.sessions.get(&new).as_ref(), Some(&found));
        let refused = self.sessions.enter(&old).unwrap_err();
        assert_eq!(refused, NotLive::Superseded);
        drop(request);
        check(expected, cleanups).await;
    }

    async fn log_out(&mut self, session: usize) {
        let Some(found) = self.slots[session].clone() else {
            return;
        };
        if !self.model.is_active(Holder::Session(session)) {
            assert!(found.terminate_and_supersede().is_none());
            return;
        }
        let (expected, cleanups) = self.expect(|model| model.end_session(session));
        drop(found.terminate_and_supersede().expect("it is active"));
        let refused = self.sessions.enter(&found.id()).unwrap_err();
        assert_eq!(refused, NotLive::Superseded);
        check(expected, cleanups).await;
    }

    /// The reports that the model expects of a step, and the cleanups that will return them.
    fn expect(
        &mut self,
        step: impl FnOnce(&mut Model) -> Vec<Expected>,
    ) -> (Vec<Expected>, Vec<CleanupCompleted>) {
        let before: Vec<_> = (0..SESSIONS)
            .map(Holder::Session)
            .chain((0..crate::program::GROUPS).map(Holder::Group))
            .filter_map(|holder| Some((holder, self.cleanup(holder)?)))
            .collect();
        let expected = step(&mut self.model);
        let cleanup_of = |ended: &Expected| {
            let found = before.iter().find(|(holder, _)| *holder == ended.holder);
            found.expect("what ends was there").1.clone()
        };
        let cleanups = expected.iter().map(cleanup_of).collect();
        (expected, cleanups)
    }

    fn cycle_id(&self, session: usize) {
        let Some(found) = &self.slots[session] else {
            return;
        };
        let old = found.id();
        let cycled = found.cycle_id();
        assert_eq!(
            cycled.is_ok(),
            self.model.is_active(Holder::Session(session))
        );
        if let Ok(new) = cycled {
            assert!(self.sessions.get(&old).is_none());
            let refused = self.sessions.enter(&old).unwrap_err();
            assert_eq!(refused, NotLive::Superseded);
            assert_eq!(self.sessions.get(&new.id()).as_ref(), Some(found));
        }
    }

    /// Ends the program: everything is dropped, and nothing is left.
    async fn end(mut self) {
        self.handles.clear();
        self.guards.clear();
        self.kept.clear();
        settle().await;
        let report = self.sessions.shutdown(LONG).await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(self.log.made(), self.log.dropped(), "made and dropped");
        let stats = self.sessions.stats();
        assert_eq!((stats.active, stats.in_cleanup, stats.groups), (0, 0, 0));
        assert!(self.sessions.sessions().is_empty());
        assert!(self.sessions.groups().is_empty());
    }
}

async fn check(expected: Vec<Expected>, cleanups: Vec<CleanupCompleted>) {
    for (expected, cleanup) in expected.into_iter().zip(cleanups) {
        let report = cleanup.await;
        assert_eq!(report.closed(), expected.closed, "{expected:?} {report:?}");
        let held = report
            .problems()
            .iter()
            .filter(|problem| *problem.trouble() == Trouble::StillHeld);
        assert_eq!(held.count(), expected.still_held, "{expected:?} {report:?}");
        assert_eq!(report.problems().len(), expected.still_held, "{report:?}");
    }
}

/// Lets spawned tasks run to their end. No hook here takes more than a few turns.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

fn run(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let whole: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
        let mut world = World::new();
        for step in steps {
            world.step(step).await;
            settle().await;
            assert_eq!(world.log.ends(), world.model.ends, "after {step:?}");
        }
        world.end().await;
    });
    runtime.block_on(whole);
}

proptest! {
    #![proptest_config(crate::config(300))]

    #[test]
    fn one_step_at_a_time_it_is_the_model(steps in program(200)) {
        run(steps);
    }
}
