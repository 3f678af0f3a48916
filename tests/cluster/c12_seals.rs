//! Rule 12: nodes believe only what is sealed with their secret.

use std::time::Duration;

use session_cluster::{Answer, Beat, Directory as _, Entry, InProcessDirectory, Report};
use session_core::{GroupId, LocalSession as _, NodeTag};

use crate::kit::{PERIOD, SECRET, TURN, address, join, join_all, join_with, pass};

/// The answer to somebody without the secret who claims a tag, with this card.
async fn intrude(directory: &InProcessDirectory, tag: NodeTag, card: &[u8]) -> Answer {
    let report = Report {
        tag,
        claims: true,
        address: address(66),
        beat: Beat(1),
        card,
        load: 0,
        read: None,
        seen: None,
    };
    directory.sync(report).await.unwrap()
}

/// The log's entries, as anybody can read them.
async fn entries(directory: &InProcessDirectory) -> (Answer, Vec<Entry>) {
    let answer = intrude(directory, NodeTag::random(), b"").await;
    let start = session_cluster::Position::default();
    let log = directory.catch_up(&answer.run, NodeTag::random(), start, false);
    let log = log.await.unwrap().log;
    (answer, log)
}

#[tokio::test(start_paused = true)]
async fn c12_a_node_with_another_secret_is_ignored_and_told_of_once() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let stranger = join_with(&directory, 2, |builder| builder.secret([8; 32])).await;
    pass(10 * PERIOD).await;
    assert!(node.others().is_empty() && stranger.others().is_empty());
    assert_eq!(node.cluster.metrics().forgeries, 1);
    // A new card of the same node is no news.
    stranger.cluster.drain();
    pass(2 * TURN).await;
    assert_eq!(node.cluster.metrics().forgeries, 1);
}

#[tokio::test(start_paused = true)]
async fn c12_a_card_without_the_secret_is_ignored() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let tag = NodeTag::random();
    // With 32 bytes where the seal would be.
    let card = b"s10.0.0.66:8080................................";
    intrude(&directory, tag, card).await;
    pass(TURN).await;
    assert!(node.others().is_empty());
    assert_eq!(node.cluster.metrics().forgeries, 1);
    // It is given up like any other that says nothing.
    assert!(node.cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn c12_an_entry_without_the_secret_ends_nothing() {
    let group = GroupId::from("user:42");
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.create_in(&group);
    let by = NodeTag::random();
    let run = intrude(&directory, by, b"").await.run;
    let forged = b"e\0\0\0\0\0\0\0\x07user:42................................";
    let appended = directory.append(&run, by, 1, forged).await.unwrap();
    assert!(appended.is_some());
    pass(TURN).await;
    assert!(!session.is_completed());
    assert_eq!(node.cluster.metrics().groups_ended, 0);
}

#[tokio::test(start_paused = true)]
async fn c12_a_genuine_entry_can_not_be_told_twice() {
    let group = GroupId::from("user:42");
    let directory = InProcessDirectory::new();
    let [node, origin] = join_all::<2>(&directory).await;
    let ended = origin
        .cluster
        .end_group(&group, Duration::from_secs(1))
        .await;
    assert!(ended.unwrap().is_confirmed());
    let session = node.create_in(&group);

    let (answer, log) = entries(&directory).await;
    let [entry] = &log[..] else { panic!("{log:?}") };
    for (by, number) in [(entry.by, entry.number + 1), (NodeTag::random(), 1)] {
        let copied = directory.append(&answer.run, by, number, &entry.bytes);
        assert!(copied.await.unwrap().is_some());
    }
    pass(TURN).await;
    assert!(!session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c12_the_secret_is_not_shown() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let shown = format!("{:?}", node.cluster);
    assert!(!shown.contains(&format!("{SECRET:?}")), "{shown}");
}
