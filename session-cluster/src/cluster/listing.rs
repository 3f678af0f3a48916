//! The nodes of the cluster, and sums over them.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use session_core::NodeTag;

use crate::cluster::Cluster;
use crate::view::Mode;

/// A node, as [`Cluster::nodes`] lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterNode {
    /// Its tag.
    pub tag: NodeTag,
    /// Where the other nodes reach it.
    pub address: SocketAddr,
    /// Whether it drains.
    pub is_draining: bool,
    /// The number of its active sessions.
    pub sessions: u64,
    /// Whether it is this node.
    pub is_self: bool,
}

/// Sums over the nodes: see [`Cluster::counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterCounts {
    /// Nodes that are alive.
    pub nodes: usize,
    /// Their active sessions.
    pub sessions: u64,
}

impl Cluster {
    /// Returns the nodes that are alive, as the store's last answer showed them: this one first, unless it has no tag.
    /// The others' numbers are those of their last renewals, so they may be a period old, and one more until this node
    /// hears of them.
    ///
    /// A node that is not there any more is listed until it has a verdict, a little longer than a lease.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_cluster::{Cluster, InProcessDirectory};
    /// # use session_core::SessionManager;
    /// # let directory = InProcessDirectory::new();
    /// # let join = async |address: &str| Cluster::builder(SessionManager::builder().build().unwrap(), directory.clone())
    /// #     .address(address.parse().unwrap()).secret([7; 32]).join().await;
    /// let first = join("10.0.0.7:8080").await?;
    /// let second = join("10.0.0.8:8080").await?;
    /// let addresses: Vec<_> = second.nodes().iter().map(|node| node.address).collect();
    /// assert_eq!(addresses, ["10.0.0.8:8080".parse()?, "10.0.0.7:8080".parse()?]);
    /// assert_eq!(second.counts().nodes, 2);
    /// # drop(first); Ok(()) }
    /// ```
    pub fn nodes(&self) -> Vec<ClusterNode> {
        let view = &self.shared.view;
        let known = view.known();
        let own = known.own.map(|tag| ClusterNode {
            tag,
            address: self.shared.address,
            is_draining: view.mode() != Mode::Serving,
            sessions: self.shared.sessions.stats().active as u64,
            is_self: true,
        });
        let others = known.peers.values().map(|peer| ClusterNode {
            tag: peer.tag,
            address: peer.address,
            is_draining: peer.drains,
            sessions: peer.load.load(Ordering::Relaxed),
            is_self: false,
        });
        own.into_iter().chain(others).collect()
    }

    /// Returns the number of nodes and of sessions, without asking anyone: see [`nodes`](Self::nodes) for their age.
    pub fn counts(&self) -> ClusterCounts {
        let nodes = self.nodes();
        ClusterCounts {
            nodes: nodes.len(),
            // The store may hold any number.
            sessions: nodes
                .iter()
                .fold(0, |sum, node| sum.saturating_add(node.sessions)),
        }
    }
}
