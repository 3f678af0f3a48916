//! The program under test.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::in_time;
use super::log::Log;

/// The beginning of the line that says where a program listens.
pub(crate) const LISTENING: &str = "listening on http://";

/// The running program. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) pid: u32,
    /// The lines that it has printed, to the one that says that it is ready.
    pub(crate) said: Vec<String>,
    pub(crate) log: Log,
}

impl Program {
    /// Starts it, and waits for a line that begins like this.
    pub(crate) async fn start(command: Command, ready: &str) -> Self {
        let mut child = tokio::process::Command::from(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut program = Self {
            log: Log::of(child.stderr.take().expect("it is piped")),
            pid: child.id().expect("it is not waited for"),
            said: Vec::new(),
            child,
        };
        while program.find(ready).is_none() {
            let line = in_time(lines.next_line()).await.expect("it is text");
            program.said.push(line.expect("it says that it is ready"));
        }
        program
    }

    fn find(&self, start: &str) -> Option<&str> {
        let mut lines = self.said.iter();
        lines.find_map(|line| line.strip_prefix(start))
    }

    /// The rest of the line that begins like this.
    pub(crate) fn after(&self, start: &str) -> &str {
        let rest = self.find(start);
        rest.unwrap_or_else(|| panic!("it does not say `{start}`: {:?}", self.said))
    }

    /// The address on the usual line.
    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.after(LISTENING).parse();
        address.expect("it is an address")
    }

    /// Sends it a signal, as Ctrl-C or a service manager does.
    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(self.pid, signal);
    }

    /// Waits until it has ended, with its log.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = in_time(self.child.wait()).await;
        self.log.ends().await;
        ended.expect("it is a child")
    }

    /// Asks it to stop, which it must do in order, and returns its log.
    pub(crate) async fn stop(mut self) -> Log {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}");
        self.log.clone()
    }

    /// The most memory that it ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.expect("it is there").trim().trim_end_matches(" kB");
        peak.parse().expect("it is a number")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.log.text());
        }
    }
}

/// Runs a program that refuses to serve: it must say so in a line that has this text, and end with this code. Returns the
/// line.
pub(crate) fn assert_refused(command: &mut Command, code: i32, told: &str) -> String {
    let name = Path::new(command.get_program()).file_name();
    let name = name.and_then(OsStr::to_str).expect("it is text").to_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.expect("the program starts");
    let message = String::from_utf8(output.stderr).expect("it is text");
    assert_eq!(output.status.code(), Some(code), "{command:?}: {message}");
    let is_own = message.starts_with(&format!("{name}: "));
    assert!(
        is_own && message.contains(told) && message.lines().count() == 1,
        "{command:?}: {message}"
    );
    // The code of a wrong command line. Nothing has begun then.
    assert!(code != 2 || output.stdout.is_empty(), "{command:?}");
    message
}

/// Sends a signal to a process.
pub(crate) fn send_signal(pid: u32, signal: Signal) {
    let pid = pid.try_into().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("it is a process"), signal).expect("it runs");
}

/// Fails if this process, a number or `self`, holds a file below this directory open.
pub(crate) fn assert_nothing_open(process: impl Display, directory: &Path) {
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("it runs");
    // A descriptor may be gone before it is read. It is then not open.
    let open = open.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
    let open: Vec<_> = open.filter(|path| path.starts_with(directory)).collect();
    assert!(open.is_empty(), "still open: {open:?}");
}
