//! Owned values: completion, dispose and reclaim race, and one wins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Probe, World, explore, race};
use crate::sync::runtime::advance;
use crate::{CancellationToken, LocalSession as _, Owned, PropertyKey};

#[test]
fn dispose_against_reclaim_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let owned: Owned<Probe> = session
            .take_ownership(world.tally.make_plain())
            .ok()
            .unwrap();
        let [disposed, reclaimed, closed, dropped] = [const { AtomicUsize::new(0) }; 4];
        race!(
            || disposed.store(owned.dispose().into(), Ordering::Relaxed),
            || {
                if let Some(value) = owned.reclaim() {
                    assert_eq!(world.tally.dropped(), 0, "given back after its drop");
                    reclaimed.store(1, Ordering::Relaxed);
                    drop(value);
                }
            },
            || {
                session.terminate();
                assert!(!owned.dispose(), "disposed after completion");
                assert!(owned.reclaim().is_none(), "reclaimed after completion");
                let report = block_on(session.cleanup_completed());
                closed.store(report.closed(), Ordering::Relaxed);
                dropped.store(world.tally.dropped(), Ordering::Relaxed);
            },
        );
        let [disposed, reclaimed, closed, dropped] =
            [disposed, reclaimed, closed, dropped].map(AtomicUsize::into_inner);
        assert_eq!(disposed + reclaimed + closed, 1);
        // A dispose under way was waited for.
        assert!(reclaimed == 1 || dropped == 1);
        world.end();
    });
}

/// A value whose drop waits for the gate.
struct Slow {
    gate: CancellationToken,
    _probe: Probe,
}

impl Drop for Slow {
    fn drop(&mut self) {
        block_on(self.gate.cancelled());
    }
}

/// Work that goes on after cleanup's timeouts finds a session that is over, and brings nothing back.
#[test]
fn what_outlasts_the_drain_timeout() {
    const KEY: PropertyKey<Probe> = PropertyKey::new("probe");
    explore(|| {
        let world = World::new();
        let session = world.session();
        let gate = CancellationToken::new();
        let slow = Slow {
            gate: gate.clone(),
            _probe: world.tally.make_plain(),
        };
        let owned = session.take_ownership(slow).ok().unwrap();
        let kept = session.keep_alive().unwrap();
        race!(
            || _ = owned.dispose(),
            || {
                let made = session.properties().get_or_init(&KEY, || {
                    block_on(gate.cancelled());
                    world.tally.make_plain()
                });
                drop(made);
                drop(kept);
            },
            || {
                session.terminate();
                for _ in 0..4 {
                    advance(Duration::from_secs(1));
                }
                gate.cancel();
                let _report = block_on(session.cleanup_completed());
            },
        );
        world.end();
    });
}
