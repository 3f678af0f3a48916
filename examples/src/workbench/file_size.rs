//! How large a file of the process may become. Most of them are SQLite's, which bounds neither what a sort or a
//! `DISTINCT` writes nor the write-ahead log.

use std::io;

/// Bounds all files that the process writes from now on. A write beyond fails.
///
/// To be called in a tokio runtime.
#[cfg(unix)]
pub(crate) fn bound(bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
    use tokio::signal::unix::{SignalKind, signal};

    // The signal for it would end the process, but for a handler, which stays.
    let _never_awaited = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let Rlimit { current, maximum } = getrlimit(Resource::Fsize);
    let current = Some(current.map_or(bytes, |current| current.min(bytes)));
    setrlimit(Resource::Fsize, Rlimit { current, maximum })?;
    Ok(())
}

/// Windows has no such bound.
#[cfg(not(unix))]
pub(crate) fn bound(_bytes: u64) -> io::Result<()> {
    Ok(())
}
