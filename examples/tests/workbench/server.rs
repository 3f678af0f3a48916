//! The program under test, and its log.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The running program; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<Log>,
    /// The program's temporary directory, so that all its files are below it.
    pub(crate) temp: TempDir,
}

/// The program, for arguments other than those of [`Server::start`].
pub(crate) fn workbench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_workbench"))
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(Path::new("."), args)
    }

    pub(crate) fn start_in(directory: &Path, args: &[&str]) -> Self {
        let temp = tempfile::tempdir().expect("there is room");
        let mut child = workbench()
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .current_dir(directory)
            .env("TMPDIR", temp.path())
            .env("RUST_LOG", "info,examples=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Log::of(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("it is text");
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}"));
        Self {
            child,
            address,
            log,
            temp,
        }
    }

    /// Asks the program to stop, as Ctrl-C or a service manager does.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh")
            .args(["-c", &kill])
            .status()
            .expect("there is a shell");
        assert!(sent.success());
    }

    /// Waits until the program has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.log
            .wait("the end of the log", |log| log.complete.then_some(()));
        self.child.wait().expect("it is a child")
    }

    /// Stops the program, which must end in order: every connection closed, no file left behind.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended();
        assert!(status.success(), "{status}");
        assert_eq!(
            self.log.count("connection opened"),
            self.log.count("connection closed")
        );
        let left: Vec<_> = fs::read_dir(self.temp.path())
            .expect("it is ours")
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Fails if the process holds a file of the program or of the given database open.
    pub(crate) fn assert_nothing_open(&self) {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the program runs");
        // A descriptor may be gone before it is read. It is then not open.
        let open = open.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
        let open: Vec<_> = open
            .filter(|path| path.starts_with(self.temp.path()))
            .collect();
        assert!(open.is_empty(), "still open: {open:?}");
    }

    /// The most memory that the process ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the program runs");
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("it is there");
        peak.trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("it is a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test has failed, or the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program's log so far.
pub(crate) struct Log {
    lines: Mutex<Lines>,
    grown: Condvar,
}

#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    complete: bool,
}

impl Log {
    fn of(stderr: impl std::io::Read + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self {
            lines: Mutex::default(),
            grown: Condvar::new(),
        });
        let filled = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                filled
                    .lines
                    .lock()
                    .unwrap()
                    .lines
                    .push(line.expect("the log is text"));
                filled.grown.notify_all();
            }
            filled.lines.lock().unwrap().complete = true;
            filled.grown.notify_all();
        });
        log
    }

    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Lines) -> Option<T>) -> T {
        let mut found = None;
        let lines = self.lines.lock().unwrap();
        let (lines, _) = self
            .grown
            .wait_timeout_while(lines, PATIENCE, |lines| {
                found = look(lines);
                found.is_none()
            })
            .unwrap();
        found.unwrap_or_else(|| panic!("{what} did not come; the log:\n{}", lines.lines.join("\n")))
    }

    /// Waits until the log has this many lines with `event`.
    pub(crate) fn wait_for(&self, event: &str, times: usize) {
        self.wait(event, |log| (log.count(event) >= times).then_some(()));
    }

    /// How many lines have `event`.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.lines.lock().unwrap().count(event)
    }

    /// Fails unless each of these events is logged once, and in this order.
    pub(crate) fn assert_order(&self, events: &[&str]) {
        let log = self.lines.lock().unwrap();
        let seen = log
            .lines
            .iter()
            .filter_map(|line| events.iter().find(|event| line.contains(**event)));
        assert!(
            seen.eq(events),
            "not in the order of {events:?}:\n{}",
            log.lines.join("\n")
        );
    }
}

impl Lines {
    fn count(&self, event: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line.contains(event))
            .count()
    }
}
