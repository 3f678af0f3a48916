//! Cells: a value is published into its cell, and a session keeps no more than it uses.

use std::sync::atomic::AtomicUsize;

use shuttle::future::block_on;

use super::harness::{Desk, World, explore, poll_once, race};
use crate::{LocalSession as _, Property, PropertyState, SessionProperties};

/// An initializer whose caller has gone publishes into the cell all the same, in one step with what listings show.
#[test]
fn a_value_that_no_caller_waits_for_against_a_listing() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        race!(
            || {
                let _gone = poll_once(desk.elsewhere());
            },
            || {
                let listed = session.properties().list();
                let mut cells = listed.iter().filter(|property| property.set().is_some());
                let listed = cells.find(|cell| cell.name() == "elsewhere").unwrap();
                if listed.state() == PropertyState::Present {
                    assert!(desk.elsewhere.get().is_some());
                }
            },
            || {
                let _ = block_on(desk.elsewhere());
                assert!(desk.elsewhere.get().is_some());
            },
        );
        drop(desk);
        world.end();
    });
}

/// A set whose values have nothing to close.
#[derive(SessionProperties)]
#[session(crate = crate)]
struct Counts {
    #[property(default)]
    hits: Property<AtomicUsize>,
    #[property(try_init = || "no".parse::<usize>())]
    never: Property<usize>,
}

/// The end of a creation drops the parts that nothing uses any more, and none that another caller has begun to use.
#[test]
fn the_end_of_a_creation_against_the_first_token_and_signal() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let counts = session.props::<Counts>().unwrap();
        race!(
            || {
                let _ = counts.never();
                let _ = counts.hits();
            },
            || {
                let token = session.completion_token();
                block_on(token.cancelled());
            },
            || {
                block_on(session.cleanup_completed());
                assert!(session.local().lock().is_cleaned_up());
            },
            || {
                session.terminate();
                assert!(block_on(session.cleanup_completed()).is_clean());
            },
        );
        drop(counts);
        world.end();
    });
}

/// A number that an owned value has is never that of another, whatever was dropped in between.
#[test]
fn the_end_of_a_creation_against_an_owned_value() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let counts = session.props::<Counts>().unwrap();
        race!(
            || {
                counts.hits().unwrap();
            },
            || {
                let first = session.take_ownership(world.tally.make_plain()).unwrap();
                let second = session.take_ownership(world.tally.make_plain()).unwrap();
                assert!(first.dispose());
                assert_eq!(world.tally.dropped(), 1);
                drop(second);
            },
        );
        assert!(session.local().lock().used().is_some());
        session.terminate();
        block_on(session.cleanup_completed());
        assert_eq!(world.tally.dropped(), 2);
        drop(counts);
        world.end();
    });
}

/// A session whose only property has nothing to close is back to where it was.
#[test]
fn callers_of_a_counter() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let counts = session.props::<Counts>().unwrap();
        race!(
            || drop(counts.hits().cloned()),
            || drop(counts.hits().cloned()),
            || assert!(counts.never().is_err()),
        );
        assert!(session.local().lock().used().is_none());
        drop(counts);
        world.end();
    });
}
