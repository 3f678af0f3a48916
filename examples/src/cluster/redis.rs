//! Redis, as a process that ends with this one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before the next attempt to connect.
const MOMENT: Duration = Duration::from_millis(20);
/// Another program may take a port before Redis does.
const ATTEMPTS: usize = 3;

/// Redis ends when the shell's input does, so it ends with this process, also if that is killed.
const SCRIPT: &str =
    r#""$@" >/dev/null 2>&1 & redis=$!; echo $redis; cat; kill $redis 2>/dev/null; wait $redis"#;

/// A running Redis with an empty store of its own, reachable on loopback.
pub(crate) struct Redis {
    /// The shell, whose input is open.
    shell: Child,
    pub(crate) port: u16,
    pub(crate) pid: u32,
}

/// The reason why there is no Redis.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisError {
    #[error(
        "`redis-server` is not installed: install the Debian package `redis-server` (apt-get install redis-server)"
    )]
    Missing,
    #[error("`{program}` does not answer: {}", log.trim_end())]
    Silent { program: &'static str, log: String },
    #[error("cannot start Redis: {0}")]
    Io(#[from] io::Error),
}

impl Redis {
    /// Starts one that keeps its files in this directory.
    pub(crate) async fn start(directory: &Path) -> Result<Self, RedisError> {
        let program = PROGRAMS.into_iter().find(|program| is_there(program));
        let program = program.ok_or(RedisError::Missing)?;
        let log = directory.join("redis.log");
        for _ in 0..ATTEMPTS {
            let redis = Self::spawn(program, directory, &log).await?;
            if timeout(START_TIMEOUT, redis.answers()).await == Ok(true) {
                return Ok(redis);
            }
            redis.stop().await;
        }
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let log = log.lines().last().unwrap_or_default().to_owned();
        Err(RedisError::Silent { program, log })
    }

    async fn spawn(program: &str, directory: &Path, log: &Path) -> io::Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").await?;
        let port = free.local_addr()?.port();
        drop(free);
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", program])
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            // The store means nothing to a cluster that has ended.
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(directory)
            .arg("--logfile")
            .arg(log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C reaches the group of the first process: the nodes still need Redis when they leave.
            .process_group(0)
            .spawn()?;
        let stdout = shell.stdout.take().expect("it is piped");
        let mut pid = String::new();
        BufReader::new(stdout).read_line(&mut pid).await?;
        let pid = pid.trim_end().parse().map_err(io::Error::other)?;
        Ok(Self { shell, port, pid })
    }

    /// Waits until Redis answers. Returns false if it has ended, or another server has the port.
    async fn answers(&self) -> bool {
        while is_running(self.pid) {
            if let Ok(answer) = self.ask("INFO server\r\nQUIT\r\n").await {
                return answer.contains(&format!("process_id:{}\r\n", self.pid));
            }
            sleep(MOMENT).await;
        }
        false
    }

    async fn ask(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(command.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// Stops Redis, and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.shell.stdin.take());
        let _ = timeout(STOP_TIMEOUT, self.shell.wait()).await;
    }
}

fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder: PathBuf| folder.join(program).is_file())
}

/// Whether the process exists, and is not only waited for.
fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}
