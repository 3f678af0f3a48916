//! The program under test, and the shells that it has started.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use crate::kit::process::is_running;
use crate::kit::program::{LISTENING, Program};

pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    /// The shells' home.
    pub(crate) home: TempDir,
}

pub(crate) fn terminal() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terminal"));
    command.env_clear();
    command
}

impl Server {
    pub(crate) async fn start(args: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("there is room");
        let mut command = terminal();
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("A_SECRET", "of the server");
        let program = Program::start(command, LISTENING).await;
        let url = program.after(LISTENING).strip_suffix('/');
        let (address, key) = url
            .and_then(|url| url.split_once('/'))
            .expect("it has a key");
        Self {
            address: address.parse().expect("it is an address"),
            key: key.to_owned(),
            program,
            home,
        }
    }

    /// The ids of the shells that have been started.
    pub(crate) fn shells(&self) -> Vec<u32> {
        let log = self.program.log.lines.borrow();
        let started = log.iter().filter(|line| line.contains("shell started"));
        let pids = started.filter_map(|line| line.split_once("pid=")?.1.parse().ok());
        pids.collect()
    }

    /// Waits until this many lines of the log have `event`.
    pub(crate) async fn logs(&self, event: &str, times: usize) {
        self.program.log.wait_for(event, times).await;
    }

    /// Stops the program, which must end in order and leave no shell.
    pub(crate) async fn stop(self) {
        let shells = self.shells();
        self.program.stop().await;
        assert!(!shells.into_iter().any(is_running));
    }
}
