//! Get-or-create: one initializer runs, and its value is closed, whenever the session ends.

use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::block_on;

use super::harness::{Desk, Probe, World, explore, poll_once, race};
use crate::sessions::session::Session;
use crate::sync::runtime::advance;
use crate::{
    CancellationToken, InitContext, LocalSession as _, Property, PropertyError, PropertyKey,
    PropertyRef, Props, PropsError, SessionProperties,
};

/// The result of a caller: a value, or the error that the session has ended.
fn note(got: &Mutex<Vec<usize>>, result: Result<&PropertyRef<Probe>, PropertyError>) {
    match result {
        Ok(handle) => got.lock().unwrap().push(ptr::from_ref(&**handle).addr()),
        Err(PropertyError::SessionEnded) => {}
        Err(error) => panic!("{error}"),
    }
}

fn desk(session: &Session) -> Option<Props<Desk>> {
    match session.props() {
        Ok(desk) => Some(desk),
        Err(PropsError::SessionEnded) => None,
        Err(error) => panic!("{error}"),
    }
}

fn end_and_check(world: &World, session: &Session) {
    session.terminate();
    let report = block_on(session.cleanup_completed());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.closed(), world.tally.made());
    assert_eq!(report.closed(), world.tally.closed());
}

fn check(world: &World, got: Mutex<Vec<usize>>) {
    let mut got = got.into_inner().unwrap();
    got.dedup();
    assert!(got.len() <= 1, "two values");
    assert!(
        (got.len()..=1).contains(&world.tally.made()),
        "one initializer"
    );
    world.end();
}

#[test]
fn callers_of_a_sync_initializer_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let got = Mutex::default();
        let call = || {
            if let Some(desk) = desk(&session) {
                note(&got, desk.here());
            }
        };
        race!(call, call, || end_and_check(&world, &session));
        check(&world, got);
    });
}

#[test]
fn callers_of_an_async_initializer_against_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let got = Mutex::default();
        race!(
            || {
                if let Some(desk) = desk(&session) {
                    note(&got, block_on(desk.elsewhere()));
                }
            },
            || {
                if let Some(desk) = desk(&session) {
                    // This caller asks, and then goes away.
                    let _ = poll_once(desk.elsewhere());
                }
            },
            || end_and_check(&world, &session),
        );
        check(&world, got);
    });
}

/// An initializer that takes too long is aborted, perhaps just as it ends. Its value is closed all the same.
#[test]
fn an_async_initializer_against_the_drain_timeout() {
    explore(|| {
        // Its close hook is also async, and has time.
        let world = World::with(|settings| settings.close_timeout = Duration::from_secs(3600));
        let session = world.session();
        let got = Mutex::default();
        race!(
            || {
                if let Some(desk) = desk(&session) {
                    note(&got, block_on(desk.elsewhere()));
                }
            },
            || {
                session.terminate();
                while !session.local().lock().is_cleaned_up() {
                    advance(Duration::from_secs(1));
                    shuttle::thread::yield_now();
                }
            },
        );
        check(&world, got);
    });
}

/// A caller that waits for an initializer learns of completion at once, although the initializer goes on.
#[test]
fn a_caller_who_waits_hears_of_completion() {
    const KEY: PropertyKey<Probe> = PropertyKey::new("probe");
    explore(|| {
        let world = World::new();
        let session = world.session();
        let (begun, gate) = (CancellationToken::new(), CancellationToken::new());
        race!(
            || {
                let made = session.properties().get_or_init(&KEY, || {
                    begun.cancel();
                    block_on(gate.cancelled());
                    world.tally.make_plain()
                });
                assert!(matches!(made, Err(PropertyError::SessionEnded)));
            },
            || {
                block_on(begun.cancelled());
                let waited = session.properties().get_or_init(&KEY, || unreachable!());
                assert!(matches!(waited, Err(PropertyError::SessionEnded)));
                gate.cancel();
            },
            || {
                block_on(begun.cancelled());
                session.terminate();
            },
        );
        world.end();
    });
}

/// A property that is absent once the session has completed stays absent.
#[test]
fn nothing_is_published_after_completion() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let desk = session.props::<Desk>().unwrap();
        // While a request is inside, cleanup does not reach the properties.
        let inside = session.enter().unwrap();
        let [present, got] = [const { [const { AtomicBool::new(false) }; 2] }; 2];
        race!(
            || got[0].store(desk.here().is_ok(), Ordering::Relaxed),
            || got[1].store(block_on(desk.elsewhere()).is_ok(), Ordering::Relaxed),
            || {
                session.terminate();
                present[0].store(desk.here.get().is_some(), Ordering::Relaxed);
                present[1].store(desk.elsewhere.get().is_some(), Ordering::Relaxed);
                drop(inside);
            },
        );
        assert_eq!(
            present.map(AtomicBool::into_inner),
            got.map(AtomicBool::into_inner)
        );
        drop(desk);
        world.end();
    });
}

#[test]
fn callers_without_completion_all_get_the_one_value() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let got = Mutex::default();
        let here = || note(&got, session.props::<Desk>().unwrap().here());
        race!(here, here, here);
        assert_eq!(got.lock().unwrap().len(), 3);
        check(&world, got);
    });
}

/// Two properties whose initializers use each other.
#[derive(SessionProperties)]
#[session(state = super::harness::Tally, crate = crate)]
struct Ring {
    #[property(init = |cx| meet(cx, Ring::b))]
    a: Property<Meeting>,
    #[property(init = |cx| meet(cx, Ring::a))]
    b: Property<Meeting>,
    #[property(async_init = meet_d)]
    c: Property<Meeting>,
    #[property(async_init = meet_c)]
    d: Property<Meeting>,
}

/// The outcome of an initializer's request for the other property.
struct Meeting {
    cycle: bool,
}

type Accessor = fn(&Ring) -> Result<&PropertyRef<Meeting>, PropertyError>;

fn meet(cx: &InitContext<super::harness::Tally>, other: Accessor) -> Meeting {
    let ring = cx.session().props::<Ring>().unwrap();
    met(other(&ring).err())
}

async fn meet_c(cx: &InitContext<super::harness::Tally>) -> Meeting {
    let ring = cx.session().props::<Ring>().unwrap();
    met(ring.c().await.err())
}

async fn meet_d(cx: &InitContext<super::harness::Tally>) -> Meeting {
    let ring = cx.session().props::<Ring>().unwrap();
    met(ring.d().await.err())
}

fn met(error: Option<PropertyError>) -> Meeting {
    match error {
        None => Meeting { cycle: false },
        Some(PropertyError::Cycle) => Meeting { cycle: true },
        Some(error) => panic!("{error}"),
    }
}

#[test]
fn initializers_crosswise() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let cycles = AtomicUsize::new(0);
        let ring = session.props::<Ring>().unwrap();
        let count = |meeting: Result<&PropertyRef<Meeting>, PropertyError>| {
            cycles.fetch_add(meeting.unwrap().cycle.into(), Ordering::Relaxed);
        };
        race!(|| count(ring.a()), || count(ring.b()));
        assert_eq!(cycles.load(Ordering::Relaxed), 1);
        drop(ring);
        world.end();
    });
}

#[test]
fn async_initializers_crosswise() {
    explore(|| {
        let world = World::new();
        let session = world.session();
        let cycles = AtomicUsize::new(0);
        let ring = session.props::<Ring>().unwrap();
        let count = |meeting: Result<&PropertyRef<Meeting>, PropertyError>| {
            cycles.fetch_add(meeting.unwrap().cycle.into(), Ordering::Relaxed);
        };
        race!(|| count(block_on(ring.c())), || count(block_on(ring.d())));
        assert_eq!(cycles.load(Ordering::Relaxed), 1);
        drop(ring);
        world.end();
    });
}

/// An initializer of one manager's session, and one of another's, that use each other.
#[test]
fn initializers_of_two_managers_crosswise() {
    const KEY: PropertyKey<Meeting> = PropertyKey::new("meeting");
    const BETWEEN: PropertyKey<Meeting> = PropertyKey::new("between");
    /// Creates the property of `one`, which needs that of `other` by way of another property of the same session.
    fn need(one: &Session, other: &Session) -> Result<PropertyRef<Meeting>, PropertyError> {
        one.properties().get_or_init(&KEY, || {
            let make = || met(need(other, one).err());
            let between = one.properties().get_or_init(&BETWEEN, make);
            let cycle = between.unwrap().cycle;
            Meeting { cycle }
        })
    }
    explore(|| {
        let (world, elsewhere) = (World::new(), World::new());
        let (one, other) = (world.session(), elsewhere.session());
        let cycles = AtomicUsize::new(0);
        let count = |meeting: Result<PropertyRef<Meeting>, PropertyError>| {
            cycles.fetch_add(meeting.unwrap().cycle.into(), Ordering::Relaxed);
        };
        race!(|| count(need(&one, &other)), || count(need(&other, &one)));
        assert_eq!(cycles.load(Ordering::Relaxed), 1);
        world.end();
        elsewhere.end();
    });
}
