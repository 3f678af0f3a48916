//! Rule 23: counts ride on the renewals.

use session_cluster::InProcessDirectory;

use crate::kit::{TURN, join_all, pass};

#[tokio::test(start_paused = true)]
async fn c23_counts_are_sums_over_the_nodes_and_a_period_late() {
    let directory = InProcessDirectory::new();
    let [one, other] = join_all::<2>(&directory).await;
    let _own = one.sessions.create().unwrap();
    let _others: Vec<_> = (0..3).map(|_| other.sessions.create().unwrap()).collect();
    assert_eq!(
        one.cluster.counts().sessions,
        1,
        "the others' are not known yet"
    );
    pass(2 * TURN).await;
    let before = directory.calls();
    for node in [&one, &other] {
        let counts = node.cluster.counts();
        assert_eq!((counts.nodes, counts.sessions), (2, 4));
    }
    assert_eq!(directory.calls(), before);
}
