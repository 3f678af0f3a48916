//! Rule 19: the order in which a node leaves.

use std::time::Duration;

use session_cluster::{InProcessDirectory, Lease};
use session_core::{CompletionCause, LocalSession as _};
use tokio::time::{Instant, timeout};

use crate::kit::{LEASE, PERIOD, TURN, join, join_all, pass, pass_until, tags};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn c19_it_waits_for_its_sessions_and_then_the_others_know_that_it_has_left() {
    let directory = InProcessDirectory::new();
    let [leaving, other] = join_all::<2>(&directory).await;
    let session = leaving.sessions.create().unwrap();
    let cluster = leaving.cluster.clone();
    let left = tokio::spawn(async move { cluster.leave(MINUTE, MINUTE).await });
    pass(MINUTE / 2).await;
    assert!(!left.is_finished() && !session.is_completed());
    assert_eq!(other.others(), [leaving.tag()]);

    session.terminate();
    let left = left.await.unwrap();
    assert!(left.is_drained && left.shutdown.is_clean() && left.farewell.is_ok());
    assert_eq!(left.shutdown.ended(), 0);
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::Terminated)
    );
    assert_eq!(leaving.cluster.tag(), None);
    pass(TURN).await;
    assert!(other.others().is_empty());
    assert_eq!(other.cluster.metrics().verdicts_written, 0);
}

#[tokio::test(start_paused = true)]
async fn c19_sessions_that_are_left_at_the_deadline_are_shut_down_before_the_tag_is_given_up() {
    let directory = InProcessDirectory::new();
    let [leaving, other] = join_all::<2>(&directory).await;
    let session = leaving.sessions.create().unwrap();
    // Its cleanup takes a while, in which the node is still a node.
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let ending = async move |_| ended.await.unwrap_or_default();
    session.spawn(ending).unwrap();
    let begun = Instant::now();
    let cluster = leaving.cluster.clone();
    let left = tokio::spawn(async move { cluster.leave(MINUTE, MINUTE).await });
    pass_until(2 * MINUTE, || session.is_completed()).await;
    assert!(begun.elapsed() >= MINUTE);
    assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
    pass(2 * PERIOD).await;
    assert!(!left.is_finished());
    assert_eq!(other.others(), [leaving.tag()]);

    drop(end);
    let left = left.await.unwrap();
    assert!(!left.is_drained && left.shutdown.is_clean() && left.farewell.is_ok());
    assert_eq!(left.shutdown.ended(), 1);
}

#[tokio::test(start_paused = true)]
async fn c19_a_node_that_has_left_goes_on_learning_of_the_others() {
    let directory = InProcessDirectory::new();
    let [leaving, other] = join_all::<2>(&directory).await;
    leaving.cluster.leave(MINUTE, MINUTE).await;
    assert_eq!(leaving.cluster.metrics().lease, Lease::Left);
    let late = join(&directory, 3).await;
    pass(LEASE).await;
    assert_eq!(leaving.others(), tags([&other, &late]));
    assert!(other.others().contains(&late.tag()) && other.others().len() == 1);
    // It is never back.
    pass(5 * LEASE).await;
    assert_eq!(leaving.cluster.tag(), None);
    assert_eq!(leaving.cluster.metrics().given_up, 0);
}

#[tokio::test(start_paused = true)]
async fn c19_without_a_store_it_leaves_all_the_same_and_says_so() {
    let directory = InProcessDirectory::new();
    let [leaving, other] = join_all::<2>(&directory).await;
    leaving.link.cut();
    let left = leaving.cluster.leave(MINUTE, MINUTE).await;
    assert!(left.farewell.is_err() && left.shutdown.is_clean());
    assert_eq!(leaving.cluster.metrics().lease, Lease::Left);
    // The others find out by its silence, or when it reaches the store again.
    leaving.link.heal();
    pass(2 * TURN).await;
    assert!(other.others().is_empty());
}

#[tokio::test(start_paused = true)]
async fn c19_a_call_that_was_dropped_is_taken_up_by_the_next_one() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.sessions.create().unwrap();
    let first = node.cluster.leave(MINUTE, MINUTE);
    assert!(timeout(PERIOD, first).await.is_err());
    assert!(!node.cluster.is_ready() && !session.is_completed());
    let left = node.cluster.leave(PERIOD, MINUTE).await;
    assert!(left.farewell.is_ok() && session.is_completed());
    // And once more, which finds nothing to do.
    let left = node.cluster.leave(PERIOD, MINUTE).await;
    assert!(left.is_drained && left.farewell.is_ok());
}
