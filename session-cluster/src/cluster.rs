//! A node's membership in a cluster.

use std::sync::Arc;

use session_core::SessionManager;

use crate::forward::Forwarder;
use crate::secret::Secret;
use crate::times::Times;
use crate::view::View;

/// A node's membership in a cluster: see the [crate's page](crate). Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) shared: Arc<Shared>,
}

/// The part that clones, the keeper and the layer share.
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) secret: Secret,
    pub(crate) times: Times,
    pub(crate) view: View,
    pub(crate) forwarder: Forwarder,
}
