//! Random creations at the bound of a manager, compared with a list that is searched from one end to the other.

use std::time::Duration;

use proptest::prelude::*;
use session_core::{
    CompletionCause, CreateError, GroupId, KeepAlive, LocalSession as _, RequestGuard, Session,
    SessionManager, WhenFull,
};

const MAX: usize = 5;
/// The step of the manager's clock.
const TICK: Duration = Duration::from_millis(16);

#[derive(Clone, Debug)]
enum Step {
    Create {
        named: bool,
    },
    CreateEntered {
        named: bool,
    },
    Enter(usize),
    KeepAlive(usize),
    /// Ends the activity that has lasted longest.
    Leave(usize),
    Join(usize),
    CycleId(usize),
    Terminate(usize),
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let one = || any::<prop::sample::Index>().prop_map(|index| index.index(MAX));
    prop_oneof![
        4 => any::<bool>().prop_map(|named| Step::Create { named }),
        2 => any::<bool>().prop_map(|named| Step::CreateEntered { named }),
        4 => one().prop_map(Step::Enter),
        2 => one().prop_map(Step::KeepAlive),
        4 => one().prop_map(Step::Leave),
        1 => one().prop_map(Step::Join),
        1 => one().prop_map(Step::CycleId),
        1 => one().prop_map(Step::Terminate),
        4 => (0..3_u32).prop_map(Step::Pass),
    ]
}

/// The list's entry of an active session.
struct Known {
    session: Session,
    named: bool,
    idle_since: u32,
    activities: Vec<Activity>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held for their drop")]
enum Activity {
    Request(RequestGuard),
    KeepAlive(KeepAlive),
}

struct Run {
    sessions: SessionManager,
    /// The oldest first.
    active: Vec<Known>,
    now: u32,
}

impl Run {
    fn create(&mut self, named: bool, entered: bool) {
        let expected = self.expected(named);
        let group = named.then(|| GroupId::from("user"));
        let created = match (entered, group) {
            (true, group) => self.sessions.create_entered(group.as_ref()).map(|request| {
                let session = request.session().clone();
                (session, vec![Activity::Request(request)])
            }),
            (false, Some(group)) => self.sessions.create_in(group).map(|s| (s, Vec::new())),
            (false, None) => self.sessions.create().map(|s| (s, Vec::new())),
        };
        match expected {
            Expected::Refused => {
                assert_eq!(created.unwrap_err(), CreateError::Full);
                return;
            }
            Expected::Evicts(index) => {
                let evicted = self.active.remove(index).session;
                assert_eq!(evicted.completion_cause(), Some(CompletionCause::Evicted));
            }
            Expected::Fits => {}
        }
        let (session, activities) = created.unwrap();
        self.active.push(Known {
            session,
            named,
            idle_since: self.now,
            activities,
        });
    }

    fn expected(&self, named: bool) -> Expected {
        if self.active.len() < MAX {
            return Expected::Fits;
        }
        let may_go = |known: &Known| known.activities.is_empty() && (named || !known.named);
        let candidates = self.active.iter().enumerate();
        let first = candidates
            .filter(|(_, known)| may_go(known))
            .min_by_key(|(age, known)| (known.named, known.idle_since, *age));
        first.map_or(Expected::Refused, |(index, _)| Expected::Evicts(index))
    }

    fn take(&mut self, step: &Step) {
        let now = self.now;
        match *step {
            Step::Create { named } => self.create(named, false),
            Step::CreateEntered { named } => self.create(named, true),
            Step::Enter(which) => self.with(which, |known| {
                let request = known.session.enter().unwrap();
                known.activities.push(Activity::Request(request));
            }),
            Step::KeepAlive(which) => self.with(which, |known| {
                let kept = known.session.keep_alive().unwrap();
                known.activities.push(Activity::KeepAlive(kept));
            }),
            Step::Leave(which) => self.with(which, |known| {
                if !known.activities.is_empty() {
                    drop(known.activities.remove(0));
                    known.idle_since = now;
                }
            }),
            Step::Join(which) => self.with(which, |known| {
                known.session.join("user".into()).unwrap();
                known.named = true;
            }),
            Step::CycleId(which) => self.with(which, |known| {
                let _told = known.session.cycle_id().unwrap();
            }),
            Step::Terminate(which) => {
                if which < self.active.len() {
                    self.active.remove(which).session.terminate();
                }
            }
            Step::Pass(_) => unreachable!("it takes time"),
        }
    }

    fn with(&mut self, which: usize, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.active.get_mut(which) {
            change(known);
        }
    }
}

enum Expected {
    Fits,
    Evicts(usize),
    Refused,
}

proptest! {
    #![proptest_config(crate::config(500))]

    #[test]
    fn r17_the_one_that_goes_is_the_one_that_a_search_through_all_finds(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let sessions = SessionManager::builder().max_sessions(MAX, WhenFull::EvictIdlest);
            let mut run = Run {
                sessions: sessions.build().unwrap(),
                active: Vec::new(),
                now: 0,
            };
            for step in &steps {
                if let Step::Pass(ticks) = step {
                    tokio::time::advance(TICK * *ticks).await;
                    run.now += ticks;
                } else {
                    run.take(step);
                }
                assert_eq!(run.sessions.stats().active, run.active.len());
                assert!(run.active.iter().all(|known| !known.session.is_completed()));
            }
        });
    }
}
