//! The cost of live sessions, side by side with the alternatives: the rows of the bench, and how it measures.

/// Row 1: an accessor on a created property.
pub mod accessor;
/// Measurements in other processes.
pub mod child;
/// Row 7: the cost of the derive in a build.
pub mod compile;
/// Row 5: from a cookie header to an id.
pub mod cookie;
/// Row 2: a read of the dictionary.
pub mod dictionary;
/// The measuring: in batches, interleaved, compared round by round.
pub mod harness;
/// Row 3: from an id to a live session.
pub mod lookup;
/// Row 6: the memory of a live session.
pub mod memory;
/// The output of measurements and verdicts.
pub mod report;
/// Row 4: a whole request.
pub mod request;

/// The runtime of all sessions here. It has one thread, so that requests run on the one that measures.
pub fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime can be built")
}
