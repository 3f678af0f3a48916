//! Completion: one cause wins, and anything that starts at that moment is refused or waited for.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Probe, World, close, end_if_idle, exhaust, explore, race, step};
use crate::life::cause::CompletionCause;
use crate::sessions::session::Session;
use crate::sync::point;
use crate::sync::runtime::advance;
use crate::{LifecycleEvent, LocalSession as _, Problem, PropertyKey, Trouble};

const KEY: PropertyKey<Probe> = PropertyKey::new("probe");

#[test]
fn three_causes() {
    explore(|| {
        let world = World::new();
        let sessions = &world.sessions;
        let mut events = sessions.env.events.subscribe().0;
        let session = world.session();
        let token = session.completion_token();
        let owned = session.take_ownership(world.tally.make_plain());
        let inserted = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close);
        assert!(owned.is_ok() && inserted.is_ok());
        drop(inserted);

        let won = Mutex::new(Vec::new());
        let check = || {
            let cause = session.completion_cause();
            won.lock().unwrap().push(cause);
            assert!(session.is_completed());
            assert!(sessions.ids.get(&session.id()).is_none());
            assert!(session.completion_token().is_cancelled());
            assert!(session.enter().is_err());
            assert!(session.take_ownership(()).is_err());
        };
        race!(
            || {
                session.terminate();
                check();
            },
            || {
                let limit = session.created();
                end_if_idle(&session, limit);
                check();
            },
            || {
                session.complete(CompletionCause::Shutdown);
                check();
                assert_eq!(block_on(session.cleanup_completed()).closed(), 2);
                assert_eq!(
                    sessions.in_cleanup.load(Ordering::Relaxed),
                    0,
                    "its place is not free yet"
                );
            },
        );
        world.end();
        assert!(token.is_cancelled());

        let cause = session.completion_cause().unwrap();
        assert_eq!(won.into_inner().unwrap(), [Some(cause); 3]);
        let mut next = || events.try_recv().ok();
        assert!(matches!(next(), Some(LifecycleEvent::Created(_))));
        assert!(matches!(next(), Some(LifecycleEvent::Completed(_, told, _)) if told == cause));
        assert!(
            matches!(next(), Some(LifecycleEvent::CleanedUp(_, report)) if report.closed() == 2)
        );
        assert!(next().is_none());
    });
}

#[test]
fn a_request_inside_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let inserted = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close);
        assert!(inserted.is_ok());
        drop(inserted);
        let (inside, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let visit = || {
            if let Ok(guard) = session.enter() {
                inside.fetch_add(1, Ordering::Relaxed);
                point();
                assert_eq!(world.tally.closed(), 0, "closed during a request");
                left.fetch_add(1, Ordering::Relaxed);
                drop(guard);
            }
        };
        race!(visit, visit, || {
            session.terminate();
            let report = block_on(session.cleanup_completed());
            assert!(report.is_clean());
            let inside = inside.load(Ordering::Relaxed);
            assert_eq!(left.load(Ordering::Relaxed), inside, "not waited for");
        });
        world.end();
    });
}

/// A token that is created at the very moment of completion is cancelled, too.
#[test]
fn the_first_token_against_completion() {
    exhaust(|| {
        let world = World::new();
        let session = world.session();
        let token = shuttle::thread::scope(|scope| {
            let asked = scope.spawn(|| session.completion_token());
            session.terminate();
            asked.join().unwrap()
        });
        assert!(token.is_cancelled());
    });
}

#[test]
fn a_task_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let tasks = Tasks::default();
        let waited_for = AtomicUsize::new(0);
        race!(|| tasks.spawn(&session), || tasks.spawn(&session), || {
            session.terminate();
            assert!(session.spawn(|_| async {}).is_err());
            let report = block_on(session.cleanup_completed());
            assert!(report.is_clean());
            waited_for.store(tasks.finished.load(Ordering::Relaxed), Ordering::Relaxed);
        });
        // Accepted tasks had ended when cleanup ended; refused ones never began.
        let accepted = tasks.accepted.into_inner();
        assert_eq!(waited_for.into_inner(), accepted);
        assert_eq!(tasks.begun.into_inner(), accepted);
        world.end();
    });
}

/// A task that never ends is aborted, even if cleanup aborts it before the task has fully started.
#[test]
fn a_task_against_the_drain_timeout() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let value = world.tally.make_plain();
        race!(
            || {
                let _ = session.spawn(|_| async move {
                    let _held = value;
                    pending::<()>().await;
                });
            },
            || {
                session.terminate();
                while !session.local().lock().is_cleaned_up() {
                    shuttle::thread::yield_now();
                    advance(Duration::from_secs(1));
                }
                let report = block_on(session.cleanup_completed());
                let troubles = report.problems().iter().map(Problem::trouble);
                if troubles.eq([&Trouble::Aborted]) {
                    // The task is gone, and so is the value that it held.
                    assert_eq!(world.tally.dropped(), 1);
                }
            },
        );
        world.end();
    });
}

#[derive(Default)]
struct Tasks {
    accepted: AtomicUsize,
    begun: AtomicUsize,
    finished: Arc<AtomicUsize>,
}

impl Tasks {
    fn spawn(&self, session: &Session) {
        let finished = self.finished.clone();
        let spawned = session.spawn(|token| {
            self.begun.fetch_add(1, Ordering::Relaxed);
            async move {
                step().await;
                token.cancelled().await;
                finished.fetch_add(1, Ordering::Relaxed);
            }
        });
        let accepted = spawned.is_ok().into();
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
    }
}
