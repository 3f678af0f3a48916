//! Everything at random, with visitors active.
//!
//! It runs for `SESSION_CLUSTER_SOAK_SECONDS`, twenty unless told otherwise. `SESSION_CLUSTER_SOAK_SEED` is the seed of
//! the faults; their effect depends on time as well.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use http::Method;
use serde_json::json;
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

/// A visitor who asks, logs in and out, at any door.
async fn live(
    mut visitor: Visitor,
    doors: Vec<std::net::SocketAddr>,
    record: Record,
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
                // The requests of the group's only member are over, so its place in the group is as old as the call.
                let path = format!("/end-group?group={group}&ms=200");
                let id = visitor.id();
                let is_member = visitor.look(door).await.body["group"] == group.as_str();
                let ended = visitor
                    .stranger()
                    .send(door, Method::POST, &path, Body::empty())
                    .await;
                let unconfirmed = &ended.body["unconfirmed"];
                if is_member && *unconfirmed == json!([]) {
                    record.revoke(&id);
                } else if is_member && unconfirmed.is_array() {
                    record.revoke_from(&id, Instant::now() + LEASE + 2 * PERIOD);
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

/// Lets something fail for a while.
async fn fail(world: &mut World, dice: &mut Dice) {
    let node = dice.choose(world.nodes.len());
    match dice.roll(8) {
        0 => {
            world.nodes[node].kill();
            sleep(dice.time(2)).await;
            world.nodes[node].restart();
        }
        1 => {
            world.nodes[node].kill();
            world.nodes[node].restart();
        }
        2 | 3 => {
            world.nodes[node].stop();
            sleep(dice.time(2)).await;
            world.nodes[node].go_on();
        }
        4 | 5 => {
            let wires = [Wire::Cut, Wire::Silent, Wire::Slow(PERIOD / 4)];
            world.nodes[node].wire.set(wires[dice.choose(wires.len())]);
            sleep(dice.time(2)).await;
            world.nodes[node].wire.set(Wire::Whole);
        }
        6 => {
            world.store.kill();
            sleep(dice.time(2)).await;
            world.store.restart().await;
        }
        _ => {
            world.store.stop();
            sleep(dice.time(2)).await;
            world.store.go_on();
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
    for _ in 0..VISITORS {
        let dice = Dice(dice.roll(1 << 30).into());
        visitors.push(tokio::spawn(live(
            world.stranger(),
            doors.clone(),
            world.record.clone(),
            dice,
        )));
    }
    let start = Instant::now();
    let mut faults = 0;
    while start.elapsed() < time {
        fail(&mut world, &mut dice).await;
        faults += 1;
        sleep(dice.time(1)).await;
    }
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
    let answers = world.record.answers();
    let served = answers.iter().filter(|answer| answer.is_ok()).count();
    figure(
        "soak",
        format!(
            "{faults} faults, {} requests, {served} of them served",
            answers.len()
        ),
    );
    for answer in &answers {
        let status = answer.status;
        assert!(matches!(status, None | Some(200 | 409 | 503)), "{answer:?}");
    }
    world.check();
}
