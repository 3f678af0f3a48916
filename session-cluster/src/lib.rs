//! Several nodes behind any load balancer as one service of live sessions.
//!
//! The files, from below: `times`, `secret`, `metrics`, `directory`, and `store` and `sealed` on these; `protocol` (one node's decisions, apart from all I/O);
//! `view` (the state that requests read); `cluster` with its builder and keeper; the layer.

#![allow(dead_code)]

mod cluster;
mod directory;
mod forward;
mod hop;
mod layer;
mod listing;
mod metrics;
mod protocol;
mod route;
mod sealed;
mod secret;
mod store;
mod times;
mod view;

pub use cluster::Cluster;
pub use cluster::builder::ClusterBuilder;
pub use cluster::end_group::GroupEnded;
pub use cluster::error::{ConfirmError, EndGroupError, JoinClusterError};
pub use cluster::leave::Left;
pub use cluster::listing::{ClusterCounts, ClusterNode};
pub use directory::in_process::{InProcessDirectory, InProcessLink};
pub use directory::redis::{RedisDirectory, RedisUrlError};
pub use directory::{
    Answer, Beat, CaughtUp, Directory, DirectoryError, Entry, Position, Pulse, Report, Run, Seen,
    Standing, VERDICTS_KEPT,
};
pub use layer::{ClusterBody, ClusterFuture, ClusterLayer, ClusterService, Owner, Replay, Routing};
pub use listing::{ListedSession, Listing};
pub use metrics::{ClusterMetrics, Lease};
pub use times::WhenCutOff;
