//! What live sessions cost, side by side with what else there is: the rows of the bench, and how it measures.

/// Row 1: an accessor on a created property.
pub mod accessor;
/// What is asked of other processes.
pub mod child;
/// Row 7: what the derive costs a build.
pub mod compile;
/// Row 5: from a cookie header to an id.
pub mod cookie;
/// Row 2: a read of the dictionary.
pub mod dictionary;
/// How things are measured: in batches, interleaved, compared round by round.
pub mod harness;
/// Row 3: from an id to a live session.
pub mod lookup;
/// Row 6: the memory of a live session.
pub mod memory;
/// How measurements and verdicts are shown.
pub mod report;
/// Row 4: a whole request.
pub mod request;

/// The runtime that all sessions here are bound to: one thread, so that requests run on the one that measures.
pub fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime can be built")
}
