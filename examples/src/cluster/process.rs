//! A node's process, as the one that has started it sees it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::args::{NodeOptions, SECRET};
use super::board::Board;
use super::word::Word;

/// How long a node may take to end in order.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A node that listens. It is killed if this is dropped.
pub(crate) struct NodeProcess {
    /// Its standard input is open: the node ends when it is closed.
    child: Child,
    words: Lines<BufReader<ChildStdout>>,
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

impl NodeProcess {
    /// Starts a node, and waits until it has joined the cluster.
    pub(crate) async fn start(
        number: usize,
        options: &NodeOptions,
        secret: &str,
    ) -> io::Result<Self> {
        // Its files go with the directory, also if it is killed.
        let directory = options.database.parent().unwrap_or(Path::new("."));
        let mut child = Command::new(std::env::current_exe()?)
            .args(options.to_args())
            .env(SECRET, secret)
            .env("TMPDIR", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C reaches the group of the first process, which stops the nodes in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().expect("it has not been waited for");
        tokio::spawn(copy_log(number, child.stderr.take().expect("it is piped")));
        let stdout = child.stdout.take().expect("it is piped");
        let mut words = BufReader::new(stdout).lines();
        let first = words.next_line().await?;
        match first.and_then(|line| serde_json::from_str(&line).ok()) {
            Some(Word::Listens(address)) => Ok(Self {
                child,
                words,
                pid,
                address,
            }),
            _ => Err(io::Error::other(format!("node {number} did not start"))),
        }
    }

    /// Notes what the node says until it has ended. Stops it once `stop` is cancelled.
    pub(crate) async fn watch(self, index: usize, stop: CancellationToken, board: Arc<Board>) {
        let Self {
            child, mut words, ..
        } = self;
        let listening = async {
            while let Ok(Some(line)) = words.next_line().await {
                match serde_json::from_str(&line) {
                    Ok(word) => board.heard(index, word),
                    Err(error) => tracing::error!(%error, line, "a node said something else"),
                }
            }
        };
        let ((), status) = tokio::join!(listening, end(child, stop));
        if let Ok(status) = status {
            board.exited(index, status);
        }
    }
}

/// Waits for the end of the process. Stops it once `stop` is cancelled.
async fn end(mut child: Child, stop: CancellationToken) -> io::Result<ExitStatus> {
    // `wait` would close it at once.
    let stdin = child.stdin.take();
    tokio::select! {
        status = child.wait() => return status,
        () = stop.cancelled() => {}
    }
    drop(stdin);
    if let Ok(status) = timeout(STOP_TIMEOUT, child.wait()).await {
        return status;
    }
    child.start_kill()?;
    child.wait().await
}

/// Copies a node's log to that of this process, each line with the node's number.
async fn copy_log(number: usize, log: ChildStderr) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        eprintln!("node {number} | {line}");
    }
}
