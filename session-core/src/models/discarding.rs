//! Discarding an `Exclusive`: no second value before the first is closed, nothing is closed twice, and a completion
//! either waits for the close or does it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Desk, Probe, World, explore, race, step};
use crate::sync::runtime::advance;
use crate::{ExclusiveGuard, LocalSession as _, PropertyError, PropertyState};

type Lent = Result<ExclusiveGuard<Probe>, PropertyError>;

/// Asserts that the value in hand is the only one that is not closed.
fn check(world: &World, guard: &ExclusiveGuard<Probe>) {
    let _ = guard;
    let open = world.tally.made() - world.tally.closed();
    assert_eq!(open, 1, "a second value before the first is closed");
}

/// Two callers wait while a third discards. Both get the same new value, after the old one is closed.
fn against_waiters(lend: fn(&Desk) -> Lent) {
    let world = World::new();
    let session = world.session();
    let desk = session.props::<Desk>().unwrap();
    let guard = lend(&desk).unwrap();
    let held = AtomicUsize::new(0);
    let wait = || {
        let guard = lend(&desk).unwrap();
        assert_eq!(held.fetch_add(1, Ordering::Relaxed), 0, "lent twice");
        check(&world, &guard);
        block_on(step());
        held.fetch_sub(1, Ordering::Relaxed);
    };
    race!(wait, wait, move || drop(guard.discard()));
    // One may have had the old value.
    assert!(world.tally.made() <= 2);
    drop(desk);
    world.end();
}

#[test]
fn a_discard_against_callers_of_an_async_initializer() {
    explore(|| against_waiters(|desk| block_on(desk.lent())));
}

#[test]
fn a_discard_against_callers_of_a_sync_initializer() {
    explore(|| against_waiters(|desk| block_on(desk.lent_here())));
}

/// Callers discard whatever they get. Each value is closed before the next is made.
#[test]
fn discards_against_each_other() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let discard = || {
            let guard = block_on(desk.lent_here()).unwrap();
            check(&world, &guard);
            assert_eq!(block_on(guard.discard()), Ok(()));
        };
        race!(discard, discard, || {
            if let Some(guard) = desk.lent_here.try_lock() {
                check(&world, &guard);
            }
        });
        assert_eq!((world.tally.made(), world.tally.closed()), (2, 2));
        drop(desk);
        world.end();
    });
}

/// A caller in line that hangs up passes its place on, whatever it was told.
#[test]
fn a_discard_against_a_caller_that_hangs_up() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent()).unwrap();
        race!(
            || {
                let mut waiting = Box::pin(desk.lent());
                let waits = futures_util::future::select(&mut waiting, Box::pin(step()));
                drop(block_on(waits));
            },
            || check(&world, &block_on(desk.lent()).unwrap()),
            move || drop(guard.discard()),
        );
        drop(desk);
        world.end();
    });
}

/// The value is closed once, before the cleanup ends, and counted; callers in line get the session's end.
#[test]
fn a_discard_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent()).unwrap();
        let (wait, waiter) = (desk.clone(), session.clone());
        race!(
            move || assert_eq!(block_on(guard.discard()), Ok(())),
            move || match block_on(wait.lent()) {
                Ok(_guard) => {}
                Err(error) => {
                    assert!(matches!(error, PropertyError::SessionEnded));
                    assert!(waiter.is_completed());
                }
            },
            || {
                drop(desk);
                session.terminate();
                let report = block_on(session.cleanup_completed());
                assert!(report.is_clean(), "{report:?}");
                assert_eq!(world.tally.closed(), world.tally.made());
            },
        );
        world.end();
    });
}

/// The hook is slow, and the drain timeout may pass at any time: the discard is waited for all the same.
#[test]
fn a_discard_against_the_drain_timeout() {
    explore(|| {
        let world = World::with(|settings| settings.close_timeout = Duration::from_secs(10));
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent_here()).unwrap();
        drop(desk);
        race!(
            || {
                let closed = guard.discard();
                session.terminate();
                let report = block_on(session.cleanup_completed());
                assert!(report.is_clean(), "{report:?}");
                assert_eq!(block_on(closed), Ok(()));
                assert_eq!(world.tally.closed(), 1);
            },
            || advance(Duration::from_secs(2)),
        );
        world.end();
    });
}

/// A listing never says that the property is there while it is not.
#[test]
fn a_discard_against_a_listing() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        let guard = block_on(desk.lent_here()).unwrap();
        race!(move || drop(guard.discard()), || {
            let state = || session.properties().list()[3].state();
            let before = state();
            let closed = world.tally.closed();
            let after = state();
            let order = [
                PropertyState::Present,
                PropertyState::BeingClosed,
                PropertyState::Absent,
            ];
            let at = |state| order.iter().position(|other| *other == state).unwrap();
            assert!(at(before) <= at(after));
            assert!(before != PropertyState::Absent || closed == 1);
            assert!(after != PropertyState::Present || closed == 0);
        });
        drop(desk);
        world.end();
    });
}
