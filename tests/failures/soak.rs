//! Everything at random, with visitors active.
//!
//! It runs for `SESSION_CLUSTER_SOAK_SECONDS`, twenty unless told otherwise. `SESSION_CLUSTER_SOAK_SEED` is the seed of
//! the faults; their effect depends on time as well.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use http::Method;
use tokio::time::{Instant, sleep};

use crate::proxy::Wire;
use crate::record::Record;
use crate::visitor::Visitor;
use crate::wait::{LEASE, PERIOD, figure, until};
use crate::world::World;

const NODES: u16 = 3;
const VISITORS: usize = 8;

/// A small generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % sides
    }

    fn choose(&mut self, things: usize) -> usize {
        self.roll(u32::try_from(things).unwrap()) as usize
    }

    /// A time up to this many leases.
    fn time(&mut self, leases: u32) -> Duration {
        leases * LEASE * self.roll(1000) / 1000
    }
}

fn of_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Ids of groups that were ended, whose nodes have not confirmed it: with the time of the call and of its answer.
type Unsure = Arc<Mutex<Vec<(String, Instant, Instant)>>>;

/// A visitor who asks, logs in and out, at any door.
async fn live(
    mut visitor: Visitor,
    doors: Vec<SocketAddr>,
    record: Record,
    unsure: Unsure,
    mut dice: Dice,
) {
    let group = visitor.name.clone();
    loop {
        let door = doors[dice.choose(doors.len())];
        match dice.roll(20) {
            0 | 1 => drop(
                visitor
                    .visit(door, Method::POST, &format!("/log-in?group={group}"))
                    .await,
            ),
            2 if visitor.has_id() => {
                let path = format!("/end-group?group={group}&ms=200");
                let id = visitor.id();
                let is_member = visitor.look(door).await.body["group"] == group.as_str();
                let sent = Instant::now();
                let ended = visitor
                    .stranger()
                    .send(door, Method::POST, &path, Body::empty())
                    .await;
                let unconfirmed = ended.body["unconfirmed"].as_array();
                match unconfirmed.map(|tags| tags.iter().any(|tag| *tag == id[..4])) {
                    Some(false) if is_member => record.revoke(&id),
                    Some(true) if is_member => unsure.lock().unwrap().push((id, sent, ended.done)),
                    _ => {}
                }
            }
            3..=7 => drop(visitor.post(door).await),
            8 => {
                let work = format!("/work?ms={}", dice.roll(300));
                visitor.visit(door, Method::GET, &work).await;
            }
            _ => drop(visitor.get(door).await),
        }
        sleep(Duration::from_millis(dice.roll(60).into())).await;
    }
}

/// A part of the world that can fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Node(usize),
    Wire(usize),
    Store,
}

/// The way in which it fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Stopped,
    Wire(Wire),
}

/// Parts that have failed, each with the time at which it is well again.
#[derive(Default)]
struct Faults {
    failed: Vec<(Part, Fault, Instant)>,
    count: u32,
    /// The times at which the store lost all.
    losses: Vec<Instant>,
}

impl Faults {
    /// Lets a part fail, unless it has failed already.
    fn begin(&mut self, world: &mut World, dice: &mut Dice) {
        let node = dice.choose(world.nodes.len());
        let (part, fault) = match dice.roll(8) {
            0 | 1 => (Part::Node(node), Fault::Killed),
            2 | 3 => (Part::Node(node), Fault::Stopped),
            4 | 5 => {
                let wires = [Wire::Cut, Wire::Silent, Wire::Slow(PERIOD / 4)];
                let wire = wires[dice.choose(wires.len())];
                (Part::Wire(node), Fault::Wire(wire))
            }
            6 => (Part::Store, Fault::Killed),
            _ => (Part::Store, Fault::Stopped),
        };
        if self.failed.iter().any(|(failed, ..)| *failed == part) {
            return;
        }
        match (part, fault) {
            (Part::Node(node), Fault::Killed) => world.nodes[node].kill(),
            (Part::Node(node), _) => world.nodes[node].stop(),
            (Part::Wire(node), Fault::Wire(wire)) => world.nodes[node].wire.set(wire),
            (Part::Store, Fault::Stopped) => world.store.pause(),
            _ => {
                world.store.kill();
                self.losses.push(Instant::now());
            }
        }
        // A process that is started again at once comes back before anybody has missed it.
        let time = if dice.roll(3) == 0 {
            Duration::ZERO
        } else {
            dice.time(2)
        };
        self.failed.push((part, fault, Instant::now() + time));
        self.count += 1;
    }

    /// Heals the parts whose time has come.
    fn end(&mut self, world: &mut World, now: Instant) {
        for (part, fault, _) in self.failed.extract_if(.., |(.., until)| *until <= now) {
            match (part, fault) {
                (Part::Node(node), Fault::Killed) => world.nodes[node].restart(),
                (Part::Node(node), _) => world.nodes[node].go_on(),
                (Part::Wire(node), _) => world.nodes[node].wire.set(Wire::Whole),
                (Part::Store, Fault::Killed) => world.store.restart(),
                (Part::Store, _) => world.store.resume(),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_nobody_meets_anothers_session_and_none_is_served_after_its_end() {
    let time = Duration::from_secs(of_environment("SESSION_CLUSTER_SOAK_SECONDS").unwrap_or(20));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = of_environment("SESSION_CLUSTER_SOAK_SEED").unwrap_or(now.as_secs());
    println!("SESSION_CLUSTER_SOAK_SEED={seed}");
    let mut dice = Dice(seed);
    let mut world = World::start(NODES).await;
    let doors: Vec<_> = world.nodes.iter().map(|node| node.address).collect();
    let mut visitors = Vec::new();
    let unsure = Unsure::default();
    for _ in 0..VISITORS {
        let dice = Dice(dice.roll(1 << 30).into());
        visitors.push(tokio::spawn(live(
            world.stranger(),
            doors.clone(),
            world.record.clone(),
            unsure.clone(),
            dice,
        )));
    }
    let start = Instant::now();
    let mut faults = Faults::default();
    while start.elapsed() < time {
        faults.begin(&mut world, &mut dice);
        sleep(dice.time(1)).await;
        faults.end(&mut world, Instant::now());
    }
    let last = faults.failed.iter().map(|(.., until)| *until).max();
    faults.end(&mut world, last.unwrap_or(start));
    for visitor in visitors {
        visitor.abort();
    }
    // All are well again, and serve.
    world.joined().await;
    for node in &world.nodes {
        until("strangers are served", async || {
            world.stranger().get(node.address).await.is_stranger()
        })
        .await;
    }
    for (id, sent, answered) in unsure.lock().unwrap().drain(..) {
        let bound = answered + LEASE + 2 * PERIOD;
        // With the store's data an entry is lost until the node that has made it is in touch again.
        if !faults
            .losses
            .iter()
            .any(|&loss| sent < loss && loss < bound)
        {
            world.record.revoke_from(&id, bound);
        }
    }
    let answers = world.record.answers();
    let served = answers.iter().filter(|answer| answer.is_ok()).count();
    figure(
        "soak",
        format!(
            "{} faults, {} requests, {served} of them served",
            faults.count,
            answers.len()
        ),
    );
    for answer in &answers {
        let status = answer.status;
        assert!(matches!(status, None | Some(200 | 409 | 503)), "{answer:?}");
    }
    world.check();
}
