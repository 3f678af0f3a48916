//! Closing of values: a value is closed once, by the last holder that releases it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Probe, Tally, World, close, close_later, exhaust, explore, race};
use crate::__private::hook;
use crate::sync::Counted;
use crate::sync::runtime::{Runtime, advance};
use crate::values::about::About;
use crate::values::ledger::{Closer, Ledger};
use crate::values::value::Tag;
use crate::{CleanupReport, LocalSession as _, PropertyKey, PropertyRef, Refused, Trouble};

const KEY: PropertyKey<Probe> = PropertyKey::new("probe");

/// The pointer alone: of the threads that release it, one takes the value.
#[test]
fn one_of_those_who_let_go_gets_the_value() {
    exhaust(|| {
        let first = Counted::new(());
        let (second, third) = (first.clone(), first.clone());
        let got = shuttle::thread::scope(|scope| {
            let others = [second, third]
                .map(|hold| scope.spawn(move || Counted::into_inner(hold).is_some()));
            let own = Counted::into_inner(first).is_some();
            let others = others.map(|other| other.join().unwrap());
            others.into_iter().chain([own]).filter(|got| *got).count()
        });
        assert_eq!(got, 1);
    });
}

/// A handle against the session's own hold: one of the two closes the value, and the ledger records it.
#[test]
fn a_handle_against_the_sessions_hold() {
    exhaust(|| {
        let closer = Closer {
            runtime: Runtime::new(),
            close_timeout: Duration::from_secs(1),
        };
        let ledger = Arc::new(Ledger::new(Arc::new(closer)));
        ledger.open();
        let tally = Tally::default();
        let handle = {
            let about = About::kind("probe", "");
            let tag = Tag { about, born: 0 };
            PropertyRef::new(tally.make(), hook(close), tag, || ledger.clone())
        };
        let held = handle.hold();
        shuttle::thread::scope(|scope| {
            scope.spawn(move || drop(handle));
            if let Some((entry, closing)) = held.let_go() {
                entry.detach(closing);
            }
        });
        assert!(ledger.is_settled());
        let report: CleanupReport = ledger.finish().into();
        assert!(report.is_clean());
        assert_eq!(
            (report.closed(), tally.closed(), tally.dropped()),
            (1, 1, 1)
        );
    });
}

#[test]
fn the_last_handle_against_cleanup() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let handle = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close)
            .unwrap();
        let other = handle.clone();
        race!(move || drop(handle), move || drop(other), || {
            session.terminate();
            let report = block_on(session.cleanup_completed());
            assert!(report.is_clean(), "{report:?}");
            assert_eq!((report.closed(), world.tally.closed()), (1, 1));
        },);
        world.end();
    });
}

/// With a clock that passes all timeouts, a value is reported as closed or as still held, and is closed once.
#[test]
fn the_last_handle_against_the_close_timeout() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let handle = session
            .properties()
            .insert_with(&KEY, world.tally.make(), close)
            .unwrap();
        race!(
            move || drop(handle),
            || advance(Duration::from_secs(1)),
            || {
                session.terminate();
                let report = block_on(session.cleanup_completed());
                match report.problems() {
                    [] => assert_eq!(report.closed(), 1),
                    [held] => {
                        assert_eq!(held.trouble(), &Trouble::StillHeld);
                        assert_eq!(report.closed(), 0);
                    }
                    more => panic!("{more:?}"),
                }
            },
        );
        world.end();
    });
}

/// A removed value is closed by the last handle, or taken back from it. A value that is not removed is the session's.
#[test]
fn insert_against_remove_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let properties = session.properties();
        let inserted = AtomicBool::new(false);
        race!(
            || match properties.insert_with(&KEY, world.tally.make(), close_later) {
                Ok(_) => inserted.store(true, Ordering::Relaxed),
                Err(refused) => refused.into_value().take_back(),
            },
            || {
                if let Ok(Some(handle)) = properties.remove(&KEY) {
                    assert!(properties.get(&KEY).is_none());
                    if let Ok(value) = handle.try_into_inner() {
                        value.take_back();
                    }
                }
            },
            || {
                session.terminate();
                let report = block_on(session.cleanup_completed());
                assert!(report.is_clean(), "{report:?}");
                assert!(properties.get(&KEY).is_none());
            },
        );
        world.end();
    });
}

/// Of two callers that insert, one learns of the other.
#[test]
fn insert_against_insert() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let inserted = AtomicUsize::new(0);
        let insert = || {
            let value = world.tally.make();
            match session.properties().insert_with(&KEY, value, close) {
                Ok(_) => _ = inserted.fetch_add(1, Ordering::Relaxed),
                Err(Refused::AlreadyPresent(value)) => value.take_back(),
                Err(refused) => panic!("{refused}"),
            }
        };
        race!(insert, insert);
        assert_eq!(inserted.into_inner(), 1);
        world.end();
    });
}
