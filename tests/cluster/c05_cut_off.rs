//! Rule 5: the policies of a node that is cut off.

use session_cluster::{InProcessDirectory, Lease, WhenCutOff};
use session_core::{CompletionCause, LocalSession as _};

use crate::kit::{LEASE, STORE_TIMEOUT, TICK, TURN, join, join_with, pass};

#[tokio::test(start_paused = true)]
async fn c05_a_node_may_serve_on() {
    let directory = InProcessDirectory::new();
    let node = join_with(&directory, 1, |builder| {
        builder.when_cut_off(WhenCutOff::Serve)
    })
    .await;
    directory.stop();
    pass(10 * LEASE).await;
    assert!(node.cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn c05_a_node_that_served_on_still_ends_its_sessions_once_it_hears_that_it_was_given_up() {
    let directory = InProcessDirectory::new();
    let node = join_with(&directory, 1, |builder| {
        builder.when_cut_off(WhenCutOff::Serve)
    })
    .await;
    let _observer = join(&directory, 2).await;
    let session = node.sessions.create().unwrap();
    node.link.cut();
    pass(2 * LEASE).await;
    assert!(node.cluster.is_ready() && !session.is_completed());
    node.link.heal();
    pass(TURN).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
}

#[tokio::test(start_paused = true)]
async fn c05_a_node_may_end_its_sessions_with_the_lease() {
    let directory = InProcessDirectory::new();
    let node = join_with(&directory, 1, |builder| {
        builder.when_cut_off(WhenCutOff::End)
    })
    .await;
    let (tag, session) = (node.tag(), node.sessions.create().unwrap());
    node.link.cut();
    pass(node.rest_of_lease().saturating_sub(TICK)).await;
    assert!(!session.is_completed());
    pass(STORE_TIMEOUT + TICK).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
    assert_eq!(node.cluster.metrics().lease, Lease::Suspended);
    assert_eq!(node.cluster.tag(), None);

    node.link.heal();
    pass(TURN).await;
    assert!(node.cluster.is_ready() && node.tag() != tag);
}
