use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A running `redis-server` that saves nothing. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
}

/// The numbers that the server keeps of itself.
#[derive(Debug)]
pub(crate) struct Info(HashMap<String, String>);

impl RedisServer {
    /// Starts one on a free port of loopback.
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.expect("loopback has a free port").port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("install the Debian package `redis-server`"),
            _ => panic!("`redis-server` did not start: {error}"),
        });
        let server = Self { child, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < START_TIMEOUT, "it does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn info(&self) -> Info {
        let text = self.ask("INFO everything");
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Info(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// Returns the bytes that all keys and their values take.
    pub(crate) fn stored(&self) -> f64 {
        let keys = self.ask("KEYS *");
        let keys = keys.lines().filter(|line| line.starts_with('{'));
        keys.map(|key| {
            let answer = self.ask(&format!("MEMORY USAGE {key} SAMPLES 0"));
            let bytes = answer
                .lines()
                .next()
                .and_then(|line| line.strip_prefix(':'));
            let bytes = bytes.and_then(|bytes| bytes.parse::<f64>().ok());
            bytes.expect("it is a number")
        })
        .sum()
    }

    fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        write!(stream, "{command}\r\nQUIT\r\n").expect("the server reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the server answers in text");
        answer
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Info {
    /// Microseconds of processor time of the server's process so far.
    pub(crate) fn processor(&self) -> f64 {
        (self.number("used_cpu_user") + self.number("used_cpu_sys")) * 1e6
    }

    /// Microseconds inside scripts so far.
    pub(crate) fn in_scripts(&self) -> f64 {
        let stats = self.0.get("cmdstat_evalsha").map_or("", String::as_str);
        let mut fields = stats.split(',');
        let usec = fields.find_map(|field| field.strip_prefix("usec="));
        usec.map_or(0.0, |usec| usec.parse().expect("it is a number"))
    }

    /// Bytes that came in so far.
    pub(crate) fn bytes_in(&self) -> f64 {
        self.number("total_net_input_bytes")
    }

    /// Bytes that went out so far.
    pub(crate) fn bytes_out(&self) -> f64 {
        self.number("total_net_output_bytes")
    }

    fn number(&self, name: &str) -> f64 {
        let value = self.0.get(name);
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| panic!("Redis tells no number {name}"))
    }
}
