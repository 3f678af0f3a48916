//! Rule 10: a store that has lost its data.

use std::time::Duration;

use session_cluster::{InProcessDirectory, VERDICTS_KEPT};
use session_core::{CompletionCause, LocalSession as _};

use crate::kit::{LEASE, PERIOD, TURN, join, join_all, join_with, pass, tags};

#[tokio::test(start_paused = true)]
async fn c10_nodes_claim_their_tags_again() {
    let directory = InProcessDirectory::new();
    let [one, other] = join_all::<2>(&directory).await;
    let before = tags([&one, &other]);
    let session = one.sessions.create().unwrap();
    directory.empty();
    pass(2 * TURN).await;
    assert_eq!(tags([&one, &other]), before);
    assert!(one.cluster.is_ready() && !session.is_completed());
    // The store has them all again.
    let late = join(&directory, 3).await;
    assert_eq!(late.others(), before);
}

#[tokio::test(start_paused = true)]
async fn c10_a_node_whose_lease_is_over_claims_its_tag_again_too() {
    let directory = InProcessDirectory::new();
    let [one, _other] = join_all::<2>(&directory).await;
    let (tag, session) = (one.tag(), one.sessions.create().unwrap());
    directory.stop();
    pass(3 * LEASE).await;
    directory.empty();
    directory.start();
    pass(TURN).await;
    assert!(!one.cluster.is_ready(), "a verdict may have been lost");
    pass(LEASE + TURN).await;
    assert!(one.cluster.is_ready() && one.tag() == tag && !session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c10_observers_repeat_a_verdict_that_was_lost() {
    let directory = InProcessDirectory::new();
    let [dead, observer] = join_all::<2>(&directory).await;
    let session = dead.sessions.create().unwrap();
    dead.link.cut();
    pass(2 * LEASE).await;
    assert!(observer.others().is_empty());
    directory.empty();
    pass(TURN).await;
    dead.link.heal();
    pass(TURN).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
}

#[tokio::test(start_paused = true)]
async fn c10_a_node_that_was_cut_off_for_longer_than_verdicts_are_kept_gives_itself_up() {
    let hour = Duration::from_secs(3600);
    let (short, long) = (VERDICTS_KEPT.saturating_sub(hour), VERDICTS_KEPT + hour);
    for (away, is_lost) in [(short, false), (long, true)] {
        let directory = InProcessDirectory::new();
        let node = join_with(&directory, 1, |builder| {
            builder.lease(hour).period(hour / 6)
        })
        .await;
        let session = node.sessions.create().unwrap();
        let tag = node.tag();
        directory.stop();
        pass(away).await;
        directory.start();
        pass(hour / 2).await;
        assert_eq!(node.tag() != tag, is_lost);
        assert_eq!(
            session.completion_cause() == Some(CompletionCause::OwnershipLost),
            is_lost
        );
    }
}

#[tokio::test(start_paused = true)]
async fn c10_a_failover_that_lacks_the_newest_node_costs_no_session() {
    let directory = InProcessDirectory::new();
    let old = join(&directory, 1).await;
    pass(2 * PERIOD).await;
    let new = join(&directory, 2).await;
    let sessions = [&old, &new].map(|node| node.sessions.create().unwrap());
    let before = tags([&old, &new]);
    directory.fail_over(PERIOD);
    pass(LEASE).await;
    assert_eq!(tags([&old, &new]), before);
    assert_eq!(old.others(), [new.tag()]);
    assert!(sessions.iter().all(|session| !session.is_completed()));
}
