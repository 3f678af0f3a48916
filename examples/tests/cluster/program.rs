//! The program under test.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::Value;
use tempfile::TempDir;

use crate::visitor::ask;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The running program with its processes. All are killed when this is dropped.
pub(crate) struct Cluster {
    child: Child,
    pub(crate) front: SocketAddr,
    pub(crate) status: SocketAddr,
    pub(crate) nodes: Vec<Process>,
    pub(crate) redis: Process,
    log: RefCell<Log>,
    /// Its temporary directory, so that all its files are below it.
    pub(crate) temp: TempDir,
}

/// The lines of the program's log: those that came so far, and those to come.
struct Log {
    lines: Vec<String>,
    more: Receiver<String>,
}

/// A process that the program has started, and where it is reached.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
}

pub(crate) fn cluster(temp: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.env("TMPDIR", temp);
    command.args(["--listen", "127.0.0.1:0", "--status", "127.0.0.1:0"]);
    command
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let temp = tempfile::tempdir().expect("there is room");
        let mut child = cluster(temp.path())
            // A node that is killed is given up soon.
            .args(["--lease", "3"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The log is read, so that the program does not wait; it shows with a test that fails.
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, more) = channel();
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                eprintln!("{line}");
                // The test may be over.
                let _ = sender.send(line);
            }
        });
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut next = |name: &str| {
            let line = lines.next().expect("it says where it listens");
            let line = line.expect("it is text");
            let (told, rest) = line.split_once("  ").expect("a name comes first");
            assert_eq!(told.trim_end(), name);
            rest.trim().to_owned()
        };
        let url = |text: &str| -> SocketAddr {
            let address = text.strip_prefix("http://").unwrap_or(text);
            address.parse().expect("it is an address")
        };
        let process = |text: &str| {
            let (address, pid) = text.split_once("  pid ").expect("it has a process");
            Process {
                address: url(address.trim()),
                pid: pid.parse().expect("it is a number"),
            }
        };
        Self {
            front: url(&next("front")),
            status: url(&next("status")),
            nodes: (1..=3)
                .map(|n| process(&next(&format!("node {n}"))))
                .collect(),
            redis: process(&next("redis")),
            child,
            log: RefCell::new(Log {
                lines: Vec::new(),
                more,
            }),
            temp,
        }
    }

    /// The processes that the program has started.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mut all = self.nodes.clone();
        all.push(self.redis);
        all
    }

    /// Sends the program itself a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits until the program has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        assert!(ends(self.child.id()), "the program does not end");
        self.child.wait().expect("it is a child")
    }

    /// The state that the page shows, to a visitor with this cookie.
    pub(crate) fn status(&self, cookie: Option<&str>) -> Value {
        ask(self.status, "GET", "/api/status", cookie, "").body
    }

    /// Waits until the log has an event with this text, which the page then shows too.
    pub(crate) fn wait_for_event(&self, text: &str) {
        let log = &mut *self.log.borrow_mut();
        while !log.lines.iter().any(|line| line.contains(text)) {
            let line = log.more.recv_timeout(PATIENCE);
            log.lines
                .push(line.unwrap_or_else(|_| panic!("`{text}` did not come")));
        }
        let status = self.status(None);
        let mut events = status["events"].as_array().expect("it is a list").iter();
        assert!(events.any(|event| {
            let told = event["text"].as_str();
            told.is_some_and(|told| told.contains(text))
        }));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The test has failed, or the program has ended already. Its processes end by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that a test has started.
pub(crate) fn signal(pid: u32, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{name}"), pid.to_string()]);
    assert!(kill.status().expect("there is a `kill`").success());
}

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

/// Reads a stream to its end, as text.
pub(crate) fn read_all(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .expect("it is text, in time");
    text
}
