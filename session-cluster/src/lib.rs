//! Several nodes behind any load balancer as one service of live sessions.
//!
//! A session of [`session_core`] holds live objects, and those can't move to another machine. So with several servers a
//! visitor's requests must reach the one that has their session. This crate sees to that: each node sends a request that
//! is another's on to it, whatever door it came in at. Nodes know of each other through a small store, Redis or Valkey,
//! that has nothing of a session in it.
//!
//! # A first node
//!
//! The program of a single server, and what makes it a node:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use session_axum::{Session, SessionLayer, serve, shutdown_signal};
//! use session_cluster::{Cluster, ClusterLayer, RedisDirectory};
//! use session_core::SessionManager;
//! use std::time::Duration;
//!
//! async fn greet(session: Session) -> &'static str {
//!     if session.is_new() { "welcome" } else { "welcome back" }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = SessionManager::builder().build()?;
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
//!
//!     let cluster = Cluster::builder(sessions.clone(), RedisDirectory::open("redis://10.0.0.100:6379")?)
//!         .address("10.0.0.1:3000".parse()?) // where the other nodes reach this one
//!         .secret(std::env::var("CLUSTER_SECRET")?) // the same one for all nodes
//!         .join()
//!         .await?;
//!
//!     let layer = SessionLayer::new(sessions.clone());
//!     let app = Router::new()
//!         .route("/", get(greet))
//!         .layer(layer.clone())
//!         .layer(ClusterLayer::new(&cluster, &layer)); // outside the sessions
//!
//!     let leave = async move {
//!         shutdown_signal().await;
//!         cluster.leave(Duration::from_secs(600), Duration::from_secs(10)).await; // visitors have ten minutes to finish
//!     };
//!     serve(listener, app, sessions).with_graceful_shutdown(leave).await;
//!     Ok(())
//! }
//! ```
//!
//! Handlers stay as they are, and so do load balancers: any will do. The page [`more_than_one_machine`] says which one to
//! choose when, how to deploy, what fails how, and what to watch.
//!
//! # What holds, whatever happens
//!
//! - **A session lives on one node**, from its first moment to its last. The first four characters of its id are the
//!   [tag](session_core::NodeTag) of that node, the rest is random: no other node can ever have that id. So no session
//!   lives twice and no request meets a wrong one, whatever clocks, networks and the store do.
//! - **An outage of the store destroys nothing.** A node that has no answer for a lease (30 seconds) answers with 503, and
//!   goes on with the same sessions when the store is back, even if that has lost all its data. If the store has restarted,
//!   that is a lease later.
//!   [`WhenCutOff`] has the alternatives.
//! - **A node is dead by a verdict**: another one has written into the store that it was silent for a lease and a tenth. From
//!   then on its visitors are strangers, as after the restart of a single server. Before, they get 503.
//! - **Requests cost the store nothing.** Each node asks it once in a period (5 seconds), and it keeps some 200 bytes for
//!   each node. Only an id with a tag that the node does not know makes a question, and all of these at most ten a second.
//! - **Nothing is buffered.** Uploads, event streams, trailers and upgraded connections pass from node to node as they come.
//!
//! # Operations on all nodes
//!
//! | to | call |
//! |---|---|
//! | sign a user out everywhere | [`Cluster::end_group`] |
//! | list a user's sessions | [`Cluster::sessions_of`] |
//! | count nodes and sessions | [`Cluster::nodes`], [`Cluster::counts`] |
//! | ask before an effect outside | [`Cluster::confirm`] |
//! | tell a load balancer | [`Cluster::is_ready`] |
//! | monitor | [`Cluster::metrics`] |
//! | stop | [`Cluster::drain`], [`Cluster::leave`] |
//!
//! A [group](session_core::SessionGroup) is one per node, and so are its properties.
//!
//! # Tests
//!
//! [`InProcessDirectory`] is a store in memory, with failures that a test can cause, and in tokio's time, which a test can
//! pause. [`Directory`] is the trait behind both, for stores other than Redis.

#![deny(missing_docs)]

mod cluster;
mod directory;
mod forward;
mod hop;
mod layer;
mod listing;
mod metrics;
#[doc = include_str!("../more_than_one_machine.md")]
pub mod more_than_one_machine {}
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
pub use cluster::leave::LeaveReport;
pub use cluster::listing::{ClusterCounts, ClusterNode};
pub use directory::in_process::InProcessDirectory;
pub use directory::in_process::link::InProcessLink;
pub use directory::redis::{RedisDirectory, RedisUrlError};
pub use directory::{
    Answer, Beat, CaughtUp, Directory, DirectoryError, Entry, Position, Pulse, Report, Run, Seen,
    Standing, VERDICTS_KEPT,
};
pub use layer::{ClusterBody, ClusterFuture, ClusterLayer, ClusterService, Owner, Replay, Routing};
pub use listing::{ListedSession, Listing};
pub use metrics::{ClusterMetrics, Lease};
pub use times::WhenCutOff;
