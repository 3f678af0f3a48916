//! Parting: a request that came in before a log-in sees nothing of what the session does afterwards.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _};
use shuttle::future::block_on;

use super::harness::{Probe, World, explore, poll_once, race};
use crate::id::GroupId;
use crate::sessions::session::Session;
use crate::{CycleError, LocalSession as _, RequestGuard, SessionEnded, UntilCompleted};

fn user() -> GroupId {
    GroupId::from("user")
}

fn is_the_users(session: &Session) -> bool {
    session.group().id() == Some(&user())
}

fn log_in(request: &mut RequestGuard) {
    drop(request.log_in(user()).unwrap());
    assert!(is_the_users(request.session()) && !request.is_parted());
}

/// No request enters by a planted id after the log-in, and one that entered before detects it by what it reads.
#[test]
fn entry_by_id_against_log_in() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let planted = session.id();
        let mut request = session.enter().unwrap();
        let logged_in = AtomicBool::new(false);
        let come = || {
            let before = !logged_in.load(Ordering::SeqCst);
            if let Ok(stranger) = world.sessions.enter(&planted) {
                assert!(before, "entered by an id that had been cycled");
                // As an extractor does: read first, then check.
                let inside_the_users = is_the_users(stranger.session());
                assert!(!inside_the_users || stranger.is_parted());
            }
        };
        race!(
            || {
                log_in(&mut request);
                logged_in.store(true, Ordering::SeqCst);
            },
            come,
            come,
        );
        drop(request);
        world.end();
    });
}

#[test]
fn entry_by_id_against_cycle_id_and_join() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let planted = session.id();
        let mut request = session.enter().unwrap();
        race!(
            || {
                drop(request.cycle_id().unwrap());
                request.session().join(user()).unwrap();
            },
            || {
                if let Ok(stranger) = world.sessions.enter(&planted) {
                    let inside_the_users = is_the_users(stranger.session());
                    assert!(!inside_the_users || stranger.is_parted());
                }
            },
            || drop(session.enter()),
        );
        let mut late = session.enter().unwrap();
        drop(late.cycle_id().unwrap());
        assert_eq!(request.log_in(user()).unwrap_err(), CycleError::Parted);
        drop((request, late));
        world.end();
    });
}

/// A stream that returns at each poll whether it sees the user's group.
struct Looks {
    session: Session,
    _probe: Probe,
}

impl Stream for Looks {
    type Item = bool;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<bool>> {
        cx.waker().wake_by_ref();
        Poll::Ready(Some(is_the_users(&self.session)))
    }
}

#[test]
fn a_stream_against_log_in() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let mut request = session.enter().unwrap();
        let mut stream = session.enter().unwrap().until_completed(Looks {
            session: session.clone(),
            _probe: world.tally.make_plain(),
        });
        let logged_in = AtomicBool::new(false);
        race!(
            || {
                for _ in 0..3 {
                    let over = logged_in.load(Ordering::SeqCst);
                    match poll_once(stream.next()) {
                        Poll::Ready(Some(seen)) => assert!(!seen && !over, "it goes on"),
                        ended => assert_eq!(ended, Poll::Ready(None)),
                    }
                }
            },
            || {
                log_in(&mut request);
                logged_in.store(true, Ordering::SeqCst);
            },
        );
        assert_eq!(poll_once(stream.next()), Poll::Ready(None));
        drop(request);
        world.sessions.env.runtime.settle();
        // A stream that is kept does not hold it.
        assert_eq!(world.tally.dropped(), 1);
        assert_eq!(session.local().activity.inside(), 0);
        drop(stream);
        world.end();
    });
}

/// A value that enters a session at the moment of its end or of a log-in does not stay.
#[test]
fn until_completed_against_completion_and_log_in() {
    explore(|| a_value_comes_late(RequestGuard::until_completed));
}

#[test]
fn idle_until_completed_against_completion_and_log_in() {
    explore(|| a_value_comes_late(RequestGuard::idle_until_completed));
}

fn a_value_comes_late(hold: fn(RequestGuard, Probe) -> UntilCompleted<Probe>) {
    let world = World::new();
    let session = world.session();
    let mut request = session.enter().unwrap();
    let guard = session.enter().unwrap();
    race!(
        || {
            let mut held = hold(guard, world.tally.make_plain());
            let ended = poll_fn(|cx| held.poll_with(cx, |_, _| Poll::<()>::Pending));
            assert!(block_on(ended).is_err());
        },
        || {
            let _ended = request.log_in(user());
            drop(request);
        },
        || session.terminate(),
    );
    // The report is clean, although no time passes.
    assert!(block_on(session.cleanup_completed()).is_clean());
    world.end();
}

/// A log-out that is under way at a log-in ends the session before the log-in, or not at all.
#[test]
fn log_out_against_log_in() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let mut request = session.enter().unwrap();
        let other = session.enter().unwrap();
        let (logged_in, logged_out) = (AtomicBool::new(false), AtomicBool::new(false));
        race!(
            || logged_in.store(request.log_in(user()).is_ok(), Ordering::SeqCst),
            || logged_out.store(session.log_out(other.pass()).is_ok(), Ordering::SeqCst),
        );
        assert_ne!(logged_in.into_inner(), logged_out.load(Ordering::SeqCst));
        assert_eq!(session.is_completed(), logged_out.into_inner());
        drop((request, other));
        world.end();
    });
}

#[test]
fn until_completed_against_log_in() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let mut request = session.enter().unwrap();
        let guard = session.enter().unwrap();
        let held = std::sync::Mutex::new(None);
        race!(
            || {
                let value = guard.until_completed(world.tally.make_plain());
                *held.lock().unwrap() = Some(value);
            },
            || log_in(&mut request),
        );
        let mut held = held.into_inner().unwrap().unwrap();
        let polled = poll_once(poll_fn(|cx| held.poll_with(cx, |_, _| Poll::Ready(()))));
        assert_eq!(polled, Poll::Ready(Err(SessionEnded)), "it stays");
        drop((request, held));
        world.end();
    });
}

/// The value ends by itself while its session does.
#[test]
fn the_end_of_a_stream_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let probe = world.tally.make_plain();
        let value = async move { drop(probe) };
        let future = session.enter().unwrap().until_completed(value);
        let dropped = session
            .enter()
            .unwrap()
            .until_completed(world.tally.make_plain());
        race!(|| _ = block_on(future), || drop(dropped), || {
            session.terminate();
            assert!(block_on(session.cleanup_completed()).is_clean());
            assert_eq!(world.tally.dropped(), 2, "held beyond the end");
        },);
        world.end();
    });
}

/// The guards of one request stay with the session while one of them changes the id.
#[test]
fn the_clones_of_a_guard_against_its_log_in() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let mut request = session.enter().unwrap();
        let clone = request.clone();
        let mut own = request
            .clone()
            .until_completed(futures_util::future::pending::<()>());
        let stranger = session.enter().unwrap();
        race!(
            || {
                log_in(&mut request);
                assert!(stranger.is_parted());
            },
            || {
                assert!(!clone.is_parted());
                assert!(poll_once(&mut own).is_pending());
                let late = clone
                    .clone()
                    .until_completed(futures_util::future::pending::<()>());
                assert!(poll_once(late).is_pending());
                assert!(!clone.is_parted());
            },
        );
        drop((request, clone, own, stranger));
        world.end();
    });
}
