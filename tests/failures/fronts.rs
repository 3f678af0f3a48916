//! The load balancers of section `deploy`, each with requests, an upload, an event stream, a WebSocket and an owner that
//! is killed.

use axum::body::Body;
use http::Method;
use tokio::time::Instant;

use crate::front::Front;
use crate::probe::Probe;
use crate::record::Answer;
use crate::streams::{Events, Socket};
use crate::wait::{LEASE, figure, seconds, until};
use crate::world::World;

/// The slots that the tables of the configurations have.
const SLOTS: [&str; 3] = ["slot=1", "slot=2", "slot=3"];

async fn world(slots: bool, routing: &str) -> World {
    let mut world = World::empty();
    for slot in SLOTS {
        let more = if slots {
            vec![slot, routing]
        } else {
            vec![routing]
        };
        world.add(&more).await;
    }
    world.joined().await;
    world
}

/// Returns how many of 90 requests were forwarded from one node to another.
async fn behind(mut world: World, front: Front, row: &str) -> usize {
    let door = front.address;
    let mut visitors: Vec<_> = (0..10).map(|_| world.stranger()).collect();
    let mut forwarded = 0;
    for round in 0..10 {
        for visitor in &mut visitors {
            let answer = visitor.get(door).await;
            assert!(
                if round == 0 {
                    answer.is_stranger()
                } else {
                    answer.is_known()
                },
                "{answer:?}"
            );
            forwarded += usize::from(round > 0 && answer.by != answer.at);
        }
    }
    let part = Body::from(vec![7; 1 << 20]);
    let upload = visitors[0].send(door, Method::POST, "/upload", part).await;
    assert_eq!(upload.body["upload"]["sum"], 7 << 20, "{upload:?}");

    let owner = |world: &World, answer: &Answer| {
        let by = answer.by.as_deref().unwrap();
        world
            .nodes
            .iter()
            .position(|node| node.name() == by)
            .unwrap()
    };
    let victim = owner(&world, &upload);
    // Visitors of another node, if there are any, notice nothing.
    let mut bystander = None;
    for visitor in &visitors {
        let answer = visitor.look(door).await;
        if owner(&world, &answer) != victim {
            bystander = Some(visitor.clone());
        }
    }
    let bystander = bystander.expect("ten visitors are spread over the nodes");
    let probe = Probe::start(&bystander, door, &world.record);
    let mut kept = (
        Events::open(&bystander, door).await,
        Socket::open(&bystander, door).await,
    );
    let events = Events::open(&visitors[0], door).await;
    let mut socket = Socket::open(&visitors[0], door).await;
    let died = Instant::now();
    world.nodes[victim].kill();
    events.end().await;
    socket.end().await;
    until("its visitors are strangers", async || {
        let answer = visitors[0].get(door).await;
        // nginx says 502 where it was told the address of a node that is dead.
        assert!(
            answer.is_stranger() || matches!(answer.status, Some(502 | 503)),
            "{answer:?}"
        );
        answer.is_ok()
    })
    .await;
    let after = died.elapsed();
    assert!(after < 3 * LEASE, "{after:?}");
    assert!(visitors[0].get(door).await.is_known());
    // A front that takes the nodes in turns may have led the streams through the one that was killed.
    if forwarded == 0 {
        kept.0.goes_on().await;
        assert!(kept.1.echoes().await);
    }
    let answers = probe.answers();
    let lost = answers.iter().filter(|answer| !answer.is_known()).count();
    assert_eq!(
        lost,
        0,
        "of {}: {:?}",
        answers.len(),
        answers.iter().find(|answer| !answer.is_known())
    );
    figure(
        row,
        format!(
            "{forwarded} of 90 forwarded; strangers {} after their node was killed",
            seconds(after)
        ),
    );
    drop(probe);
    world.check();
    forwarded
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_in_turns() {
    let world = world(false, "routing=forward").await;
    let front = Front::nginx(world.place, "nginx/round_robin.conf", &world.all()).await;
    let forwarded = behind(world, front, "nginx round robin").await;
    assert!(forwarded > 30, "{forwarded}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_by_slot() {
    let world = world(true, "routing=forward").await;
    let front = Front::nginx(world.place, "nginx/by_slot.conf", &world.all()).await;
    assert_eq!(behind(world, front, "nginx by slot").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_by_replay() {
    let world = world(false, "routing=replay").await;
    let front = Front::nginx(world.place, "nginx/replay.conf", &world.all()).await;
    assert_eq!(behind(world, front, "nginx replay").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_by_cookie() {
    let world = world(false, "routing=forward").await;
    let front = Front::haproxy(world.place, "haproxy/by_cookie.cfg", &world.all()).await;
    assert_eq!(behind(world, front, "HAProxy by cookie").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_by_slot() {
    let world = world(true, "routing=forward").await;
    let front = Front::haproxy(world.place, "haproxy/by_slot.cfg", &world.all()).await;
    assert_eq!(behind(world, front, "HAProxy by slot").await, 0);
}
