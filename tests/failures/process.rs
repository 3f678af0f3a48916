//! Processes of the test's own, which end with it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

/// The lines of a process's standard output, each with the time at which it was read.
pub(crate) type Lines = Arc<Mutex<Vec<(Instant, String)>>>;

/// A process. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let lines = Lines::default();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let read = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                read.lock().unwrap().push((Instant::now(), line));
            }
        });
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Sends a signal to the process, which is there as long as nobody has waited for it.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("an id fits");
        kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("it is ours");
    }

    /// Tells the process to end, and waits until it has: for one that has processes of its own.
    pub(crate) fn dismiss(&mut self) {
        if !self.has_ended() {
            self.signal(Signal::TERM);
            let _ = self.child.wait();
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is ours").is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            // Also ends one that is stopped.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
