//! A node's membership in a cluster.
//!
//! Invariants:
//! - The keeper, one task, calls the store and changes the view; all else sends it commands, or wakes it.
//! - The keeper's end is never silent: the node is closed then, and calls return an error.

pub(crate) mod builder;
pub(crate) mod confirm;
pub(crate) mod end_group;
pub(crate) mod error;
pub(crate) mod keeper;
pub(crate) mod leave;
pub(crate) mod listing;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use session_core::{NodeTag, SessionManager};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

use crate::directory::DirectoryError;
use crate::forward::Forwarder;
use crate::metrics::{ClusterMetrics, Counters, Lease};
use crate::sealed::ending::Ending;
use crate::secret::Secret;
use crate::times::{Times, WhenCutOff};
use crate::view::{Mode, View};

/// A node's membership in a cluster: see the [crate's page](crate). Cheap to clone.
///
/// [`builder`](Self::builder) joins, and [`leave`](Self::leave) leaves. In between a task of the sessions' own runtime
/// keeps the membership: it renews the node's lease in the store each period, and learns there which nodes are alive.
/// A request costs the store nothing.
///
/// If the last clone is dropped and the node has not left, it writes its own verdict, without ending its sessions: no other
/// node sends it a request any more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_cluster::{Cluster, InProcessDirectory};
/// use session_core::SessionManager;
/// use std::time::Duration;
///
/// let directory = InProcessDirectory::new();
/// let sessions = SessionManager::builder().build()?;
/// let cluster = Cluster::builder(sessions.clone(), directory)
///     .address("10.0.0.7:8080".parse()?)
///     .secret([7; 32]) // the same one for all nodes, random, and never in the source
///     .join()
///     .await?;
/// assert!(cluster.is_ready());
/// assert_eq!(Some(sessions.create()?.id().tag()), cluster.tag());
///
/// // ... serve ...
/// # let (drain, shutdown) = (Duration::from_millis(300), Duration::from_secs(1));
/// # /*
/// let (drain, shutdown) = (Duration::from_secs(600), Duration::from_secs(10));
/// # */
/// let report = cluster.leave(drain, shutdown).await;
/// assert!(report.shutdown.is_clean());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cluster {
    pub(crate) shared: Arc<Shared>,
    /// Stops the keeper once all clones are gone.
    _stop: Arc<DropGuard>,
}

/// The part that clones, the keeper and the layer share.
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) secret: Secret,
    pub(crate) times: Times,
    pub(crate) view: View,
    pub(crate) forwarder: Forwarder,
    pub(crate) counters: Counters,
    /// Where the other nodes reach this one.
    pub(crate) address: SocketAddr,
    when_cut_off: WhenCutOff,
    commands: mpsc::UnboundedSender<Command>,
}

/// A command to the keeper.
enum Command {
    EndGroup {
        ending: Ending,
        within: Duration,
        /// The nodes that have not confirmed it.
        reply: oneshot::Sender<Result<Vec<NodeTag>, DirectoryError>>,
    },
    Drain,
    Leave {
        /// Whether the store knows it.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
}

impl Cluster {
    /// Returns the node's tag, which all its sessions' ids begin with; `None` while it has none: from the moment at which
    /// it was given up until it has a new one, and after it has left.
    pub fn tag(&self) -> Option<NodeTag> {
        self.shared.view.known().own
    }

    /// Whether the node takes requests of strangers: it has its tag, holds its lease, and does not drain. This is for the
    /// readiness check of a load balancer. Such a check is a hint: a node that is not ready still forwards.
    pub fn is_ready(&self) -> bool {
        self.shared.view.mode() == Mode::Serving && self.shared.view.is_open()
    }

    /// Returns the node's state and counters, for monitoring.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_cluster::{Cluster, InProcessDirectory, Lease};
    /// # let sessions = session_core::SessionManager::builder().build()?;
    /// # let cluster = Cluster::builder(sessions, InProcessDirectory::new())
    /// #     .address("10.0.0.7:8080".parse()?).secret([7; 32]).join().await?;
    /// let metrics = cluster.metrics();
    /// assert_eq!(metrics.lease, Lease::Holding);
    /// assert_eq!((metrics.renewals, metrics.failures), (1, 0));
    /// # Ok(()) }
    /// ```
    pub fn metrics(&self) -> ClusterMetrics {
        let lease = match self.shared.view.mode() {
            Mode::Left => Lease::Left,
            _ if self.shared.view.is_open() => Lease::Holding,
            _ => Lease::Suspended,
        };
        let answered = self.shared.view.known().answered;
        let since_answer = answered.map_or(Duration::MAX, |answered| answered.elapsed());
        self.shared.counters.snapshot(lease, since_answer)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("tag", &self.tag())
            .field("address", &self.shared.address)
            .finish_non_exhaustive()
    }
}
