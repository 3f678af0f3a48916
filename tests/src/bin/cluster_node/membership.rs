//! The node's membership, as its arguments ask for it.

use std::time::Duration;

use serde_json::{Value, json};
use session_axum::SessionLayer;
use session_cluster::{Cluster, ClusterLayer, RedisDirectory, Replay, Routing, WhenCutOff};
use session_core::{GroupId, SessionManager};
use tokio::time::Instant;

use crate::options::Options;

const SECRET: &[u8] = b"of these tests alone: 0123456789";

/// Joins the cluster, however long the store takes.
pub(crate) async fn join(options: &Options, sessions: SessionManager) -> Cluster {
    loop {
        let directory = RedisDirectory::open(&options.redis).expect("it is an address");
        let mut builder = Cluster::builder(sessions.clone(), directory)
            .address(options.advertise)
            .secret(SECRET)
            .lease(options.lease)
            .period(options.period)
            .store_timeout(options.store_timeout)
            .patience(options.patience)
            .when_cut_off(match options.cut_off.as_str() {
                "serve" => WhenCutOff::Serve,
                "end" => WhenCutOff::End,
                _ => WhenCutOff::Suspend,
            });
        if let Some(slot) = options.slot {
            builder = builder.slot(slot);
        }
        match builder.join().await {
            Ok(cluster) => return cluster,
            Err(error) => tracing::warn!(%error, "could not join"),
        }
    }
}

pub(crate) fn layer(options: &Options, cluster: &Cluster, layer: &SessionLayer) -> ClusterLayer {
    let routing = match options.routing.as_str() {
        "replay" => Replay::header("x-accel-redirect", |_| "@owner".into())
            .and_header("x-owner", |owner| owner.address().to_string())
            .into(),
        "reject" => Routing::Reject,
        _ => Routing::Forward,
    };
    ClusterLayer::new(cluster, layer).routing(routing)
}

/// Ends the group on all nodes, and names those that have not confirmed it.
pub(crate) async fn end_group(cluster: &Cluster, group: GroupId, within: Duration) -> Value {
    let start = Instant::now();
    let ended = cluster.end_group(&group, within).await;
    let took = start.elapsed().as_millis();
    match ended {
        Ok(ended) => {
            let unconfirmed: Vec<_> = ended
                .unconfirmed()
                .iter()
                .map(ToString::to_string)
                .collect();
            json!({ "unconfirmed": unconfirmed, "took": took })
        }
        Err(error) => json!({ "error": error.to_string(), "took": took }),
    }
}
