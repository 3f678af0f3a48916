//! The pseudo-terminal that a shell runs on.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use filedescriptor::FileDescriptor;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::sleep;

use super::BoxError;
use super::process::Process;
use super::screen::Size;

/// The time between two tries to read from a terminal that no process has open. One may open it again.
const RETRY: Duration = Duration::from_millis(100);

/// The terminal's size, which tabs change.
pub(super) struct Master(Mutex<Box<dyn MasterPty + Send>>);

impl Master {
    /// Sets the size if `differs`, which is called before another size can be set.
    pub(super) fn resize(&self, size: Size, differs: impl FnOnce() -> bool) {
        let master = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if differs()
            && let Err(error) = master.resize(size.into())
        {
            tracing::warn!(%error, "the terminal keeps its size");
        }
    }
}

/// The output of the processes on the terminal.
///
/// It is no pipe, but is polled like one. Its reads are shorter than the buffer even if there is more, so it must not be
/// read through `AsyncRead`, which takes a short read for the last one.
pub(super) struct Output(Receiver);

impl Output {
    /// Waits for output. Cancel safe.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.0.readable().await?;
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // EIO on Linux, the end of a file elsewhere: no process has the terminal open.
                Ok(0) | Err(_) => sleep(RETRY).await,
                read => return read,
            }
        }
    }

    /// The output that is there already.
    pub(super) fn rest(&self, buffer: &mut [u8]) -> Option<usize> {
        self.0.try_read(buffer).ok().filter(|read| *read > 0)
    }
}

/// The input of the processes on the terminal.
pub(super) struct Input(Sender);

impl Input {
    /// Waits until a part of the bytes is written. Cancel safe.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.0.writable().await?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => sleep(RETRY).await,
                written => return written,
            }
        }
    }
}

/// Opens a terminal, and starts the command on it.
pub(super) fn start(
    command: CommandBuilder,
    size: Size,
) -> Result<(Process, Master, Output, Input), BoxError> {
    let pair = native_pty_system().openpty(size.into())?;
    let file = || {
        let master = pair
            .master
            .as_raw_fd()
            .ok_or("the terminal has no descriptor")?;
        let mut descriptor = FileDescriptor::dup(&master)?;
        descriptor.set_non_blocking(true)?;
        Ok::<_, BoxError>(descriptor.as_file()?)
    };
    let output = Output(Receiver::from_file_unchecked(file()?)?);
    let input = Input(Sender::from_file_unchecked(file()?)?);
    let process = Process::spawn(&*pair.slave, command)?;
    Ok((process, Master(Mutex::new(pair.master)), output, input))
}

impl From<Size> for PtySize {
    fn from(size: Size) -> Self {
        Self {
            rows: size.rows(),
            cols: size.columns(),
            ..Self::default()
        }
    }
}
