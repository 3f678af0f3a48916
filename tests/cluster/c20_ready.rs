//! Rule 20: a node is ready if it has joined, holds its lease, and does not drain.

use std::time::Duration;

use session_cluster::{InProcessDirectory, Lease};

use crate::kit::{LEASE, TURN, join, pass};

#[tokio::test(start_paused = true)]
async fn c20_a_node_is_ready_while_it_holds_its_lease() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    assert!(node.cluster.is_ready());
    directory.stop();
    pass(LEASE).await;
    assert!(!node.cluster.is_ready());
    directory.start();
    pass(TURN).await;
    assert!(node.cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn c20_a_node_that_drains_or_has_left_is_not_ready() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    node.cluster.drain();
    assert!(!node.cluster.is_ready());
    assert_eq!(node.cluster.metrics().lease, Lease::Holding);
    node.cluster
        .leave(Duration::from_secs(1), Duration::ZERO)
        .await;
    assert!(!node.cluster.is_ready());
    assert_eq!(node.cluster.metrics().lease, Lease::Left);
}
