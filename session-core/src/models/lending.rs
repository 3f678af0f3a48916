//! Lending an `Exclusive`: to one caller at a time, to none after completion, and closed after the last guard.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Desk, Probe, World, explore, race, step};
use crate::sync::runtime::advance;
use crate::{CancellationToken, ExclusiveGuard, LocalSession as _, PropertyError};

/// Holds the guard until `until` resolves.
fn hold(
    world: &World,
    held: &AtomicUsize,
    guard: ExclusiveGuard<Probe>,
    until: impl Future<Output = ()>,
) {
    assert_eq!(held.fetch_add(1, Ordering::Relaxed), 0, "lent twice");
    block_on(until);
    assert_eq!(world.tally.closed(), 0, "closed while lent");
    held.fetch_sub(1, Ordering::Relaxed);
    drop(guard);
}

#[test]
fn lending_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let held = AtomicUsize::new(0);
        let call = || match block_on(desk.lent()) {
            Ok(guard) => hold(&world, &held, guard, step()),
            Err(PropertyError::SessionEnded) => {}
            Err(error) => panic!("{error}"),
        };
        race!(call, call, || {
            session.terminate();
            assert!(desk.lent.try_lock().is_none());
            let refused = block_on(desk.lent());
            assert!(matches!(refused, Err(PropertyError::SessionEnded)));
        });
        drop(desk);
        world.end();
    });
}

/// A caller that finds the value being created on another thread waits for it, and then has to wait for the guard.
#[test]
fn lending_what_is_made_on_a_callers_thread() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let (held, lent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let call = || match block_on(desk.lent_here()) {
            Ok(guard) => {
                lent.fetch_add(1, Ordering::Relaxed);
                hold(&world, &held, guard, step());
            }
            Err(PropertyError::SessionEnded) => {}
            Err(error) => panic!("{error}"),
        };
        race!(call, call, || session.terminate());
        assert!(lent.into_inner() == 0 || world.tally.made() == 1);
        drop(desk);
        world.end();
    });
}

/// A guard that is out at completion stays valid. The value that it returns is not lent to any waiting caller.
#[test]
fn a_guard_given_back_after_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent()).unwrap();
        let (held, ended) = (AtomicUsize::new(0), CancellationToken::new());
        race!(
            || hold(&world, &held, guard, ended.cancelled()),
            || assert!(block_on(desk.lent()).is_err(), "lent after completion"),
            || assert!(desk.lent.try_lock().is_none(), "lent after completion"),
            || {
                session.terminate();
                ended.cancel();
            },
        );
        drop(desk);
        world.end();
    });
}

/// A guard may outlive the set and the session's own hold. The value is then closed after it, by its hook.
#[test]
fn the_last_guard_against_cleanup() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent()).unwrap();
        drop(desk);
        race!(move || drop(guard), || {
            session.terminate();
            let report = block_on(session.cleanup_completed());
            assert!(report.is_clean(), "{report:?}");
            assert_eq!((report.closed(), world.tally.closed()), (1, 1));
        });
        world.end();
    });
}

/// Two callers that borrow crosswise: at least one of them stops waiting, neither hangs, and both values are returned.
#[test]
fn lending_crosswise_against_the_lend_timeout() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let ended = AtomicUsize::new(0);
        let end = |second: Result<ExclusiveGuard<Probe>, PropertyError>| {
            assert!(matches!(second, Ok(_) | Err(PropertyError::Busy)));
            ended.fetch_add(1, Ordering::Relaxed);
        };
        race!(
            || {
                let _first = block_on(desk.lent());
                end(block_on(desk.lent_here()));
            },
            || {
                let _first = block_on(desk.lent_here());
                end(block_on(desk.lent()));
            },
            || {
                while ended.load(Ordering::Relaxed) < 2 {
                    advance(Duration::from_secs(1));
                    shuttle::thread::yield_now();
                }
            },
        );
        assert!(desk.lent.try_lock().is_some() && desk.lent_here.try_lock().is_some());
        drop(desk);
        world.end();
    });
}
