//! A node that is cut off from the store alone: its visitors and the other nodes still reach it.

use tokio::time::{Instant, sleep};

use crate::probe::Probe;
use crate::proxy::Wire;
use crate::record::Answer;
use crate::streams::Socket;
use crate::wait::{LEASE, PATIENCE, PERIOD, figure, seconds, until};
use crate::world::World;

/// Cuts the first node off until another has taken its visitor for a stranger, and heals the wire.
async fn cut_off(wire: Wire) {
    let world = World::start(3).await;
    let visitor = world.visitor(0).await;
    let (owner, other) = (&world.nodes[0], &world.nodes[1]);
    let serial = visitor.look(owner.address).await.seen().serial;
    let probes = [owner, other].map(|node| Probe::start(&visitor, node.address, &world.record));
    let cut = Instant::now();
    owner.wire.set(wire);
    until(
        "another node takes its visitor for a stranger",
        async || probes[1].saw(cut, Answer::is_stranger),
    )
    .await;
    assert!(owner.cause(serial).is_none(), "it can't know yet");
    sleep(PERIOD).await;
    owner.wire.set(Wire::Whole);
    assert_eq!(owner.ended_with(serial).await.1, "ownership lost");
    until("its visitor is a stranger to itself", async || {
        probes[0].saw(cut, Answer::is_stranger)
    })
    .await;
    owner.joined().await;
    let (own, others) = (probes[0].answers(), probes[1].answers());
    drop(probes);

    // Its lease is an upper bound for what it serves, and everybody else waits for longer.
    let all = || own.iter().chain(&others);
    let last = all()
        .filter(|answer| answer.is_known())
        .map(|answer| answer.sent)
        .max()
        .unwrap();
    let first = all()
        .filter(|answer| answer.is_stranger())
        .map(|answer| answer.done)
        .min()
        .unwrap();
    assert!(last < cut + LEASE, "{:?}", last - cut);
    assert!(
        last < first,
        "never both: {:?}, {:?}",
        last - cut,
        first - cut
    );
    assert!(first < cut + 3 * LEASE, "{:?}", first - cut);
    // In between it waits, and is refused only if that takes longer than its patience.
    let refused: Vec<_> = all().filter(|answer| answer.is_unsure()).collect();
    for answer in &refused {
        assert!(answer.has_retry_after, "{answer:?}");
        assert!(answer.done - answer.sent < PATIENCE + LEASE, "{answer:?}");
    }
    let refused = refused.iter().map(|answer| answer.sent).min();
    let row = format!("cut off from the store ({wire:?})");
    figure(
        &row,
        format!(
            "served until {}, refused from {}, a stranger from {}",
            seconds(last - cut),
            refused.map_or("never".to_owned(), |refused| seconds(refused - cut)),
            seconds(first - cut)
        ),
    );
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_a_node_whose_wire_to_the_store_is_cut_stops_before_others_give_it_up() {
    cut_off(Wire::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_a_node_whose_wire_to_the_store_is_silent_stops_before_others_give_it_up() {
    cut_off(Wire::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_a_node_that_is_to_serve_goes_on_until_it_hears_that_it_was_given_up() {
    let world = World::with(2, &["cut-off=serve"]).await;
    let visitor = world.visitor(0).await;
    let (owner, other) = (&world.nodes[0], &world.nodes[1]);
    let serial = visitor.look(owner.address).await.seen().serial;
    let probes = [owner, other].map(|node| Probe::start(&visitor, node.address, &world.record));
    let cut = Instant::now();
    owner.wire.set(Wire::Cut);
    until("the other takes its visitor for a stranger", async || {
        probes[1].saw(cut, Answer::is_stranger)
    })
    .await;
    let given_up = Instant::now();
    until("it still serves", async || {
        probes[0].saw(given_up, Answer::is_known)
    })
    .await;
    owner.wire.set(Wire::Whole);
    assert_eq!(owner.ended_with(serial).await.1, "ownership lost");
    assert!(
        probes[0].answers().iter().all(Answer::is_ok),
        "none was refused"
    );
    figure(
        "cut off, `Serve`",
        format!("given up after {}, served on", seconds(given_up - cut)),
    );
    drop(probes);
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_a_node_that_is_to_end_ends_all_at_its_deadline() {
    let world = World::with(2, &["cut-off=end"]).await;
    let visitor = world.visitor(0).await;
    let owner = &world.nodes[0];
    let serial = visitor.look(owner.address).await.seen().serial;
    let mut socket = Socket::open(&visitor, owner.address).await;
    let cut = Instant::now();
    owner.wire.set(Wire::Cut);
    let (ended, cause) = owner.ended_with(serial).await;
    assert_eq!(cause, "ownership lost");
    assert!(
        ended - cut + 2 * PERIOD > LEASE && ended - cut < 2 * LEASE,
        "{:?}",
        ended - cut
    );
    let (told, frame) = socket.end().await;
    assert_eq!(frame.expect("the socket is told").1, "ownership lost");
    figure(
        "cut off, `End`",
        format!(
            "ended after {}, the socket told after {}",
            seconds(ended - cut),
            seconds(told - cut)
        ),
    );
    owner.wire.set(Wire::Whole);
    owner.joined().await;
    let visitor = world.visitor(0).await;
    assert!(visitor.look(world.nodes[1].address).await.is_known());
    world.check();
}
