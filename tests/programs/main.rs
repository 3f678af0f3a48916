//! Random programs on sessions, groups and properties.
//!
//! Run one step at a time, they must do exactly what a simple model says. Run on several threads, in any order of the
//! steps, every value is dropped once, never before its last use, and nothing stays registered.
//!
//! `SESSION_PROGRAMS` sets how many programs each test runs.

mod eviction;
mod model;
mod probe;
mod program;
mod sequential;
mod threads;
mod values;

/// The configuration of the drawing: the same programs every time, unless more are requested.
fn config(programs: u32) -> proptest::test_runner::Config {
    let programs = std::env::var("SESSION_PROGRAMS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(programs);
    proptest::test_runner::Config {
        cases: programs,
        // A failing program is printed in full, since there is no file to keep it in.
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Default::default()
    }
}
