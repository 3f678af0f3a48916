//! The program under test, and its processes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use session_test::Browser;
use tempfile::TempDir;

use crate::kit::browser::{self, browser};
use crate::kit::program::Program;

/// The running program with its processes. All are killed when this is dropped.
pub(crate) struct Cluster {
    pub(crate) program: Program,
    pub(crate) front: SocketAddr,
    pub(crate) status: SocketAddr,
    pub(crate) nodes: Vec<Process>,
    pub(crate) redis: Process,
    /// Its temporary directory, so that all its files are below it.
    pub(crate) temp: TempDir,
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
    pub(crate) async fn start() -> Self {
        let temp = tempfile::tempdir().expect("there is room");
        let mut command = cluster(temp.path());
        // A node that is killed is given up soon.
        command.args(["--lease", "3"]);
        let program = Program::start(command, "redis").await;
        let address = |text: &str| {
            let text = text.trim();
            let address = text.strip_prefix("http://").unwrap_or(text).parse();
            address.expect("it is an address")
        };
        let process = |name: &str| {
            let told = program.after(name).split_once("  pid ");
            let (reached, pid) = told.expect("it has a process");
            Process {
                address: address(reached),
                pid: pid.parse().expect("it is a number"),
            }
        };
        Self {
            front: address(program.after("front  ")),
            status: address(program.after("status  ")),
            nodes: (1..=3).map(|n| process(&format!("node {n}  "))).collect(),
            redis: process("redis  "),
            program,
            temp,
        }
    }

    /// The processes that the program has started.
    pub(crate) fn processes(&self) -> Vec<Process> {
        [&self.nodes[..], &[self.redis]].concat()
    }

    /// A new visitor. The front passes each request to the next node.
    pub(crate) fn visitor(&self) -> Browser {
        browser(self.front)
    }

    /// The name and value of the visitor's cookie: the front's, whichever node is asked.
    pub(crate) fn cookie(&self, visitor: &Browser) -> String {
        browser::cookie(visitor, &format!("workbench-{}", self.front.port()))
    }

    /// The number of the node that has the visitor's session, by the status page.
    pub(crate) async fn node(&self, visitor: &Browser) -> usize {
        let status = self.status(&self.cookie(visitor)).await;
        let you = status["you"].as_str().expect("it is text");
        let number = you.strip_prefix("Your session is on node ");
        let number = number.and_then(|rest| rest[..1].parse().ok());
        number.unwrap_or_else(|| panic!("it has a session, not: {you}"))
    }

    /// The state that the page shows, to a visitor with this cookie.
    pub(crate) async fn status(&self, cookie: &str) -> Value {
        let page = browser(self.status);
        page.get("/api/status")
            .header("cookie", cookie)
            .await
            .json()
    }

    /// Waits until the log has an event with this text, which the page then shows too.
    pub(crate) async fn wait_for_event(&self, text: &str) {
        self.program.log.wait_for(text, 1).await;
        let status = self.status("").await;
        let mut events = status["events"].as_array().expect("it is a list").iter();
        assert!(events.any(|event| {
            let told = event["text"].as_str();
            told.is_some_and(|told| told.contains(text))
        }));
    }
}
