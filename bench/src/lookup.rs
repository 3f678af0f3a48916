use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::sync::Arc;

use dashmap::DashMap;
use session_core::{SessionId, SessionManager};
use tokio::time::Instant;

use crate::harness::{Bench, Samples};
use crate::report::{Verdict, ns, print_cases, times};

/// Look-ups in a batch: both numbers of sessions are multiples of it.
const LOOKS: usize = 10_000;

/// The least that a session needs beside its id.
#[derive(Default)]
struct Least {
    _last_activity: u64,
    _counter: u64,
}

/// The baseline of a look-up: the same map, the same hasher, and nothing else.
type BareMap = DashMap<SessionId, Arc<Least>, BuildHasherDefault<PassThrough>>;

/// Uses the random bits of an id as its hash.
#[derive(Clone, Copy, Default)]
struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("an id is one `u128`")
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the bits is plenty"
    )]
    fn write_u128(&mut self, bits: u128) {
        self.0 = bits as u64;
    }
}

/// Measures the row.
pub fn run() -> Vec<Verdict> {
    let mut verdicts = at("10 k", 10_000, 1.4);
    verdicts.extend(at("1 M", 1_000_000, 1.3));
    verdicts
}

fn at(size: &str, count: usize, most: f64) -> Vec<Verdict> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    let ids: Vec<SessionId> = (0..count)
        .map(|_| sessions.create().expect("there is room").id())
        .collect();
    let map: BareMap = ids.iter().map(|id| (*id, Arc::default())).collect();

    let (map, sessions) = (&map, &sessions);
    // Each case has its own order of the ids, so that none finds the caches warmed by the previous one.
    let mut ways = (1..).map(|seed| Way::new(&ids, seed));
    let mut way = || ways.next().expect("seeds don't end");
    let mut bench = Bench::default();
    let mut ids = way();
    let bare = bench.case("bare `DashMap`, get and clone", LOOKS, move || {
        for id in ids.next() {
            black_box(map.get(id).map(|found| Arc::clone(found.value())));
        }
    });
    let mut ids = way();
    let get = bench.case("`sessions.get(&id)`", LOOKS, move || {
        for id in ids.next() {
            black_box(sessions.get(id));
        }
    });
    let mut ids = way();
    let bare_and_clock = bench.case("bare `DashMap`, and a clock read", LOOKS, move || {
        for id in ids.next() {
            let found = map.get(id).map(|found| Arc::clone(found.value()));
            black_box((found, Instant::now()));
        }
    });
    let mut ids = way();
    let entered = bench.case("`sessions.enter(&id)`, and out again", LOOKS, move || {
        for id in ids.next() {
            drop(black_box(sessions.enter(id).expect("it is active")));
        }
    });
    let clock = bench.case("a clock read alone", LOOKS, || {
        for _ in 0..LOOKS {
            black_box(Instant::now());
        }
    });
    let measured = bench.run();
    let title = format!("3. From an id to a live session, {size} sessions");
    print_cases(&title, &measured);

    let [bare, get, bare_and_clock, entered, clock] =
        [bare, get, bare_and_clock, entered, clock].map(|case| &measured[case]);
    let verdict = |what, measured: &Samples, beside, base: &Samples, most: f64| {
        let ratio = measured.over(base).median();
        Verdict {
            what: format!("{what}, {size} sessions; {beside}"),
            measured: ns(measured.median()),
            base: ns(base.median()),
            ratio: times(ratio),
            budget: times(most),
            ok: ratio <= most,
        }
    };
    // The ratio is for the look-up. A clock read comes on top, and lets no look-up overlap with the next. The time
    // of the look-up beside it is therefore taken from the case that has both.
    let most_entering = bare_and_clock.minus(clock).times(most).plus(clock);
    let most_entering = most_entering.over(bare_and_clock).median();
    vec![
        verdict("look-up", get, "bare `DashMap`", bare, most),
        verdict(
            "look-up with activity guard",
            entered,
            "bare `DashMap` and a clock read",
            bare_and_clock,
            most_entering,
        ),
    ]
}

/// All the ids in the case's own order, a batch at a time, in a cycle.
struct Way {
    ids: Vec<SessionId>,
    at: usize,
}

impl Way {
    fn new(ids: &[SessionId], seed: u64) -> Self {
        let mut ids = ids.to_vec();
        shuffle(&mut ids, seed);
        Self { ids, at: 0 }
    }

    fn next(&mut self) -> &[SessionId] {
        let at = self.at;
        self.at = (at + LOOKS) % self.ids.len();
        &self.ids[at..at + LOOKS]
    }
}

/// The same order at each run.
pub(crate) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for last in (1..items.len()).rev() {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = state % (last as u64 + 1);
        items.swap(last, usize::try_from(other).expect("it is below `last`"));
    }
}
