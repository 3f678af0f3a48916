//! Joining: settings that are wrong, and a store that is away.

use std::time::Duration;

use session_cluster::{Cluster, InProcessDirectory, JoinClusterError};
use tokio::time::{Instant, timeout};

use crate::kit::{LEASE, PERIOD, SECRET, STORE_TIMEOUT, address, builder, join, manager, pass};

#[tokio::test]
async fn settings_that_are_wrong_are_named() {
    let base = || builder(&manager(), InProcessDirectory::new(), 1);
    let none = Cluster::builder(manager(), InProcessDirectory::new());
    let error = none.secret(SECRET).join().await.unwrap_err();
    assert!(matches!(error, JoinClusterError::NoAddress));

    for unreachable in ["0.0.0.0:80", "[::]:80", "10.0.0.1:0", "[fe80::1%2]:80"] {
        let unreachable = unreachable.parse().unwrap();
        let error = base().address(unreachable).join().await.unwrap_err();
        assert!(matches!(error, JoinClusterError::Unreachable(of) if of == unreachable));
    }

    let none = Cluster::builder(manager(), InProcessDirectory::new());
    let error = none.address(address(1)).join().await.unwrap_err();
    assert!(matches!(error, JoinClusterError::ShortSecret));
    let error = base().secret("short").join().await.unwrap_err();
    assert!(matches!(error, JoinClusterError::ShortSecret));

    let error = base().slot(4096).join().await.unwrap_err();
    assert!(matches!(error, JoinClusterError::Slot(4096)));

    let error = base().period(2 * STORE_TIMEOUT).join().await.unwrap_err();
    assert!(matches!(error, JoinClusterError::Times(_)));
    assert_eq!(
        error.to_string(),
        "the period must be longer than two timeouts of the store"
    );
    let error = base().lease(3 * PERIOD).join().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the lease must be at least four periods long"
    );
    for long in [Duration::MAX, Duration::from_secs(3601)] {
        let error = base().lease(long).join().await.unwrap_err();
        assert_eq!(error.to_string(), "the lease must be at most an hour long");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_has_a_lease_to_come_back() {
    let directory = InProcessDirectory::new();
    directory.stop();
    let joining = tokio::spawn(builder(&manager(), directory.clone(), 1).join());
    pass(LEASE / 2).await;
    assert!(!joining.is_finished());
    directory.start();
    assert!(joining.await.unwrap().unwrap().is_ready());
}

#[tokio::test(start_paused = true)]
async fn without_a_store_joining_fails_after_a_lease() {
    let begun = Instant::now();
    let directory = InProcessDirectory::new();
    directory.pause();
    let joining = builder(&manager(), directory, 1).join();
    let error = joining.await.unwrap_err();
    assert!(matches!(error, JoinClusterError::Directory(_)));
    assert!((LEASE / 2..=LEASE + STORE_TIMEOUT).contains(&begun.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_joining_that_was_dropped_ends() {
    let directory = InProcessDirectory::new();
    let link = directory.link();
    link.lose_answers();
    let joining = builder(&manager(), link.clone(), 1).join();
    assert!(timeout(PERIOD, joining).await.is_err());
    let calls = directory.calls();
    pass(5 * LEASE).await;
    assert!(directory.calls() <= calls + 3, "its task has ended");
}

#[test]
fn the_membership_is_kept_on_the_runtime_of_the_sessions() {
    let [home, elsewhere] = [(); 2].map(|()| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    let sessions = session_core::SessionManager::builder();
    let sessions = sessions.runtime(home.handle().clone()).build().unwrap();
    let cluster = builder(&sessions, InProcessDirectory::new(), 1).join();
    let cluster = elsewhere.block_on(cluster).unwrap();
    assert!(cluster.is_ready());
    // A server that is gone serves no more.
    home.shutdown_timeout(Duration::from_secs(60));
    assert!(!cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn the_first_node_is_alone() {
    let node = join(&InProcessDirectory::new(), 1).await;
    let nodes = node.cluster.nodes();
    assert_eq!(nodes.len(), 1);
    assert!(nodes[0].is_self && nodes[0].address == address(1) && !nodes[0].is_draining);
    assert_eq!(Some(nodes[0].tag), node.cluster.tag());
}
