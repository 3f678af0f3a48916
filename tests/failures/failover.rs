//! A failover to a replica that lacks the last second, and with it the newest node, or a verdict.

use tokio::time::{Instant, sleep};
use workspace_tests::RedisServer;

use crate::crowd::Crowd;
use crate::probe::Probe;
use crate::record::Answer;
use crate::wait::{LEASE, PERIOD, figure, until};
use crate::world::{World, address_of};

/// Makes a replica a master of what it has by now.
fn lead(replica: &RedisServer) {
    replica.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_a_replica_that_lacks_the_newest_node_makes_no_strangers() {
    let mut world = World::start(3).await;
    let replica = world.store.replica();
    let mut crowd = Crowd::gather(&world).await;
    // The replica has been up for longer than the lease: its own age says nothing about what it lacks.
    sleep(LEASE + PERIOD).await;
    // Nothing reaches it any more.
    lead(&replica);
    let newest = world.add(&[]).await;
    world.nodes[newest].joined().await;
    crowd.join(&world, newest).await;
    crowd.is_served_since(Instant::now()).await;
    let before = crowd.answers().len();
    let failed = Instant::now();
    world.store.kill();
    for node in &world.nodes {
        node.wire.lead_to(address_of(&replica));
    }
    sleep(2 * LEASE).await;
    crowd.is_served_since(Instant::now()).await;
    crowd.has_lost_nothing(&world).await;
    let answers = crowd.answers();
    let refused = answers
        .iter()
        .filter(|answer| answer.is_unsure() && answer.done > failed);
    let (refused, all) = (refused.count(), answers.len() - before);
    assert!(refused * 20 < all, "{refused} of {all} were refused");
    figure(
        "failover",
        format!("no session lost, {refused} of {all} requests 503, no false stranger"),
    );
    drop(crowd);
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_a_verdict_that_the_store_has_lost_is_repeated() {
    let mut world = World::start(3).await;
    let replica = world.store.replica();
    let visitor = world.visitor(0).await;
    let owner = world.nodes[0].address;
    let serial = visitor.look(owner).await.seen().serial;
    // It lacks the verdict that follows.
    lead(&replica);
    world.nodes[0].stop();
    let probe = Probe::start(&visitor, world.nodes[1].address, &world.record);
    let stopped = Instant::now();
    until("its visitor is a stranger", async || {
        probe.saw(stopped, Answer::is_stranger)
    })
    .await;
    let given_up = Instant::now();
    world.store.kill();
    for node in &world.nodes {
        node.wire.lead_to(address_of(&replica));
    }
    world.nodes[0].go_on();
    let own = Probe::start(&visitor, owner, &world.record);
    assert_eq!(world.nodes[0].ended_with(serial).await.1, "ownership lost");
    until("its visitor is a stranger to itself", async || {
        own.saw(given_up, Answer::is_stranger)
    })
    .await;
    for answer in own.answers().iter().chain(&probe.answers()) {
        assert!(
            answer.sent < given_up || !answer.is_known(),
            "never both: {answer:?}"
        );
    }
    drop((own, probe));
    world.check();
}
