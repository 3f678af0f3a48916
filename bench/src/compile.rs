#![expect(
    clippy::duplicate_mod,
    reason = "each set has types of its own for its values"
)]

use std::fs::{File, read_to_string};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use session_core::{LocalSession as _, Session, SessionManager};
use tokio::runtime::Runtime;

use self::app::{App, Touched};
use crate::harness::Samples;
use crate::report::{Verdict, times};

/// The code that all sets share.
#[expect(missing_debug_implementations, reason = "it is what is built")]
#[path = "../compile/src/app.rs"]
pub mod app;

/// The set by hand.
#[expect(missing_debug_implementations, reason = "it is what is built")]
#[path = "../compile/src/by_hand.rs"]
pub mod by_hand;

/// The set, derived.
#[expect(missing_debug_implementations, reason = "it is what is built")]
#[path = "../compile/src/derived.rs"]
pub mod derived;

const PACKAGE: &str = "session-bench-compile";
const MOST: f64 = 1.5;

/// Ticks per second in the kernel's times.
const TICKS: f64 = 100.0;

/// Measures the row.
pub fn run(runtime: &Runtime) -> Vec<Verdict> {
    runtime.block_on(both_do_the_same());
    println!("\n### 7. A build of 100 property sets of 10 properties each\n");
    println!("| case | processor s | least | most | wall clock s |");
    println!("|---|---:|---:|---:|---:|");
    vec![compare("check", 5), compare("build", 3)]
}

/// Checks that the set that is quicker to build does not do less.
async fn both_do_the_same() {
    let derived = outcome(|session, _| derived::touch(session)).await;
    let by_hand = outcome(by_hand::touch).await;
    assert_eq!(derived, by_hand);
}

/// The results of a set's accessors, and the number of values closed at the end.
async fn outcome(touch: impl FnOnce(Session, Arc<App>) -> Touched) -> (String, usize) {
    let app = || App::new("bench");
    let sessions = SessionManager::builder().state(app()).build();
    let sessions = sessions.expect("a runtime is entered");
    let session = sessions.create().expect("there is room");
    let told = touch(session.clone(), Arc::new(app())).await;
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    (told.expect("no accessor fails"), report.closed())
}

/// Lets cargo build the crate with either kind of sets, in turn.
fn compare(command: &str, rounds: usize) -> Verdict {
    const FEATURES: [&str; 2] = ["derived", "by-hand"];
    // Without sets: their dependencies are built, and the crate is as small as possible.
    cargo(command, "");
    let mut spent = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // Neither case is always first.
        for turn in 0..2 {
            let place = (round + turn) % 2;
            spent[place].push(cargo(command, FEATURES[place]));
        }
    }
    let [derived, by_hand] = [0, 1].map(|place| {
        let processor: Samples = spent[place].iter().map(|spent| spent.processor).collect();
        let clock: Samples = spent[place].iter().map(|spent| spent.clock).collect();
        let least = processor.least();
        let most = processor.quantile(1.0);
        let (processor_median, clock) = (processor.median(), clock.median());
        println!(
            "| `cargo {command}`, {} | {processor_median:.2} | {least:.2} | {most:.2} | {clock:.2} |",
            FEATURES[place].replace('-', " ")
        );
        processor
    });
    let ratio = derived.over(&by_hand).median();
    Verdict {
        what: format!("`cargo {command}` of 100 derived property sets; by hand"),
        measured: format!("{:.1} s", derived.median()),
        base: format!("{:.1} s", by_hand.median()),
        ratio: times(ratio),
        budget: times(MOST),
        ok: ratio <= MOST,
    }
}

/// The times of one command, in seconds.
struct Spent {
    /// The command's time on all processors, regardless of their other work.
    processor: f64,
    clock: f64,
}

/// Rebuilds only the crate, in the dev profile, without incremental compilation and without network.
fn cargo(command: &str, features: &str) -> Spent {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile");
    let source = File::options()
        .append(true)
        .open(package.join("src/lib.rs"));
    // The crate then looks changed.
    let touched = source.and_then(|source| source.set_modified(SystemTime::now()));
    touched.expect("the source is there");

    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([command, "--offline", "--features", features]);
    cargo.arg("--manifest-path").arg(package.join("Cargo.toml"));
    cargo.env("CARGO_INCREMENTAL", "0");
    let (processor, clock) = (of_children(), Instant::now());
    let output = cargo.output().expect("cargo starts");
    let spent = Spent {
        processor: of_children() - processor,
        clock: clock.elapsed().as_secs_f64(),
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(PACKAGE), "it was not built: {told}");
    spent
}

/// The processor time of all ended processes that this one started.
fn of_children() -> f64 {
    let stat = read_to_string("/proc/self/stat").expect("Linux tells it here");
    let (_, fields) = stat.rsplit_once(')').expect("its name is in brackets");
    // User and kernel time are fields 16 and 17. The first two fields were cut off.
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<f64>().expect("it is a number"));
    ticks.sum::<f64>() / TICKS
}
