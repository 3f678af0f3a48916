//! Row 9: an initializer that would wait for itself gets an error, on one thread or task or across several.

use std::sync::Arc;
use std::thread;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use session_core::{LocalSession, Properties, PropertyError, PropertyKey, Session, SessionGroup};
use tokio::runtime::Runtime;
use tokio::sync::{Barrier, oneshot};
use tokio::task::block_in_place;

use crate::kit::{manager, threads};
use crate::thread::block_on;

const A: PropertyKey<usize> = PropertyKey::new("a");
const B: PropertyKey<usize> = PropertyKey::new("b");
const C: PropertyKey<usize> = PropertyKey::new("c");

/// Properties that need each other: each one's initializer asks for the next, the last one's for the first.
type Ring = Arc<[Link]>;

struct Link {
    home: Home,
    key: PropertyKey<usize>,
    runs: Runs,
}

enum Home {
    Session(Session),
    Group(SessionGroup),
}

#[derive(Clone, Copy)]
enum Runs {
    /// On its first caller's thread.
    Here,
    OnATask,
}

use Runs::{Here, OnATask};

impl Link {
    fn properties(&self) -> Properties<'_> {
        match &self.home {
            Home::Session(session) => session.properties(),
            Home::Group(group) => group.properties(),
        }
    }
}

/// The property whose initializer got the cycle error has 1, the one that needed it 2, and so on round the ring.
fn steps(needed: Result<usize, PropertyError>) -> usize {
    match needed {
        Ok(steps) => steps + 1,
        Err(PropertyError::Cycle) => 1,
        Err(other) => panic!("{other:?}"),
    }
}

/// Gets a property of the ring. Initializers meet, if they are to, before they ask for the next.
fn need(
    ring: &Ring,
    at: usize,
    meeting: Option<&Arc<Barrier>>,
) -> BoxFuture<'static, Result<usize, PropertyError>> {
    let (ring, meeting) = (ring.clone(), meeting.cloned());
    let next = {
        let (ring, meeting) = (ring.clone(), meeting.clone());
        async move {
            match &meeting {
                Some(meeting) => {
                    meeting.wait().await;
                }
                None => tokio::task::yield_now().await,
            }
            steps(need(&ring, (at + 1) % ring.len(), meeting.as_ref()).await)
        }
    };
    Box::pin(async move {
        let Link { key, runs, .. } = &ring[at];
        let properties = ring[at].properties();
        let handle = match runs {
            // A worker that blocks has to let others go on with its tasks.
            Here => block_in_place(|| properties.get_or_init(key, || block_on(next))),
            OnATask => properties.get_or_init_async(key, || next).await,
        };
        handle.map(|steps| *steps)
    })
}

/// One of the ring got the error, and the others got their values.
fn assert_one_was_told(mut got: Vec<usize>) {
    got.sort_unstable();
    assert!(got.iter().copied().eq(1..=got.len()), "{got:?}");
}

/// One caller asks for the first.
fn assert_cycle_alone(ring: &Ring) {
    let got = (0..ring.len()).map(|at| block_on(need(ring, at, None)).unwrap());
    assert_one_was_told(got.collect());
}

/// As many callers as there are properties, and none needs the next before all are being created.
fn assert_cycle_crosswise(ring: &Ring) {
    let meeting = Arc::new(Barrier::new(ring.len()));
    let got = thread::scope(|scope| {
        let callers = (0..ring.len()).map(|at| {
            let meeting = &meeting;
            scope.spawn(move || block_on(need(ring, at, Some(meeting))).unwrap())
        });
        let callers: Vec<_> = callers.collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    assert_one_was_told(got);
}

/// Tries rings of the properties that `homes` makes, once for each round.
fn assert_cycles(runtime: &Runtime, runs: &[Runs], homes: impl Fn(usize) -> Vec<Home>) {
    let ring = |round| -> Ring {
        let links = homes(round).into_iter().zip([A, B, C]).zip(runs);
        links
            .map(|((home, key), runs)| Link {
                home,
                key,
                runs: *runs,
            })
            .collect()
    };
    let _entered = runtime.enter();
    for round in 0..20 {
        assert_cycle_alone(&ring(2 * round));
        assert_cycle_crosswise(&ring(2 * round + 1));
    }
}

/// All properties of a ring in one session.
fn assert_cycles_in_a_session(runs: &[Runs]) {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    assert_cycles(&runtime, runs, |_| {
        let session = sessions.create().unwrap();
        runs.iter()
            .map(|_| Home::Session(session.clone()))
            .collect()
    });
}

#[test]
fn r09_sync_initializers_that_need_themselves_get_a_cycle() {
    assert_cycles_in_a_session(&[Here]);
    assert_cycles_in_a_session(&[Here, Here]);
    assert_cycles_in_a_session(&[Here, Here, Here]);
}

#[test]
fn r09_async_initializers_that_need_themselves_get_a_cycle() {
    assert_cycles_in_a_session(&[OnATask]);
    assert_cycles_in_a_session(&[OnATask, OnATask]);
    assert_cycles_in_a_session(&[OnATask, OnATask, OnATask]);
}

#[test]
fn r09_sync_and_async_initializers_that_need_each_other_get_a_cycle() {
    assert_cycles_in_a_session(&[Here, OnATask]);
    assert_cycles_in_a_session(&[OnATask, Here]);
    assert_cycles_in_a_session(&[OnATask, Here, OnATask]);
    assert_cycles_in_a_session(&[Here, OnATask, Here]);
}

#[test]
fn r09_a_session_and_its_group_that_need_each_other_get_a_cycle() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let pair = |_| {
        let session = sessions.create().unwrap();
        vec![Home::Group(session.group()), Home::Session(session)]
    };
    assert_cycles(&runtime, &[Here, Here], pair);
    assert_cycles(&runtime, &[OnATask, OnATask], pair);
    assert_cycles(&runtime, &[OnATask, Here], pair);
    let siblings = |round| {
        let group = || format!("group {round}").as_str().into();
        let [one, other] = [(); 2].map(|()| sessions.create_in(group()).unwrap());
        vec![
            Home::Session(one.clone()),
            Home::Session(other),
            Home::Group(one.group()),
        ]
    };
    assert_cycles(&runtime, &[OnATask, Here, OnATask], siblings);
}

/// As those of two nested layers.
#[test]
fn r09_sessions_of_several_managers_that_need_each_other_get_a_cycle() {
    let runtime = threads();
    let _entered = runtime.enter();
    let managers = [(); 3].map(|()| manager());
    let homes = |_| {
        let homes = managers.iter();
        homes
            .map(|manager| Home::Session(manager.create().unwrap()))
            .collect()
    };
    for runs in [[OnATask; 3], [Here; 3], [OnATask, Here, OnATask]] {
        assert_cycles(&runtime, &runs[..2], homes);
        assert_cycles(&runtime, &runs, homes);
    }
}

/// The set of futures polls only the woken ones again.
#[tokio::test(start_paused = true)]
async fn r09_a_future_that_was_begun_outside_and_is_awaited_inside_gets_a_cycle() {
    for in_a_set in [false, true] {
        let sessions = manager();
        let session = sessions.create().unwrap();
        let (go, may_go) = oneshot::channel::<()>();
        let b = {
            let inner = session.clone();
            let make = || async move {
                may_go.await.unwrap();
                let a = inner.properties().get_or_init_async(&A, || async { 0 });
                steps(a.await.map(|steps| *steps))
            };
            let session = session.clone();
            async move {
                let b = session.properties().get_or_init_async(&B, make).await;
                b.map(|steps| *steps)
            }
        };
        let mut set = FuturesUnordered::from_iter([b.boxed()]);
        if !in_a_set {
            let mut b = std::mem::take(&mut set).into_iter().next().unwrap();
            assert!((&mut b).now_or_never().is_none());
            set.push(b);
        }
        let mut b = Box::pin(async move { set.next().await.unwrap() });
        assert!((&mut b).now_or_never().is_none());
        let make = || async move {
            go.send(()).unwrap();
            steps(b.await)
        };
        let a = session.properties().get_or_init_async(&A, make).await;
        assert!((1..=2).contains(&*a.unwrap()), "one was told");
    }
}
