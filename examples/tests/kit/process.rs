//! Processes, by their ids.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::PATIENCE;

/// Whether the process runs. One that has only not been waited for yet does not.
pub(crate) fn is_running(pid: u32) -> bool {
    !ends_within(pid, Duration::ZERO)
}

/// Waits for the end of a process. Returns whether it has come in time.
pub(crate) fn ends(pid: u32) -> bool {
    ends_within(pid, PATIENCE)
}

fn ends_within(pid: u32, time: Duration) -> bool {
    let pid = pid.try_into().ok().and_then(Pid::from_raw);
    // If there is none, it has ended and was waited for.
    let Ok(process) = pidfd_open(pid.expect("it is a process"), PidfdFlags::empty()) else {
        return true;
    };
    let time = Timespec::try_from(time).expect("it is short");
    let mut ended = [PollFd::new(&process, PollFlags::IN)];
    poll(&mut ended, Some(&time)).expect("it can be waited for") == 1
}
