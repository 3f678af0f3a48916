//! The builder of a membership.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use session_core::{NodeTag, SessionManager};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::cluster::error::JoinClusterError;
use crate::cluster::keeper::Keeper;
use crate::cluster::{Cluster, Shared};
use crate::directory::Directory;
use crate::forward::Forwarder;
use crate::metrics::Counters;
use crate::secret::Secret;
use crate::store::Store;
use crate::times::{Times, WhenCutOff};
use crate::view::View;

/// Builds a [`Cluster`]: see [`Cluster::builder`].
///
/// All nodes of a cluster need the same secret, lease and period.
#[must_use = "call `join()`"]
pub struct ClusterBuilder<D> {
    sessions: SessionManager,
    directory: D,
    address: Option<SocketAddr>,
    secret: Option<Secret>,
    slot: Option<u16>,
    times: Times,
    when_cut_off: WhenCutOff,
}

impl Cluster {
    /// Starts to build the membership of a node: the manager of its sessions, and the store that it shares with the other
    /// nodes. [`address`](ClusterBuilder::address) and [`secret`](ClusterBuilder::secret) are needed, the rest has defaults.
    pub fn builder<D: Directory>(sessions: SessionManager, directory: D) -> ClusterBuilder<D> {
        ClusterBuilder {
            sessions,
            directory,
            address: None,
            secret: None,
            slot: None,
            times: Times::default(),
            when_cut_off: WhenCutOff::default(),
        }
    }
}

impl<D: Directory> ClusterBuilder<D> {
    /// Where the other nodes reach this one's server, in plain HTTP. Each node has an address of its own: a node that joins
    /// displaces at once whichever had its address before, which is how a restarted process takes over its place.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The secret of the cluster, at least 32 bytes: random ones, not a word. Nodes believe only what is sealed with it, so
    /// that a client, or another user of the store, can't redirect requests or end groups.
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Secret::new(secret.as_ref());
        self
    }

    /// A number below 4096 that all tags of this node begin with: their first 2 characters, and those of the ids. This is
    /// for proxies with a fixed table from slots to servers. Each node has a slot of its own.
    pub fn slot(mut self, slot: u16) -> Self {
        self.slot = Some(slot);
        self
    }

    /// How long the node may act for its sessions without an answer of the store, counted from the question: 30 seconds if
    /// not set. So long an outage of the store may be that nobody notices, and a little longer the sessions of a machine
    /// that was lost can be told from living ones. At least four periods, and at most an hour.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.times.lease = lease;
        self
    }

    /// The time between renewals: 5 seconds if not set. It must be longer than two timeouts of the store.
    pub fn period(mut self, period: Duration) -> Self {
        self.times.period = period;
        self
    }

    /// The time that the store has for an answer: 2 seconds if not set.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.times.store_timeout = timeout;
        self
    }

    /// How long a request waits for an answer of the store if it can't be served without one: 2 seconds if not set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.times.patience = patience;
        self
    }

    /// The fate of the sessions while the store does not answer, once the lease is over: [`WhenCutOff::Suspend`] if not set.
    pub fn when_cut_off(mut self, when_cut_off: WhenCutOff) -> Self {
        self.when_cut_off = when_cut_off;
        self
    }

    /// Joins the cluster: claims a tag for the node, and sets it with [`SessionManager::set_tag`]. Sessions that were
    /// created before end.
    ///
    /// While the store does not answer, this tries again, for the length of a lease. So a node can be started while the
    /// store is being restarted, and one with a wrong address of the store says so and exits.
    ///
    /// The membership is kept by a task on the manager's runtime.
    ///
    /// # Errors
    ///
    /// [`JoinClusterError`], which names the setting that is wrong, or has the store's last error.
    ///
    /// # Cancel safety
    ///
    /// The joining ends, and a tag that the store has acknowledged is given up again.
    pub async fn join(self) -> Result<Cluster, JoinClusterError> {
        let address = self.address.ok_or(JoinClusterError::NoAddress)?;
        // A URL has no place for the interface of a link-local address.
        let is_scoped = matches!(address, SocketAddr::V6(address) if address.scope_id() != 0);
        if address.ip().is_unspecified() || address.port() == 0 || is_scoped {
            return Err(JoinClusterError::Unreachable(address));
        }
        let secret = self.secret.ok_or(JoinClusterError::ShortSecret)?;
        if let Some(slot) = self.slot
            && NodeTag::random_in(slot).is_none()
        {
            return Err(JoinClusterError::Slot(slot));
        }
        self.times.check().map_err(JoinClusterError::Times)?;

        let store = Store::new(self.directory, self.times.store_timeout);
        let runtime = self.sessions.runtime().clone();
        let (commands, received) = mpsc::unbounded_channel();
        // For the runtime's clock.
        let inside = runtime.enter();
        let counters = Counters::default();
        let shared = Arc::new(Shared {
            sessions: self.sessions,
            secret,
            times: self.times,
            view: View::new(),
            forwarder: Forwarder::new(Arc::clone(&counters.cut)),
            counters,
            address,
            when_cut_off: self.when_cut_off,
            commands,
        });
        let stop = CancellationToken::new();
        let cluster = Cluster {
            shared: Arc::clone(&shared),
            _stop: Arc::new(stop.clone().drop_guard()),
        };
        let (joined, outcome) = oneshot::channel();
        let keeper = Keeper::new(shared, store, self.slot, received);
        drop(inside);
        runtime.spawn(keeper.run(joined, stop));
        let outcome = outcome.await.unwrap_or(Err(JoinClusterError::RuntimeGone));
        outcome.map(|()| cluster)
    }
}

impl<D> fmt::Debug for ClusterBuilder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("address", &self.address)
            .field("slot", &self.slot)
            .field("times", &self.times)
            .field("when_cut_off", &self.when_cut_off)
            .finish_non_exhaustive()
    }
}
