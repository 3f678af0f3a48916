//! A failover to a replica that lacks the last second, and with it the newest node.

use tokio::time::{Instant, sleep};

use crate::store::Store;
use crate::store_lost::Crowd;
use crate::wait::{LEASE, PERIOD, figure};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_a_replica_that_lacks_the_newest_node_makes_no_strangers() {
    let mut world = World::start(3).await;
    let replica = Store::start(world.place.port(6380)).await;
    replica.follow(world.store.address).await;
    let mut crowd = Crowd::gather(&world).await;
    // The replica has been up for longer than the lease: its own age says nothing about what it lacks.
    sleep(LEASE + PERIOD).await;
    // Nothing reaches it any more.
    replica.lead().await;
    let newest = world.add(&[]).await;
    world.nodes[newest].joined().await;
    crowd.join(&world, newest).await;
    crowd.is_served_since(Instant::now()).await;
    let before = crowd.answers().len();
    let failed = Instant::now();
    world.store.kill();
    for node in &world.nodes {
        node.wire.lead_to(replica.address);
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
