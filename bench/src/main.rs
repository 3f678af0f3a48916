//! `cargo xtask bench` prints the rows side by side, and whether they keep within their budgets.

use session_bench::report::{Verdict, print_verdicts};
use session_bench::{
    accessor, child, compile, cookie, dictionary, lookup, memory, request, runtime,
};
use tokio::runtime::Runtime;

fn main() {
    let runtime = runtime();
    // Sessions are bound to a runtime.
    let _entered = runtime.enter();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [child::MEMORY, holder] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let holder = holder.parse().expect("it is a place");
        println!("{}", memory::resident_each(holder, &runtime));
        return;
    }
    let chosen = |row: usize| match arguments.as_slice() {
        // Row 7 builds for minutes.
        [] => row < 7,
        _ => arguments.contains(&row.to_string()),
    };

    let mut verdicts = Vec::new();
    for row in (1..=7).filter(|row| chosen(*row)) {
        let of_row = match row {
            1 => in_a_task(&runtime, accessor::run),
            2 => in_a_task(&runtime, dictionary::run),
            3 => in_a_task(&runtime, lookup::run),
            4 => request::run(&runtime),
            5 => in_a_task(&runtime, cookie::run),
            6 => memory::run(),
            _ => compile::run(&runtime),
        };
        verdicts.extend(of_row.into_iter().map(|verdict| (row, verdict)));
    }
    print_verdicts(&verdicts);
}

/// The runtime of the handlers.
fn in_a_task(runtime: &Runtime, row: fn() -> Vec<Verdict>) -> Vec<Verdict> {
    let task = runtime.spawn(async move { row() });
    runtime.block_on(task).expect("no row panics")
}
