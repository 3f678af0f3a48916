//! The program under test, its log, and the processes that its shells have started.

use std::fs;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The running program; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// The address, such as `127.0.0.1:3000`.
    pub(crate) address: String,
    pub(crate) key: String,
    log: watch::Receiver<Vec<String>>,
    /// The shells' home.
    pub(crate) home: TempDir,
}

pub(crate) fn terminal() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terminal"));
    command.env_clear().kill_on_drop(true);
    command
}

impl Server {
    pub(crate) async fn start(args: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("there is room");
        let mut child = terminal()
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("A_SECRET", "of the server")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (lines, log) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                lines.send_modify(|lines| lines.push(line));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .await
            .expect("it is text");
        let url = line.strip_prefix("listening on http://");
        let url = url.and_then(|url| url.strip_suffix("/\n")?.split_once('/'));
        let (address, key) = url.unwrap_or_else(|| panic!("it says where, not {line:?}"));
        Self {
            child,
            address: address.to_owned(),
            key: key.to_owned(),
            log,
            home,
        }
    }

    /// The ids of the shells that have been started.
    pub(crate) fn shells(&self) -> Vec<u32> {
        let log = self.log.borrow();
        let started = log.iter().filter(|line| line.contains("shell started"));
        let pids = started.filter_map(|line| line.split_once("pid=")?.1.parse().ok());
        pids.collect()
    }

    /// Waits until this many lines of the log have `event`.
    pub(crate) async fn logs(&self, event: &str, times: usize) {
        let count = |log: &Vec<String>| log.iter().filter(|line| line.contains(event)).count();
        let mut log = self.log.clone();
        let logged = timeout(PATIENCE, log.wait_for(|log| count(log) >= times)).await;
        let told = || self.log.borrow().join("\n");
        assert!(logged.is_ok(), "{event:?} did not come:\n{}", told());
    }

    /// Asks the program to stop, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(rustix::process::Pid::from_raw);
        let pid = pid.expect("it runs");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    }

    /// Waits until the program has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").expect("it is a child")
    }

    /// Stops the program, which must end in order and leave no shell.
    pub(crate) async fn stop(mut self) {
        self.interrupt();
        let status = self.ended().await;
        assert!(
            status.success(),
            "{status}: {}",
            self.log.borrow().join("\n")
        );
        for shell in self.shells() {
            assert!(!runs(shell));
        }
    }

    /// The most memory that the program ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let pid = self.child.id().expect("it runs");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.expect("it is there").trim().trim_end_matches(" kB");
        peak.parse().expect("it is a number")
    }
}

/// Whether the process runs. A dead one that nobody has reaped does not.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, fields)| &fields[..1]);
    !matches!(state, None | Some("Z" | "X"))
}
