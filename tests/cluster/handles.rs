//! Handles to a membership.

use session_cluster::InProcessDirectory;
use session_core::LocalSession as _;

use crate::kit::{LEASE, TURN, join_all, pass};

#[tokio::test(start_paused = true)]
async fn a_node_without_handles_gives_itself_up_and_keeps_its_sessions() {
    let directory = InProcessDirectory::new();
    let [node, other] = join_all::<2>(&directory).await;
    let session = node.sessions.create().unwrap();
    let clone = node.cluster.clone();
    drop(node.cluster);
    pass(2 * LEASE).await;
    assert_eq!(other.others(), [clone.tag().unwrap()]);

    drop(clone);
    pass(TURN).await;
    assert!(other.others().is_empty());
    assert!(!session.is_completed());
    // Its task has ended.
    let calls = directory.calls();
    drop(other);
    pass(TURN).await;
    let last = directory.calls();
    assert!(last - calls <= 3);
    pass(2 * LEASE).await;
    assert_eq!(directory.calls(), last);
}
