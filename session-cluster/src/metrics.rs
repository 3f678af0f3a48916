//! The node's counters, and the snapshot of them that monitoring reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    // The keeper adds to these.
    pub(crate) renewals: Counter,
    pub(crate) failures: Counter,
    pub(crate) verdicts_written: Counter,
    pub(crate) verdicts_heard: Counter,
    pub(crate) given_up: Counter,
    pub(crate) forgeries: Counter,
    pub(crate) groups_ended: Counter,
    // The layer adds to these.
    pub(crate) forwarded: Counter,
    pub(crate) received: Counter,
    pub(crate) unsure: Counter,
    /// The forwarder and what it returns add to this.
    pub(crate) cut: Arc<Counter>,
}

/// Whether a node may act for its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It may.
    Holding,
    /// It may not, because the store has not answered in time: requests get 503.
    Suspended,
    /// It has left the cluster, and only forwards.
    Left,
}

/// A snapshot of a node's state and counters, for monitoring: see [`Cluster::metrics`](crate::Cluster::metrics).
///
/// The counters count from the node's join, and only rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterMetrics {
    /// Whether the node may act for its sessions.
    pub lease: Lease,
    /// The time since the store's last answer came in.
    pub since_answer: Duration,
    /// Renewals and claims that the store has answered.
    pub renewals: u64,
    /// Operations that the store has not answered in time, or with an error.
    pub failures: u64,
    /// Verdicts that this node has written, of others.
    pub verdicts_written: u64,
    /// Other nodes whose verdict this node has heard of, its own ones among them.
    pub verdicts_heard: u64,
    /// How often this node was given up, and ended all its sessions.
    pub given_up: u64,
    /// Entries of nodes, and of the log of ended groups, in the store that are not sealed with this node's secret.
    pub forgeries: u64,
    /// Ends of groups that other nodes have asked for.
    pub groups_ended: u64,
    /// Requests that another node has answered for this one.
    pub forwarded: u64,
    /// Requests that other nodes have sent on to this one, as the owner of their session.
    pub received: u64,
    /// Requests that got 503, because it was not known whether a session or a node is alive.
    pub unsure: u64,
    /// Forwarded requests, streams and tunnels that were cut, because their owner had died.
    pub cut: u64,
}

impl Counters {
    pub(crate) fn snapshot(&self, lease: Lease, since_answer: Duration) -> ClusterMetrics {
        ClusterMetrics {
            lease,
            since_answer,
            renewals: self.renewals.get(),
            failures: self.failures.get(),
            verdicts_written: self.verdicts_written.get(),
            verdicts_heard: self.verdicts_heard.get(),
            given_up: self.given_up.get(),
            forgeries: self.forgeries.get(),
            groups_ended: self.groups_ended.get(),
            forwarded: self.forwarded.get(),
            received: self.received.get(),
            unsure: self.unsure.get(),
            cut: self.cut.get(),
        }
    }
}
