//! Rule 5: a node may act until a lease after it sent its last answered renewal.

use std::time::Duration;

use session_cluster::{ConfirmError, InProcessDirectory, Lease};
use session_core::LocalSession as _;
use tokio::time::Instant;

use crate::kit::{LEASE, PATIENCE, PERIOD, TICK, TURN, join, pass, pass_until};

#[tokio::test(start_paused = true)]
async fn c05_the_lease_ends_to_the_moment() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    pass(3 * PERIOD).await;
    node.link.cut();
    pass(node.rest_of_lease().saturating_sub(TICK)).await;
    assert!(node.cluster.is_ready());
    pass(TICK).await;
    assert!(!node.cluster.is_ready());
    assert_eq!(node.cluster.metrics().lease, Lease::Suspended);
    // Attempts without an answer change nothing.
    pass(2 * LEASE).await;
    assert!(!node.cluster.is_ready());
    assert!(node.cluster.metrics().failures > 10);
}

#[tokio::test(start_paused = true)]
async fn c05_the_lease_counts_from_the_question_and_not_from_its_answer() {
    let delay = Duration::from_millis(150);
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    node.link.delay(delay);
    pass(3 * PERIOD).await;
    let renewals = node.cluster.metrics().renewals;
    pass_until(TURN, || node.cluster.metrics().renewals > renewals).await;
    node.link.cut();
    pass(node.rest_of_lease().saturating_sub(delay + TICK)).await;
    assert!(node.cluster.is_ready());
    pass(TICK).await;
    assert!(!node.cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn c05_an_outage_shorter_than_the_lease_is_not_noticed() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let (tag, session) = (node.tag(), node.sessions.create().unwrap());
    directory.stop();
    for _ in 0..4 {
        pass(PERIOD).await;
        assert!(node.cluster.is_ready());
    }
    directory.start();
    pass(LEASE).await;
    assert!(node.cluster.is_ready() && node.tag() == tag && !session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c05_a_suspended_node_goes_on_with_the_same_sessions() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let (tag, session) = (node.tag(), node.sessions.create().unwrap());
    directory.stop();
    pass(10 * LEASE).await;
    assert!(!node.cluster.is_ready() && !session.is_completed());
    directory.start();
    pass(TURN).await;
    assert!(node.cluster.is_ready() && node.tag() == tag && !session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c05_a_session_is_confirmed_by_one_question_and_in_doubt_after_the_patience() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.sessions.create().unwrap();
    pass(PERIOD / 4).await;
    let calls = directory.calls();
    let (one, other) = tokio::join!(
        node.cluster.confirm(&session),
        node.cluster.confirm(&session)
    );
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(directory.calls() - calls, 1);

    node.link.cut();
    let asked = Instant::now();
    let confirmed = node.cluster.confirm(&session).await;
    assert_eq!(confirmed, Err(ConfirmError::Unsure));
    assert_eq!(asked.elapsed().as_millis(), PATIENCE.as_millis());
}

#[tokio::test(start_paused = true)]
async fn c05_there_are_at_most_ten_questions_a_second() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.sessions.create().unwrap();
    let (calls, begun) = (directory.calls(), Instant::now());
    while begun.elapsed() < Duration::from_secs(2) {
        assert_eq!(node.cluster.confirm(&session).await, Ok(()));
    }
    let calls = directory.calls() - calls;
    assert!((15..=21).contains(&calls), "{calls} in two seconds");
}
