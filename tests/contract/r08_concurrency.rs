//! Row 8: properties from any thread, and initializers that use others.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyKey, Refused, Session,
    SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::{builder, manager, settle, threads};
use crate::thread::block_on;

const THREADS: usize = 8;
const KEYS: [PropertyKey<Counted>; 3] = [
    PropertyKey::new("one"),
    PropertyKey::new("two"),
    PropertyKey::new("three"),
];

/// Counts the values that exist, and those that ever did.
#[derive(Clone, Default)]
struct Counter(Arc<[AtomicUsize; 2]>);

struct Counted {
    counter: Counter,
    whole: [u64; 2],
}

impl Counter {
    fn make(&self) -> Counted {
        self.0[0].fetch_add(1, Ordering::Relaxed);
        let number = self.0[1].fetch_add(1, Ordering::Relaxed) as u64;
        Counted {
            counter: self.clone(),
            whole: [number, !number],
        }
    }

    fn alive(&self) -> usize {
        self.0[0].load(Ordering::Relaxed)
    }
}

impl Counted {
    /// Whether these are all one value.
    fn is_whole(&self) -> bool {
        self.whole[0] == !self.whole[1]
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert!(self.is_whole());
        self.counter.0[0].fetch_sub(1, Ordering::Relaxed);
    }
}

/// A thread's share of the work. Returns the number of properties added minus the number removed.
fn use_properties(session: &Session, counter: &Counter, thread: usize) -> isize {
    let properties = session.properties();
    let mut added = 0;
    for round in 0..600 {
        let key = &KEYS[(round + thread) % KEYS.len()];
        match (round / KEYS.len() + thread) % 5 {
            0 => added += isize::from(properties.insert(key, counter.make()).is_ok()),
            1 => added -= isize::from(properties.remove(key).unwrap().is_some()),
            2 => match properties.replace(key, counter.make()) {
                Ok(old) => added += isize::from(old.is_none()),
                Err(refused) => assert!(matches!(refused, Refused::BeingCreated(_))),
            },
            3 => {
                let mut made = false;
                let handle = properties.get_or_init(key, || {
                    made = true;
                    counter.make()
                });
                assert!(handle.unwrap().is_whole());
                added += isize::from(made);
            }
            _ => {
                if let Some(handle) = properties.get(key) {
                    assert!(handle.is_whole());
                }
            }
        }
    }
    added
}

#[tokio::test]
async fn r08_get_insert_remove_and_create_go_on_at_once_from_many_threads() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let counter = Counter::default();
    let line = Barrier::new(THREADS);
    let added: isize = std::thread::scope(|scope| {
        let work = |thread| {
            let (session, counter, line) = (&session, &counter, &line);
            scope.spawn(move || {
                line.wait();
                use_properties(session, counter, thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(work).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    let present = KEYS
        .iter()
        .filter(|key| session.properties().get(key).is_some());
    let present = present.count();
    assert_eq!(
        isize::try_from(present),
        Ok(added),
        "no add or remove is lost"
    );
    assert_eq!(session.properties().list().len(), present);
    assert_eq!(counter.alive(), present, "what was taken away is gone");

    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), counter.alive()), (present, 0));
    assert!(report.is_clean());
}

#[test]
fn r08_async_creation_and_removal_go_on_at_once_from_many_tasks() {
    threads().block_on(async {
        let sessions = manager();
        let session = sessions.create().unwrap();
        let counter = Counter::default();
        let tasks: Vec<_> = (0..THREADS)
            .map(|task| {
                let (session, counter) = (session.clone(), counter.clone());
                tokio::spawn(async move {
                    for round in 0..300 {
                        let properties = session.properties();
                        let key = &KEYS[round % KEYS.len()];
                        if (round + task) % 4 == 0 {
                            properties.remove(key).unwrap();
                        }
                        let counter = counter.clone();
                        let make = || async move {
                            tokio::task::yield_now().await;
                            counter.make()
                        };
                        let handle = properties.get_or_init_async(key, make).await.unwrap();
                        assert!(handle.is_whole());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        session.terminate();
        session.cleanup_completed().await;
        assert_eq!(counter.alive(), 0);
    });
}

#[tokio::test]
async fn r08_a_value_that_is_removed_at_once_reaches_all_callers_that_asked_for_it() {
    const KEY: PropertyKey<u8> = PropertyKey::new("key");
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    let mut first = pin!(properties.get_or_init_async(&KEY, || async { 1 }));
    let mut second = pin!(properties.get_or_init_async(&KEY, || async { 2 }));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    settle().await;
    assert!(properties.remove(&KEY).unwrap().is_some());
    assert_eq!(*first.await.unwrap(), 1, "its own");
    assert_eq!(*second.await.unwrap(), 2, "another");
}

/// A point at which an initializer blocks, as a slow one would.
struct Gate {
    entered: mpsc::Sender<()>,
    leave: Mutex<mpsc::Receiver<()>>,
}

impl Gate {
    fn new() -> (Self, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (entered, has_entered) = mpsc::channel();
        let (may_leave, leave) = mpsc::channel();
        let leave = Mutex::new(leave);
        (Self { entered, leave }, has_entered, may_leave)
    }

    fn pass(&self) {
        self.entered.send(()).unwrap();
        self.leave.lock().unwrap().recv().unwrap();
    }
}

#[derive(SessionProperties)]
#[session(state = Gate)]
struct Desk {
    #[property(init = pass)]
    slow: Property<u8>,
    #[property(init = pass)]
    slow_lent: Exclusive<u8>,
    #[property(default)]
    quick: Property<u8>,
    #[property(default)]
    lent: Exclusive<u8>,
    #[property(async_init = async || 4)]
    on_a_task: Property<u8>,
    by_hand: Property<u8>,
}

fn pass(cx: &InitContext<Gate>) -> u8 {
    cx.state().pass();
    1
}

/// Uses every way to a property, except those to the slow ones.
async fn use_the_others(session: &Session) {
    const GIVEN: PropertyKey<u8> = PropertyKey::new("given");
    const MADE: PropertyKey<u8> = PropertyKey::new("made");
    let properties = session.properties();
    properties.insert(&GIVEN, 1).unwrap();
    properties.replace(&GIVEN, 2).unwrap();
    assert_eq!(properties.get(&GIVEN).as_deref(), Some(&2));
    properties.remove(&GIVEN).unwrap();
    assert_eq!(*properties.get_or_init(&MADE, || 3).unwrap(), 3);
    properties.remove(&MADE).unwrap();
    let made = properties.get_or_init_async(&MADE, || async { 4 }).await;
    assert_eq!(*made.unwrap(), 4);
    let desk = session.props::<Desk>().unwrap();
    assert_eq!(**desk.quick().unwrap(), 0);
    assert_eq!(*desk.lent().await.unwrap(), 0);
    assert_eq!(**desk.on_a_task().await.unwrap(), 4);
    desk.set_by_hand(5).unwrap();
    assert!(desk.slow.get().is_none() && desk.slow_lent.try_lock().is_none());
}

#[tokio::test]
async fn r08_creating_a_property_on_a_thread_blocks_no_other() {
    const SLOW: PropertyKey<u8> = PropertyKey::new("slow");
    let (gate, entered, leave) = Gate::new();
    let in_dictionary = Arc::new(gate);
    let (gate, entered_in_set, leave_in_set) = Gate::new();
    let sessions = builder().state(gate).build().unwrap();
    let session = sessions.create().unwrap();
    let threads = [
        std::thread::spawn({
            let session = session.clone();
            move || {
                let make = || {
                    in_dictionary.pass();
                    1
                };
                assert!(session.properties().get_or_init(&SLOW, make).is_ok());
            }
        }),
        std::thread::spawn({
            let desk = session.props::<Desk>().unwrap();
            move || assert!(desk.slow().is_ok())
        }),
        std::thread::spawn({
            let desk = session.props::<Desk>().unwrap();
            move || assert!(block_on(desk.slow_lent()).is_ok())
        }),
    ];
    entered.recv().unwrap();
    entered_in_set.recv().unwrap();
    entered_in_set.recv().unwrap();

    use_the_others(&session).await;

    leave.send(()).unwrap();
    leave_in_set.send(()).unwrap();
    leave_in_set.send(()).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn r08_creating_a_property_on_a_task_blocks_no_other() {
    const SLOW: PropertyKey<u8> = PropertyKey::new("slow");
    let sessions = builder().state(Gate::new().0).build().unwrap();
    let session = sessions.create().unwrap();
    let (done, wait) = oneshot::channel();
    let make = || async { wait.await.unwrap() };
    let mut slow = pin!(session.properties().get_or_init_async(&SLOW, make));
    assert!(slow.as_mut().now_or_never().is_none());

    use_the_others(&session).await;

    done.send(1).unwrap();
    assert_eq!(*slow.await.unwrap(), 1);
}

#[derive(SessionProperties)]
struct Chain {
    #[property(init = |cx: &InitContext| 1 + base(&cx.session()))]
    first: Property<u32>,
    #[property(async_init = second)]
    second: Property<u32>,
    #[property(async_init = third)]
    third: Exclusive<u32>,
}

const BASE: PropertyKey<u32> = PropertyKey::new("base");
const NOTE: PropertyKey<u32> = PropertyKey::new("note");

fn base(session: &Session) -> u32 {
    session.properties().insert(&NOTE, 7).unwrap();
    *session.properties().get_or_init(&BASE, || 10).unwrap()
}

async fn second(cx: &InitContext) -> u32 {
    let session = cx.session();
    let chain = session.props::<Chain>().unwrap();
    let in_dictionary = PropertyKey::<u32>::new("in dictionary");
    let made = session.properties();
    let made = made
        .get_or_init_async(&in_dictionary, || async { 100 })
        .await;
    **chain.first().unwrap() + *made.unwrap()
}

async fn third(cx: &InitContext) -> u32 {
    let chain = cx.session().props::<Chain>().unwrap();
    let second = **chain.second().await.unwrap();
    second + 1000
}

#[tokio::test]
async fn r08_an_initializer_uses_other_properties_of_its_session() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let chain = session.props::<Chain>().unwrap();
    assert_eq!(*chain.third().await.unwrap(), 1111);
    assert_eq!(**chain.second().await.unwrap(), 111);
    assert_eq!(**chain.first().unwrap(), 11);
    assert_eq!(session.properties().get(&BASE).as_deref(), Some(&10));
    assert_eq!(session.properties().get(&NOTE).as_deref(), Some(&7));
}
