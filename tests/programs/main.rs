//! Random programs on sessions, groups and properties.
//!
//! Run one step at a time they have to do exactly what a simple model says; run on several threads, whatever the
//! order turns out to be, every value is dropped once, never before its last use, and nothing stays registered.
//!
//! `SESSION_PROGRAMS` sets how many programs each test runs.

mod eviction;
mod model;
mod probe;
mod program;
mod sequential;
mod threads;
mod values;

/// How the programs are drawn: the same ones every time unless more are asked for.
fn config(programs: u32) -> proptest::test_runner::Config {
    let programs = std::env::var("SESSION_PROGRAMS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(programs);
    proptest::test_runner::Config {
        cases: programs,
        // A failing program is printed whole; there is no file to keep it in.
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Default::default()
    }
}
