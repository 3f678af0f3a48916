//! Two processes that advertise one address.

use tokio::time::Instant;

use crate::probe::Probe;
use crate::record::Answer;
use crate::wait::{LEASE, figure, seconds, until};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c13_two_processes_of_one_address_kick_each_other_out_and_mix_nothing_up() {
    let mut world = World::start(2).await;
    let visitor = world.visitor(0).await;
    let serial = visitor.look(world.nodes[0].address).await.seen().serial;
    let probes =
        [0, 1].map(|node: usize| Probe::start(&visitor, world.nodes[node].address, &world.record));
    let began = Instant::now();
    let advertise = format!("advertise={}", world.nodes[0].address);
    let second = world.add(&[&advertise]).await;
    let third = Probe::start(&visitor, world.nodes[second].address, &world.record);
    let (ended, cause) = world.nodes[0].ended_with(serial).await;
    assert_eq!(cause, "ownership lost");
    until("its visitor is a stranger at all doors", async || {
        probes
            .iter()
            .chain([&third])
            .all(|probe| probe.saw(began, Answer::is_stranger))
    })
    .await;
    world.nodes[second].kill();
    // Once it is alone, its sessions last.
    let alone = Instant::now();
    until("sessions last again", async || {
        let visitor = world.visitor(0).await;
        let since = Instant::now();
        let mut lasts = true;
        while lasts && since.elapsed() < LEASE {
            lasts = visitor.look(world.nodes[1].address).await.is_known();
        }
        lasts
    })
    .await;
    figure(
        "two processes of one address",
        format!(
            "the first given up after {}, alone again and stable within {}",
            seconds(ended - began),
            seconds(alone.elapsed().saturating_sub(LEASE))
        ),
    );
    drop((probes, third));
    world.check();
}
