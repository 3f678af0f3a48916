//! A rolling deploy through nginx, with visitors who notice nothing but a new session.

use http::Method;
use tokio::time::sleep;

use crate::front::Front;
use crate::wait::{LEASE, PERIOD, figure, until};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c20_all_nodes_are_replaced_by_new_ones_that_come_first() {
    let mut world = World::start(3).await;
    let front = Front::nginx(world.place, "nginx/round_robin.conf", &world.all()).await;
    let visitors: Vec<_> = (0..12)
        .map(|number| {
            let (mut visitor, door) = (world.stranger(), front.address);
            let method = if number % 2 == 0 {
                Method::GET
            } else {
                Method::POST
            };
            tokio::spawn(async move {
                loop {
                    visitor.visit(door, method.clone(), "/count").await;
                    sleep(PERIOD / 50).await;
                }
            })
        })
        .collect();
    sleep(PERIOD).await;
    for _ in 0..3 {
        world.add(&[]).await;
    }
    world.joined().await;
    front.lead_to(&world.all());
    // All old ones at once: where their visitors go to, nobody has to move again.
    for old in &world.nodes[..3] {
        old.send_away();
    }
    // As a load balancer does that asks whether a node is ready.
    for old in &world.nodes[..3] {
        until("it is not ready", async || !old.is_ready().await).await;
    }
    front.lead_to(&world.all()[3..]);
    for old in &mut world.nodes[..3] {
        old.gone().await;
    }
    sleep(PERIOD).await;
    for visitor in visitors {
        visitor.abort();
    }
    let answers = world.record.answers();
    let (mut refused, mut moves) = (0, 0);
    for answer in &answers {
        // A request that runs when the drain's deadline is over may be cut short.
        let is_refused = answer.is_unsure() || answer.is_cut_short();
        assert!(answer.is_ok() || is_refused, "{answer:?}");
        refused += usize::from(is_refused);
        moves += usize::from(answer.is_stranger() && answer.presented.is_some());
    }
    assert!(
        refused * 100 < answers.len(),
        "{refused} of {}",
        answers.len()
    );
    assert!(moves <= 12, "{moves}");
    figure(
        "rolling deploy",
        format!(
            "12 visitors, {} requests, {refused} of them refused, {moves} moves; a drain of {:?}",
            answers.len(),
            LEASE / 3
        ),
    );
    world.check();
}
