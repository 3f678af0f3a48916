//! A store that is away for a while, and may come back empty. It takes nobody's session along.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::crowd::Crowd;
use crate::proxy::Wire;
use crate::record::Answer;
use crate::visitor::Visitor;
use crate::wait::{LEASE, PERIOD, figure, seconds};
use crate::world::World;

fn slowest(answers: &[Answer]) -> Duration {
    let took = answers.iter().map(|answer| answer.done - answer.sent);
    took.max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_a_store_that_comes_back_empty_within_the_lease_is_not_missed() {
    let mut world = World::start(3).await;
    let mut crowd = Crowd::gather(&world).await;
    let went = Instant::now();
    world.store.kill();
    sleep(LEASE / 3).await;
    let back = Instant::now();
    world.store.restart();
    // An id that no node knows: it may be of a node that the store has lost.
    let mut guesses: Visitor = world.stranger();
    guesses.make_up("AAAAAAAAAAAAAAAAAAAAAA");
    let door = world.nodes[0].address;
    let first = guesses.look(door).await;
    assert!(first.is_unsure() && first.has_retry_after, "{first:?}");
    let mut settled = first;
    while !settled.is_ok() {
        assert!(settled.is_unsure(), "{settled:?}");
        assert!(back.elapsed() < 5 * LEASE);
        settled = guesses.look(door).await;
    }
    assert!(settled.is_stranger(), "{settled:?}");
    let after = settled.done - back;
    assert!(after > LEASE, "{after:?}");
    crowd.is_served_since(Instant::now()).await;
    crowd.has_lost_nothing(&world).await;
    let answers = crowd.answers();
    for answer in &answers {
        assert!(answer.is_known(), "{answer:?}");
    }
    figure(
        "Redis killed and back, empty, within the lease",
        format!(
            "away for {}, {} requests, all served, slowest {}; unknown tags 503 until {} after the start",
            seconds(back - went),
            answers.len(),
            seconds(slowest(&answers)),
            seconds(after)
        ),
    );
    drop(crowd);
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_a_store_that_is_away_for_longer_than_the_lease_takes_no_session_along() {
    let mut world = World::start(3).await;
    let mut crowd = Crowd::gather(&world).await;
    let went = Instant::now();
    world.store.kill();
    crowd.is_refused_since(went).await;
    sleep((LEASE + LEASE / 2).saturating_sub(went.elapsed())).await;
    // One node hears of it later than the others: they don't bury it.
    world.nodes[0].wire.set(Wire::Cut);
    let back = Instant::now();
    world.store.restart();
    sleep(LEASE / 2).await;
    world.nodes[0].wire.set(Wire::Whole);
    let healed = Instant::now();
    crowd.is_served_since(healed).await;
    // Verdicts that are due by then have come.
    sleep(2 * LEASE).await;
    crowd.is_served_since(Instant::now()).await;
    crowd.has_lost_nothing(&world).await;
    let answers = crowd.answers();
    let refused = answers.iter().filter(|answer| answer.is_unsure());
    let (first, last) = (
        refused.clone().map(|answer| answer.sent).min().unwrap(),
        refused.map(|answer| answer.sent).max().unwrap(),
    );
    figure(
        "Redis away for longer than the lease",
        format!(
            "503 from {}, away for {}, 503 until {} after it was back ({} after the last node heard)",
            seconds(first - went),
            seconds(back - went),
            seconds(last - back),
            seconds(last.saturating_duration_since(healed))
        ),
    );
    drop(crowd);
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c04_a_store_that_is_stopped_for_less_than_the_lease_is_not_missed() {
    let world = World::start(3).await;
    let mut crowd = Crowd::gather(&world).await;
    let stopped = Instant::now();
    world.store.pause();
    sleep(LEASE / 2).await;
    world.store.resume();
    let took = stopped.elapsed();
    assert!(
        took + 2 * PERIOD < LEASE,
        "this machine is too slow: {took:?}"
    );
    crowd.is_served_since(Instant::now()).await;
    crowd.has_lost_nothing(&world).await;
    let answers = crowd.answers();
    for answer in &answers {
        assert!(answer.is_known(), "{answer:?}");
    }
    figure(
        "Redis stopped within the lease",
        format!(
            "for {}, {} requests, all served, slowest {}",
            seconds(took),
            answers.len(),
            seconds(slowest(&answers))
        ),
    );
    drop(crowd);
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_a_store_that_is_stopped_for_longer_than_the_lease_buries_nobody() {
    let world = World::start(3).await;
    let mut crowd = Crowd::gather(&world).await;
    let stopped = Instant::now();
    world.store.pause();
    crowd.is_refused_since(stopped).await;
    sleep((LEASE + LEASE / 2).saturating_sub(stopped.elapsed())).await;
    let back = Instant::now();
    world.store.resume();
    crowd.is_served_since(back).await;
    let served = back.elapsed();
    // It has lost nothing, so there is nothing to wait for.
    assert!(served < LEASE, "{served:?}");
    // Verdicts that are due by then have come.
    sleep(2 * LEASE).await;
    crowd.is_served_since(Instant::now()).await;
    crowd.has_lost_nothing(&world).await;
    figure(
        "Redis stopped for longer than the lease",
        format!(
            "for {}, all served {} after it went on",
            seconds(back - stopped),
            seconds(served)
        ),
    );
    drop(crowd);
    world.check();
}
