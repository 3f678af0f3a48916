//! Log-out everywhere.

use axum::body::Body;
use http::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::proxy::Wire;
use crate::record::Answer;
use crate::visitor::Visitor;
use crate::wait::{LEASE, figure};
use crate::world::World;

async fn end_group(world: &World, node: usize, group: &str, ms: u32) -> Answer {
    let path = format!("/end-group?group={group}&ms={ms}");
    let door = world.nodes[node].address;
    let answer = world
        .stranger()
        .send(door, Method::POST, &path, Body::empty())
        .await;
    assert!(answer.is_ok(), "{answer:?}");
    answer
}

/// Two visitors on each node, all of one group.
async fn members(world: &World, group: &str) -> Vec<(usize, u64, Visitor)> {
    let mut members = Vec::new();
    for node in (0..world.nodes.len()).cycle().take(2 * world.nodes.len()) {
        let mut visitor = world.visitor(node).await;
        let serial = visitor
            .log_in(world.nodes[node].address, group)
            .await
            .seen()
            .serial;
        members.push((node, serial, visitor));
    }
    members
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c21_a_group_ends_on_all_nodes_and_that_is_confirmed() {
    let world = World::start(3).await;
    let members = members(&world, "ends").await;
    let bystander = world.visitor(2).await;
    let ended = end_group(&world, 1, "ends", 2_000).await;
    assert_eq!(ended.body["unconfirmed"], json!([]), "{ended:?}");
    for (_, _, visitor) in &members {
        world.record.revoke(&visitor.id());
    }
    for (node, serial, visitor) in &members {
        let (_, cause) = world.nodes[*node].ended_with(*serial).await;
        assert_eq!(cause, "terminated");
        for door in &world.nodes {
            let answer = visitor.look(door.address).await;
            assert!(answer.is_stranger(), "{answer:?}");
        }
    }
    assert!(bystander.look(world.nodes[0].address).await.is_known());
    figure(
        "log-out everywhere",
        format!(
            "6 sessions on 3 nodes, confirmed in {} ms",
            ended.body["took"]
        ),
    );
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c21_a_node_that_has_not_confirmed_is_named_and_learns_it_before_it_serves() {
    let world = World::start(3).await;
    let members = members(&world, "ends").await;
    world.nodes[2].stop();
    let ended = end_group(&world, 0, "ends", 1_500).await;
    let tag = &members.iter().find(|(node, ..)| *node == 2).unwrap().2.id()[..4];
    assert_eq!(ended.body["unconfirmed"], json!([tag]), "{ended:?}");
    assert!(ended.body["took"].as_u64().unwrap() >= 1_500);
    for (node, serial, visitor) in &members {
        world.record.revoke(&visitor.id());
        if *node == 2 {
            assert_eq!(world.nodes[2].cause(*serial), None);
        } else {
            world.nodes[*node].ended_with(*serial).await;
        }
    }
    world.nodes[2].go_on();
    for (node, serial, visitor) in &members {
        let answer = visitor.look(world.nodes[*node].address).await;
        assert!(answer.is_stranger(), "{answer:?}");
        world.nodes[*node].ended_with(*serial).await;
    }
    figure(
        "log-out everywhere",
        format!(
            "with a stopped node, which is named after {} ms",
            ended.body["took"]
        ),
    );
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c21_a_log_out_at_a_node_that_is_cut_off_is_told_once_it_is_back() {
    let world = World::start(3).await;
    let members = members(&world, "ends").await;
    world.nodes[0].wire.set(Wire::Cut);
    let cut = Instant::now();
    let ended = end_group(&world, 0, "ends", 500).await;
    assert!(
        ended.body["error"].is_string(),
        "the others are not told yet: {ended:?}"
    );
    for (node, serial, _) in &members {
        if *node == 0 {
            world.nodes[0].ended_with(*serial).await;
        }
    }
    assert!(cut.elapsed() < LEASE, "this machine is too slow");
    world.nodes[0].wire.set(Wire::Whole);
    for (node, serial, visitor) in &members {
        world.nodes[*node].ended_with(*serial).await;
        world.record.revoke(&visitor.id());
        let answer = visitor.look(world.nodes[1].address).await;
        assert!(answer.is_stranger(), "{answer:?}");
    }
    world.check();
}
