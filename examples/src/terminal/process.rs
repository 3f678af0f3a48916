//! A shell's process, and those that it has started.
//!
//! The shell leads a session of the kernel's (`setsid`), to which all its children belong, in the foreground or not,
//! unless they leave it with a `setsid` of their own. When the shell has exited, or is told to, the others end with it:
//! they get SIGHUP, and what is left two seconds later gets SIGKILL. The shell is reaped last, so that its id can't be
//! another process's meanwhile.

use std::io;
use std::time::Duration;

use super::BoxError;
use portable_pty::{Child, CommandBuilder, ExitStatus, SlavePty};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::{Instant, sleep, timeout_at};

/// The time between SIGHUP and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// The time between two looks at the processes that are to end. Only the end of a child is signaled.
const LOOK: Duration = Duration::from_millis(20);

/// A shell's process. If it is dropped before its [`end`](Self::end), everything in its session is killed.
pub(super) struct Process {
    child: Box<dyn Child + Send + Sync>,
    pid: Pid,
    /// Ends of children, of this process or another one.
    ends: Signals,
    reaped: bool,
}

impl Process {
    /// Starts the process.
    pub(super) fn spawn(
        terminal: &dyn SlavePty,
        command: CommandBuilder,
    ) -> Result<Self, BoxError> {
        // First, so that no error leaves a process without an owner.
        let ends = signal(SignalKind::child())?;
        let child = terminal.spawn_command(command)?;
        let id = child.process_id().map(u32::cast_signed);
        Ok(Self {
            pid: id.and_then(Pid::from_raw).expect("it is not reaped yet"),
            child,
            ends,
            reaped: false,
        })
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until the shell has exited. It is not reaped by that.
    pub(super) async fn exited(&mut self) {
        while !self.has_exited() {
            self.ends.recv().await;
        }
    }

    fn has_exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Ends the processes of the session, and reaps the shell.
    ///
    /// Dropping the future kills what is left.
    pub(super) async fn end(mut self) -> io::Result<ExitStatus> {
        let kill_at = Instant::now() + GRACE;
        signal_all(self.pid, Signal::HUP);
        // A stopped process takes the signal when it goes on.
        signal_all(self.pid, Signal::CONT);
        let _too_long = timeout_at(kill_at, self.exited()).await;
        while has_members(self.pid) || !self.has_exited() {
            if Instant::now() >= kill_at {
                signal_all(self.pid, Signal::KILL);
            }
            sleep(LOOK).await;
        }
        self.reap()
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            signal_all(self.pid, Signal::KILL);
            let _ = self.reap();
        }
    }
}

/// Sends the signal to the processes in the session of `leader`, which is not reaped yet.
fn signal_all(leader: Pid, signal: Signal) {
    #[cfg(target_os = "linux")]
    for member in members(leader) {
        // It may just have ended.
        let _ = rustix::process::kill_process(member, signal);
    }
    // Where there is no list of a session's processes: those of the shell's own group.
    #[cfg(not(target_os = "linux"))]
    let _ = rustix::process::kill_process_group(leader, signal);
}

/// Whether processes other than the leader run in its session.
fn has_members(leader: Pid) -> bool {
    #[cfg(target_os = "linux")]
    return members(leader).any(|member| member != leader);
    #[cfg(not(target_os = "linux"))]
    return false;
}

/// The processes that run in the session of `leader`.
#[cfg(target_os = "linux")]
fn members(leader: Pid) -> impl Iterator<Item = Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        is_member(&stat, leader)
            .then_some(pid)
            .and_then(Pid::from_raw)
    })
}

/// Whether this is the `/proc/pid/stat` of a process that runs in the session of `leader`.
#[cfg(target_os = "linux")]
fn is_member(stat: &str, leader: Pid) -> bool {
    // The name in parentheses may hold anything, and only it may hold a parenthesis.
    let Some((_, fields)) = stat.rsplit_once(") ") else {
        return false;
    };
    let mut fields = fields.split(' ');
    let state = fields.next();
    // After the state: the parent, the group, the session.
    let session = fields.nth(2).and_then(|session| session.parse().ok());
    session == Some(leader.as_raw_nonzero().get()) && !matches!(state, Some("Z" | "X"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_told_by_its_session_whatever_its_name() {
        let leader = Pid::from_raw(42).unwrap();
        assert!(is_member("43 (sleep) S 42 43 42 34816 43 4194304", leader));
        assert!(is_member("43 (a) Z 1 1 1 (b) R 1 7 42 0 -1 0", leader));
        assert!(!is_member("43 (sleep) S 42 42 41 34816 43 4194304", leader));
        assert!(!is_member("43 (sleep) Z 42 43 42 34816 43 4194304", leader));
        assert!(!is_member("43 (sleep", leader));
    }
}
