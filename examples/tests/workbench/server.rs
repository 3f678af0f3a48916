//! The program, for what concerns its process.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use session_test::Browser;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::kit::browser::{self, browser};
use crate::kit::program::{LISTENING, Program, assert_nothing_open};

pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    /// The program's temporary directory, so that all its files are below it.
    pub(crate) temp: TempDir,
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_workbench"))
}

impl Server {
    pub(crate) async fn start(args: &[&str]) -> Self {
        Self::start_in(Path::new("."), args).await
    }

    pub(crate) async fn start_in(directory: &Path, args: &[&str]) -> Self {
        let temp = tempfile::tempdir().expect("there is room");
        let mut command = command();
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .current_dir(directory)
            .env("TMPDIR", temp.path())
            .env("RUST_LOG", "info,examples=debug");
        let program = Program::start(command, LISTENING).await;
        Self {
            address: program.address(),
            program,
            temp,
        }
    }

    pub(crate) fn visitor(&self) -> Browser {
        browser(self.address)
    }

    /// The name and value of the visitor's cookie. No other server on this machine uses the name.
    pub(crate) fn cookie(&self, visitor: &Browser) -> String {
        browser::cookie(visitor, &format!("workbench-{}", self.address.port()))
    }

    /// Opens a connection that sends this.
    pub(crate) async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(text.as_bytes()).await.expect("it reads");
        stream
    }

    pub(crate) fn assert_nothing_open(&self) {
        assert_nothing_open(self.program.pid, self.temp.path());
    }

    /// Stops the program, which must end in order: every connection closed, no file left behind.
    pub(crate) async fn stop(self) {
        let log = self.program.stop().await;
        assert_eq!(
            log.count("connection opened"),
            log.count("connection closed")
        );
        assert_empty(&self.temp);
    }
}

pub(crate) fn assert_empty(directory: &TempDir) {
    let left: Vec<_> = fs::read_dir(directory).expect("it is ours").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
