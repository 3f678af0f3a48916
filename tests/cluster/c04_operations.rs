//! Rule 4: a node does one operation each period, and membership goes by it.

use session_cluster::InProcessDirectory;

use crate::kit::{PERIOD, TURN, join, join_all, pass, tags};

#[tokio::test(start_paused = true)]
async fn c04_sessions_cost_the_store_nothing_and_a_node_one_operation_each_period() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<2>(&directory).await;
    let before = directory.calls();
    for node in &nodes {
        for _ in 0..500 {
            let session = node.sessions.create().unwrap();
            assert!(node.sessions.enter(&session.id()).is_ok());
        }
    }
    pass(20 * PERIOD).await;
    let calls = directory.calls() - before;
    assert!((38..=46).contains(&calls), "{calls} calls in 20 periods");
}

#[tokio::test(start_paused = true)]
async fn c04_the_questions_are_spread() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let mut gaps = Vec::new();
    for _ in 0..20 {
        let renewals = node.cluster.metrics().renewals;
        let asked = || node.cluster.metrics().renewals > renewals;
        gaps.push(crate::kit::pass_until(TURN, asked).await);
    }
    assert!(gaps.iter().all(|gap| *gap <= PERIOD + 2 * crate::kit::TICK));
    gaps.sort();
    gaps.dedup();
    assert!(gaps.len() > 5, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn c04_nodes_know_each_other_within_a_period() {
    let directory = InProcessDirectory::new();
    let first = join(&directory, 1).await;
    let second = join(&directory, 2).await;
    assert_eq!(second.others(), [first.tag()]);
    pass(TURN).await;
    assert_eq!(first.others(), tags([&second]));
}
