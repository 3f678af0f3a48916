//! Lending an `Exclusive`: to one at a time, to nobody after completion, and closed after the last guard.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::harness::{Desk, Probe, World, block_on, explore, race};
use crate::runtime::advance;
use crate::sync::point;
use crate::{ExclusiveGuard, LocalSession as _, PropertyError};

/// Has it in hand for a while.
fn hold(
    world: &World,
    held: &AtomicUsize,
    guard: ExclusiveGuard<Probe>,
    mut until: impl FnMut() -> bool,
) {
    assert_eq!(held.fetch_add(1, Ordering::Relaxed), 0, "lent twice");
    point();
    while !until() {
        shuttle::thread::yield_now();
    }
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
            Ok(guard) => hold(&world, &held, guard, || true),
            Err(PropertyError::SessionEnded) => {}
            Err(error) => panic!("{error}"),
        };
        race!(world, call, call, || {
            session.terminate();
            assert!(desk.lent.try_lock().is_none());
            let refused = block_on(desk.lent());
            assert!(matches!(refused, Err(PropertyError::SessionEnded)));
        });
        drop(desk);
        world.end();
    });
}

/// A guard that is out at completion stays good; what it gives back is lent to nobody who waits.
#[test]
fn a_guard_given_back_after_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        // Made by a first caller, while the first thread still polls for it.
        let guard = {
            let mut lent = std::pin::pin!(desk.lent());
            loop {
                if let std::task::Poll::Ready(guard) = super::harness::poll_once(lent.as_mut()) {
                    break guard.unwrap();
                }
                world.shared.runtime.poll_next();
            }
        };
        let (held, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let completed = || ended.load(Ordering::Relaxed);
        race!(
            world,
            || hold(&world, &held, guard, completed),
            || assert!(block_on(desk.lent()).is_err(), "lent after completion"),
            || while !completed() {
                assert!(desk.lent.try_lock().is_none(), "lent twice");
                shuttle::thread::yield_now();
            },
            || {
                session.terminate();
                ended.store(true, Ordering::Relaxed);
            },
        );
        drop(desk);
        world.end();
    });
}

/// Two that lend crosswise: the wait of one ends, and none hangs.
#[test]
fn the_lend_timeout_against_a_guard_given_back() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let held = AtomicUsize::new(0);
        let call = || match block_on(desk.lent()) {
            Ok(guard) => hold(&world, &held, guard, || true),
            Err(PropertyError::Busy) => {}
            Err(error) => panic!("{error}"),
        };
        race!(world, call, call, || advance(Duration::from_secs(1)));
        // Whoever has gone without it has left nothing behind.
        let guard = desk.lent.try_lock().expect("it was given back");
        drop((guard, desk));
        world.end();
    });
}
