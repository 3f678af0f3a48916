use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use session_core::{LocalSession, Property, Props, SessionManager, SessionProperties};

use crate::harness::Bench;
use crate::report::{Verdict, print_cases};

const READS: usize = 1_000_000;
const MOST_ADDED_NS: f64 = 0.5;

#[derive(SessionProperties)]
struct Counters {
    #[property(default)]
    hits: Property<AtomicU64>,
}

/// The least that an accessor must do.
#[derive(Default)]
struct Least {
    hits: OnceLock<AtomicU64>,
}

/// Measures the row.
pub fn run() -> Vec<Verdict> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    let session = sessions.create().expect("there is room");
    let props: Props<Counters> = session.props().expect("the session is active");
    props.hits().expect("a default does not fail");
    let least = Arc::new(Least::default());
    least.hits.get_or_init(AtomicU64::default);

    let mut bench = Bench::default();
    let base = bench.case("`OnceLock` through an `Arc`", READS, || {
        for _ in 0..READS {
            black_box(black_box(&least).hits.get().expect("it is there"));
        }
    });
    let accessor = bench.case("accessor through `Props<P>`", READS, || {
        for _ in 0..READS {
            black_box(black_box(&props).hits().expect("it is there"));
        }
    });
    bench.case("`OnceLock` through an `Arc`, and its value", READS, || {
        for _ in 0..READS {
            let hits = black_box(&least).hits.get().expect("it is there");
            black_box(hits.load(Ordering::Relaxed));
        }
    });
    bench.case("accessor through `Props<P>`, and its value", READS, || {
        for _ in 0..READS {
            let hits = black_box(&props).hits().expect("it is there");
            black_box(hits.load(Ordering::Relaxed));
        }
    });
    let measured = bench.run();
    print_cases("1. An accessor on a created property", &measured);

    let (value, base) = (measured[accessor].least(), measured[base].least());
    vec![Verdict {
        what: "accessor on a created property".to_owned(),
        measured: format!("{value:.2} ns"),
        base: format!("{base:.2} ns"),
        ratio: format!("{:+.2} ns", value - base),
        budget: format!("{MOST_ADDED_NS:+.2} ns"),
        ok: value - base <= MOST_ADDED_NS,
    }]
}
