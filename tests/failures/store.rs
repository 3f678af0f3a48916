//! A real Redis server.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Process;
use crate::wait::until;

/// A Redis server, which keeps nothing on the disk.
pub(crate) struct Store {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    process: Option<Process>,
}

impl Store {
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Self {
            address,
            folder,
            process: None,
        };
        store.restart().await;
        store
    }

    /// Starts it, empty, after it was [killed](Self::kill).
    pub(crate) async fn restart(&mut self) {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.address.port().to_string()])
            .args(["--bind", &self.address.ip().to_string()])
            .args(["--save", "", "--appendonly", "no", "--loglevel", "warning"])
            .args(["--repl-diskless-sync-delay", "0"])
            .arg("--dir")
            .arg(self.folder.path())
            .stderr(Stdio::null());
        self.process = Some(Process::start(&mut command));
        until("Redis answers", async || {
            self.command("PING")
                .await
                .is_ok_and(|answer| answer.starts_with("+PONG"))
        })
        .await;
    }

    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it, like a machine that has no time for it.
    pub(crate) fn stop(&self) {
        self.process.as_ref().unwrap().signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.process.as_ref().unwrap().signal(Signal::CONT);
    }

    /// Makes it a replica of another, and waits until it has all of that.
    pub(crate) async fn follow(&self, master: SocketAddr) {
        let follow = format!("REPLICAOF {} {}", master.ip(), master.port());
        self.command(&follow).await.unwrap();
        until("the replica has all", async || {
            let info = self.command("INFO replication").await.unwrap();
            info.contains("master_link_status:up")
        })
        .await;
    }

    /// Makes a replica a master of what it has by now.
    pub(crate) async fn lead(&self) {
        self.command("REPLICAOF NO ONE").await.unwrap();
    }

    /// Sends a command, and returns the beginning of the answer.
    async fn command(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .await?;
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
