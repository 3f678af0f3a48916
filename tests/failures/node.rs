//! A node: a process of its own, at an address and with a wire to the store that stay when it is started again.

use std::net::SocketAddr;
use std::process::Command;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::client;
use crate::place::Place;
use crate::process::{Lines, Process};
use crate::proxy::Proxy;
use crate::wait::{LEASE, PATIENCE, PERIOD, STORE_TIMEOUT, until};

/// The ports of the nodes, and of their wires to the store, from these on.
const DOORS: u16 = 8000;
const WIRES: u16 = 8100;

pub(crate) struct Node {
    /// The address of its door.
    pub(crate) address: SocketAddr,
    pub(crate) wire: Proxy,
    arguments: Vec<String>,
    process: Option<Process>,
    /// The lines of each process that the node has been, by the name that its answers have.
    lives: Vec<(String, Lines)>,
    name: String,
}

impl Node {
    /// Starts the node, and does not wait until it has joined.
    pub(crate) async fn start(place: Place, number: u16, store: SocketAddr, more: &[&str]) -> Self {
        let [address, wire] = [DOORS, WIRES].map(|ports| place.port(ports + number));
        let name = format!("n{number}");
        let mut arguments = vec![
            format!("name={name}"),
            format!("address={address}"),
            format!("redis=redis://{wire}"),
            format!("lease={}", LEASE.as_millis()),
            format!("period={}", PERIOD.as_millis()),
            format!("store-timeout={}", STORE_TIMEOUT.as_millis()),
            format!("patience={}", PATIENCE.as_millis()),
        ];
        // The first argument of a key counts, so the rest are the defaults.
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        arguments.extend([
            format!("advertise={address}"),
            "drain=1000".to_owned(),
            "cut-off=suspend".to_owned(),
            "routing=forward".to_owned(),
        ]);
        let mut node = Self {
            address,
            wire: Proxy::start(wire, store).await,
            arguments,
            process: None,
            lives: Vec::new(),
            name,
        };
        node.restart();
        node
    }

    /// Starts the process again, at its address.
    pub(crate) fn restart(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cluster-node"));
        let process = Process::start(command.args(&self.arguments));
        let name = format!("{}.{}", self.name, process.id());
        self.lives.push((name, process.lines().clone()));
        self.process = Some(process);
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// The name that the answers of the present process have.
    pub(crate) fn name(&self) -> &str {
        &self.lives.last().unwrap().0
    }

    /// Kills the process, as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Stops the process: it keeps its memory and its sockets, and does nothing.
    pub(crate) fn stop(&self) {
        self.process().signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.process().signal(Signal::CONT);
    }

    /// Tells the node to go in good order.
    pub(crate) fn send_away(&self) {
        self.process().signal(Signal::TERM);
    }

    pub(crate) async fn gone(&mut self) {
        let process = self.process.as_mut().expect("it runs");
        until("the node ends", async || process.has_ended()).await;
        self.process = None;
    }

    /// Waits until the present process has joined.
    pub(crate) async fn joined(&self) {
        until("the node joins", async || self.said("joined").is_some()).await;
        until("the node is ready", async || self.is_ready().await).await;
    }

    pub(crate) async fn is_ready(&self) -> bool {
        client::get(self.address, "/ready").await == Some(200)
    }

    /// The time at which the present process printed the line, if it did.
    pub(crate) fn said(&self, line: &str) -> Option<Instant> {
        let lines = self.process().lines().lock().unwrap();
        let said = lines.iter().find(|(_, said)| said == line);
        said.map(|(at, _)| *at)
    }

    /// The cause for which the session of the present process has ended, and the time.
    pub(crate) fn cause(&self, serial: u64) -> Option<(Instant, String)> {
        let prefix = format!("completed {serial} ");
        let lines = self.process().lines().lock().unwrap();
        let cause =
            |(at, line): &(Instant, String)| Some((*at, line.strip_prefix(&prefix)?.to_owned()));
        lines.iter().find_map(cause)
    }

    /// Waits until the session of the present process has ended, and returns its cause and the time.
    pub(crate) async fn ended_with(&self, serial: u64) -> (Instant, String) {
        until("the session ends", async || self.cause(serial).is_some()).await;
        self.cause(serial).unwrap()
    }

    /// All sessions that have ended, of all processes: the name of the process, the serial, and the time.
    pub(crate) fn ended(&self) -> Vec<(String, u64, Instant)> {
        let of_life = |(name, lines): &(String, Lines)| {
            let lines = lines.lock().unwrap();
            let serial = |line: &str| {
                line.strip_prefix("completed ")?
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            };
            let ended = lines
                .iter()
                .filter_map(|(at, line)| Some((name.clone(), serial(line)?, *at)));
            ended.collect::<Vec<_>>()
        };
        self.lives.iter().flat_map(of_life).collect()
    }
}
