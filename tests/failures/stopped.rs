//! An owner that is stopped, past its lease and within it, and goes on.

use axum::body::Body;
use futures_util::future::{join, join_all};
use http::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::streams::{Events, Socket};
use crate::visitor::Visitor;
use crate::wait::{LEASE, PERIOD, figure, seconds};
use crate::world::World;

/// Requests that are sent to a node that is stopped, and are answered once it goes on.
fn queue(visitor: &Visitor, world: &World) -> Vec<tokio::task::JoinHandle<crate::record::Answer>> {
    let door = world.nodes[0].address;
    let look = || {
        let visitor = visitor.clone();
        tokio::spawn(async move { visitor.look(door).await })
    };
    (0..8).map(|_| look()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_a_node_that_slept_past_its_lease_serves_none_of_its_sessions() {
    let world = World::start(3).await;
    let visitor = world.visitor(0).await;
    let (owner, other) = (&world.nodes[0], &world.nodes[1]);
    let serial = visitor.look(owner.address).await.seen().serial;
    let mut socket = Socket::open(&visitor, owner.address).await;
    let tunnel = Events::open(&visitor, other.address).await;
    let stopped = Instant::now();
    owner.stop();
    let (get, post) = join(visitor.look(other.address), visitor.post(other.address)).await;
    assert!(get.is_stranger(), "{get:?}");
    assert_eq!(get.by.as_deref(), Some(other.name()));
    assert!(post.is_unsure() && post.has_retry_after, "{post:?}");
    for (name, answer) in [("GET", get), ("POST", post)] {
        let after = answer.done - stopped;
        assert!(after < 3 * LEASE, "{after:?}");
        figure(
            "owner stopped",
            format!("{name} {:?} after {}", answer.status, seconds(after)),
        );
    }
    let (cut, was_told) = tunnel.end().await;
    assert!(!was_told);
    figure(
        "owner stopped",
        format!(
            "tunnels through others cut after {}",
            seconds(cut - stopped)
        ),
    );
    let queued = queue(&visitor, &world);
    // They are in its sockets' queues by then. If they were not, they would only find it awake.
    sleep(PERIOD).await;
    owner.go_on();
    for answer in join_all(queued).await {
        let answer = answer.unwrap();
        assert!(answer.is_stranger(), "{answer:?}");
        let tag = |id: Option<&String>| id.map(|id| id[..4].to_owned());
        assert_ne!(tag(answer.issued.as_ref()), tag(answer.presented.as_ref()));
    }
    assert_eq!(owner.ended_with(serial).await.1, "ownership lost");
    let (_, frame) = socket.end().await;
    let (_, reason) = frame.expect("the socket is told");
    assert_eq!(reason, "ownership lost");
    // It goes on under a new tag, known to the others.
    owner.joined().await;
    let visitor = world.visitor(0).await;
    assert!(visitor.look(other.address).await.is_known());
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c06_a_node_that_slept_within_its_lease_serves_nothing_that_was_ended_meanwhile() {
    let world = World::start(3).await;
    let (owner, other) = (&world.nodes[0], &world.nodes[1]);
    let mut leaves = world.visitor(0).await;
    let serial = leaves.log_in(owner.address, "leaves").await.seen().serial;
    let stays = world.visitor(0).await;
    let mut socket = Socket::open(&stays, owner.address).await;
    let stopped = Instant::now();
    owner.stop();
    let ended = world.stranger();
    let ended = ended
        .send(
            other.address,
            Method::POST,
            "/end-group?group=leaves&ms=1000",
            Body::empty(),
        )
        .await;
    assert!(ended.is_ok(), "{ended:?}");
    let tag = &stays.id()[..4];
    assert_eq!(ended.body["unconfirmed"], json!([tag]), "{ended:?}");
    world.record.revoke(&leaves.id());
    let (left, stayed) = (queue(&leaves, &world), queue(&stays, &world));
    // Long enough that it has to ask first.
    sleep((3 * PERIOD).saturating_sub(stopped.elapsed())).await;
    owner.go_on();
    let slept = stopped.elapsed();
    assert!(slept < LEASE, "this machine is too slow: {slept:?}");
    for answer in join_all(stayed).await {
        let answer = answer.unwrap();
        assert!(answer.is_known(), "{answer:?}");
    }
    for answer in join_all(left).await {
        let answer = answer.unwrap();
        assert!(answer.is_stranger(), "{answer:?}");
    }
    assert_eq!(owner.ended_with(serial).await.1, "terminated");
    assert!(socket.echoes().await);
    figure(
        "stopped within the lease",
        format!("for {}, nothing lost", seconds(slept)),
    );
    world.check();
}
