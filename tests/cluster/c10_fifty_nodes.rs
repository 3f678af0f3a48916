//! Rule 10: many nodes after an outage of the store that all of them notice.

use session_cluster::InProcessDirectory;
use session_core::{LocalSession as _, NodeTag, Session};
use tokio::time::Instant;

use crate::kit::{LEASE, Node, PERIOD, join, pass};

const NODES: u8 = 50;

/// Nodes that know each other, with a session on each.
struct Fleet {
    directory: InProcessDirectory,
    nodes: Vec<Node>,
    tags: Vec<NodeTag>,
    sessions: Vec<Session>,
}

impl Fleet {
    async fn join() -> Self {
        let directory = InProcessDirectory::new();
        let mut nodes = Vec::new();
        for number in 1..=NODES {
            nodes.push(join(&directory, number).await);
        }
        let create = |node: &Node| node.sessions.create().unwrap();
        let mut fleet = Self {
            tags: nodes.iter().map(Node::tag).collect(),
            sessions: nodes.iter().map(create).collect(),
            directory,
            nodes,
        };
        fleet.tags.sort();
        fleet.settle_within(3).await;
        fleet
    }

    /// Stops the store for longer than the lease, so that no node may act in the end.
    async fn lose_the_store(&self) {
        self.directory.stop();
        pass(3 * LEASE).await;
        assert!(self.nodes.iter().all(|node| !node.cluster.is_ready()));
    }

    /// Waits until each node may act and knows all others, but not for longer than this many periods. Returns how many
    /// it has waited.
    async fn settle_within(&self, periods: u32) -> u32 {
        for period in 0..=periods {
            if self.nodes.iter().all(|node| self.is_settled(node)) {
                return period;
            }
            pass(PERIOD).await;
        }
        panic!("not within {periods} periods");
    }

    fn is_settled(&self, node: &Node) -> bool {
        let mut known = node.others();
        known.extend(node.cluster.tag());
        known.sort();
        node.cluster.is_ready() && known == self.tags
    }

    /// Fails if a node was given up, or has been since, or a session has ended.
    async fn assert_nobody_was_buried(&self) {
        // The times that observers have begun to count run out meanwhile.
        pass(3 * LEASE).await;
        self.settle_within(0).await;
        for node in &self.nodes {
            let metrics = node.cluster.metrics();
            assert_eq!(
                (
                    metrics.given_up,
                    metrics.verdicts_written,
                    metrics.verdicts_heard
                ),
                (0, 0, 0)
            );
        }
        assert!(self.sessions.iter().all(|session| !session.is_completed()));
    }
}

#[tokio::test(start_paused = true)]
async fn c10_fifty_nodes_go_on_after_an_outage_longer_than_the_lease() {
    let fleet = Fleet::join().await;
    fleet.lose_the_store().await;
    fleet.directory.start();
    fleet.settle_within(3).await;
    fleet.assert_nobody_was_buried().await;
}

#[tokio::test(start_paused = true)]
async fn c10_fifty_nodes_claim_their_tags_again_from_a_store_that_comes_back_empty() {
    let fleet = Fleet::join().await;
    fleet.lose_the_store().await;
    fleet.directory.empty();
    fleet.directory.start();
    let back = Instant::now();
    // Until the store's run is older than a lease, a verdict that it has lost may not have been repeated yet.
    pass(LEASE / 2).await;
    assert!(fleet.nodes.iter().all(|node| !node.cluster.is_ready()));
    pass(LEASE / 2).await;
    fleet.settle_within(3).await;
    assert!(back.elapsed() <= LEASE + 3 * PERIOD);
    fleet.assert_nobody_was_buried().await;
}

#[tokio::test(start_paused = true)]
async fn c10_fifty_nodes_do_not_bury_those_that_hear_of_the_store_last() {
    let fleet = Fleet::join().await;
    let (late, others) = fleet.nodes.split_at(5);
    fleet.directory.stop();
    pass(3 * LEASE).await;
    // Five are still cut off when the others are in touch again, for half a lease.
    for node in late {
        node.link.cut();
    }
    fleet.directory.start();
    pass(LEASE / 2).await;
    assert!(others.iter().all(|node| node.cluster.is_ready()));
    for node in late {
        node.link.heal();
    }
    fleet.settle_within(3).await;
    fleet.assert_nobody_was_buried().await;
}
