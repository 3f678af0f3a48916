//! The size limit of the process's files. Most of them are SQLite's, which bounds neither the temporary files of a sort
//! or a `DISTINCT` nor the write-ahead log.

use std::io;

/// Bounds all files that the process writes from now on. A write beyond the limit fails.
///
/// Must be called in a tokio runtime.
#[cfg(unix)]
pub(crate) fn bound(bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
    use tokio::signal::unix::{SignalKind, signal};

    // The signal would end the process without this handler, which stays installed.
    let _never_awaited = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let Rlimit { current, maximum } = getrlimit(Resource::Fsize);
    let current = Some(current.map_or(bytes, |current| current.min(bytes)));
    setrlimit(Resource::Fsize, Rlimit { current, maximum })?;
    Ok(())
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(crate) fn bound(_bytes: u64) -> io::Result<()> {
    Ok(())
}
