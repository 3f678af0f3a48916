//! Rules 7 and 8: a node is dead by a verdict, written by an observer that is itself in touch.

use session_cluster::InProcessDirectory;
use session_core::{CompletionCause, LocalSession as _};

use crate::kit::{LEASE, PERIOD, TICK, TURN, join_all, pass, pass_until, tags};

#[tokio::test(start_paused = true)]
async fn c08_a_silent_node_is_given_up_after_its_lease_and_all_learn_it() {
    let directory = InProcessDirectory::new();
    let [silent, one, other] = join_all::<3>(&directory).await;
    let session = silent.sessions.create().unwrap();
    silent.link.cut();
    let rest = silent.rest_of_lease();
    pass(rest).await;
    assert!(!silent.cluster.is_ready(), "it has stopped");
    assert_eq!(
        one.others(),
        tags([&silent, &other]),
        "and nobody has given it up"
    );

    pass(LEASE / 10 + 2 * PERIOD).await;
    assert_eq!(one.others(), tags([&other]));
    assert_eq!(other.others(), tags([&one]));
    let written = [&one, &other].map(|node| node.cluster.metrics().verdicts_written);
    assert_eq!(
        written.iter().sum::<u64>(),
        1,
        "the other one has heard of it"
    );

    let former = silent.tag();
    silent.link.heal();
    pass(TURN).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
    assert!(silent.cluster.is_ready() && silent.tag() != former);
}

#[tokio::test(start_paused = true)]
async fn c08_it_is_given_up_only_after_it_has_stopped() {
    let directory = InProcessDirectory::new();
    let [silent, observer] = join_all::<2>(&directory).await;
    // Its renewals arrive, so the observer's silence begins late. Its lease doesn't.
    silent.link.lose_answers();
    let stopped = pass_until(2 * LEASE, || !silent.cluster.is_ready()).await;
    assert!(stopped <= LEASE);
    assert_eq!(observer.others(), [silent.tag()]);
    silent.link.cut();
    let took = pass_until(2 * LEASE, || observer.others().is_empty()).await;
    assert!(took + PERIOD + TICK > LEASE + LEASE / 10, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn c08_nobody_is_given_up_while_the_store_is_away_or_when_it_comes_back() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<3>(&directory).await;
    let sessions: Vec<_> = nodes
        .iter()
        .map(|node| node.sessions.create().unwrap())
        .collect();
    directory.stop();
    pass(5 * LEASE).await;
    // One hears later than the others that the store is back.
    nodes[2].link.cut();
    directory.start();
    pass(LEASE / 2).await;
    nodes[2].link.heal();
    pass(2 * LEASE).await;
    assert!(nodes.iter().all(|node| node.cluster.is_ready()));
    assert!(sessions.iter().all(|session| !session.is_completed()));
    assert!(
        nodes
            .iter()
            .all(|node| node.cluster.metrics().verdicts_written == 0)
    );
}
