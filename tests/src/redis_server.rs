//! A Redis server of a test's own.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Written by a server that accepts connections.
const READY: &str = "Ready to accept connections";
/// Written by a replica that has all data.
const IN_STEP: &str = "sync: Finished with success";
/// The number of times that a server is started, if its port is another process's.
const ATTEMPTS: usize = 20;
/// The time that a server has for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `redis-server` process on a free port of this machine. It is killed when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    arguments: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server that saves nothing, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these arguments as well, for example `["--appendonly", "yes"]`.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_until(arguments, READY)
    }

    /// Starts a replica of this server, and waits until it has all data.
    #[must_use]
    pub fn replica(&self) -> Self {
        let port = self.port.to_string();
        Self::start_until(&["--replicaof", "127.0.0.1", &port], IN_STEP)
    }

    fn start_until(arguments: &[&str], line: &str) -> Self {
        let folder = TempDir::new().expect("there is a folder for temporary files");
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        // Another process can take a port that was free: the server ends then.
        let mut ports = (0..ATTEMPTS).map(|_| free_port());
        let running = ports.find_map(|port| Some((run(port, &arguments, &folder, line)?, port)));
        let (process, port) = running.expect("one of the ports stays free");
        Self {
            process,
            port,
            arguments,
            folder,
        }
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the process, as a crash.
    pub fn kill(&mut self) {
        // It fails if the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Kills the process if it runs, and starts another at the same address. It has the data that was saved: none, unless
    /// an argument says otherwise.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    pub fn restart(&mut self) {
        self.kill();
        // The port may be another process's for a moment.
        let mut attempts =
            (0..ATTEMPTS).map(|_| run(self.port, &self.arguments, &self.folder, READY));
        self.process = attempts
            .find_map(|process| process)
            .expect("the port is free again");
    }

    /// Stops the process by a signal: it keeps its connections, and answers nothing.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues the process after a [pause](Self::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a command, and returns the answer as text: the parts of a list are lines.
    ///
    /// # Errors
    ///
    /// Returns the error that the server has answered with, or why it has not answered.
    pub fn command(&self, parts: &[&str]) -> Result<String, String> {
        command(self.port, parts).map_err(|error| error.to_string())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the server runs");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the process once it has written the line, or `None` if it ends.
fn run(port: u16, arguments: &[String], folder: &TempDir, line: &str) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--repl-diskless-sync-delay", "0"]);
    command.arg("--dir").arg(folder.path()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("redis-server is installed");
    let stdout = process.stdout.take().expect("it is a pipe");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    if lines.any(|written| written.contains(line)) {
        // The server would wait if nothing read the rest.
        thread::spawn(|| lines.for_each(drop));
        return Some(process);
    }
    // It frees the process's number.
    let _ = process.wait();
    None
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are free ports");
    let address = listener.local_addr();
    address.expect("the listener has an address").port()
}

fn command(port: u16, parts: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let lengths = parts
        .iter()
        .map(|part| format!("${}\r\n{part}\r\n", part.len()));
    let request = format!("*{}\r\n{}", parts.len(), lengths.collect::<String>());
    stream.write_all(request.as_bytes())?;
    answer(&mut BufReader::new(stream))
}

/// Reads an answer of the protocol's second version.
fn answer(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).unwrap_or_default();
    let length = || rest.parse::<i64>().map_err(io::Error::other);
    match kind {
        "+" | ":" => Ok(rest.to_owned()),
        "-" => Err(io::Error::other(rest)),
        "$" => {
            // An absent value has a negative length.
            let Ok(length) = usize::try_from(length()?) else {
                return Ok(String::new());
            };
            let mut bytes = vec![0; length + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(length);
            String::from_utf8(bytes).map_err(io::Error::other)
        }
        "*" => {
            let parts = (0..length()?).map(|_| answer(stream));
            Ok(parts.collect::<io::Result<Vec<_>>>()?.join("\n"))
        }
        _ => Err(io::Error::other(format!("an answer {line:?}"))),
    }
}
