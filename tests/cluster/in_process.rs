//! The directory in memory: the failures that a test can cause.

use crate::node::AppendNow as _;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use session_cluster::{Directory as _, InProcessDirectory, Standing, VERDICTS_KEPT};
use session_core::NodeTag;
use tokio::time::{Instant, advance, timeout};

use crate::node::Node;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn c11_a_failover_lacks_the_last_writes_and_no_others() {
    let directory = InProcessDirectory::new();
    let mut node = Node::joined(&directory, 1).await;
    advance(SECOND * 3).await;
    let beat = node.beat;
    node.renew(&directory).await;
    let newest = Node::joined(&directory, 2).await;
    directory.age(SECOND * 60);
    assert_eq!(node.renew(&directory).await.age, SECOND * 63);
    advance(SECOND).await;
    directory.fail_over(SECOND * 2);
    node.beat = beat;
    let answer = node.renew(&directory).await;
    assert_eq!(
        (answer.standing, answer.age),
        (Standing::Held, Duration::ZERO)
    );
    assert_eq!(answer.beats, [(node.tag, node.pulse())]);
    assert_ne!(
        Some(&answer.run),
        newest.seen.as_ref().map(|seen| &seen.run)
    );
    // A failover to a replica in step lacks nothing.
    directory.fail_over(Duration::ZERO);
    assert_eq!(node.renew(&directory).await.beats.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn c05_one_node_can_be_cut_off_alone() {
    let directory = InProcessDirectory::new();
    let (mine, other) = (directory.link(), directory.link());
    let mut node = Node::joined(&mine, 1).await;
    mine.cut();
    assert!(timeout(SECOND, node.sync(&mine, false)).await.is_err());
    let answer = Node::joined(&other, 2).await;
    assert_eq!(answer.read, node.read);
    // No call of the one that was cut has arrived.
    assert_eq!(directory.calls(), 2);
    mine.heal();
    assert_eq!(node.renew(&mine).await.standing, Standing::Held);
}

#[tokio::test(start_paused = true)]
async fn c05_a_call_can_have_its_effect_though_its_answer_is_lost_or_late() {
    let directory = InProcessDirectory::new();
    let link = directory.link();
    let tag = NodeTag::random();
    link.lose_answers();
    assert!(timeout(SECOND, link.bury(tag, None)).await.is_err());
    let verdicts = Node::at(1).claim(&directory).await.verdicts;
    assert_eq!(verdicts, [tag]);
    link.delay(SECOND * 3);
    let began = Instant::now();
    assert!(link.bury(tag, None).await.unwrap());
    assert_eq!(began.elapsed(), SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn c05_a_paused_directory_answers_once_it_goes_on() {
    let directory = InProcessDirectory::new();
    directory.pause();
    let mut call = pin!(directory.bury(NodeTag::random(), None));
    assert!(timeout(SECOND, &mut call).await.is_err());
    directory.start();
    assert!(call.await.unwrap());
    directory.stop();
    assert!(directory.bury(NodeTag::random(), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn c10_verdicts_and_the_log_are_kept_for_a_day() {
    let directory = InProcessDirectory::new();
    let mut node = Node::joined(&directory, 1).await;
    let dead = NodeTag::random();
    directory.bury(dead, None).await.unwrap();
    directory.append_now(dead, 1, b"entry").await.unwrap();
    advance(VERDICTS_KEPT.saturating_sub(SECOND)).await;
    let answer = Node::at(2).claim(&directory).await;
    assert_eq!(
        (answer.verdicts, answer.numbers),
        (vec![dead], vec![(dead, 1)])
    );
    advance(SECOND).await;
    let answer = Node::at(3).claim(&directory).await;
    assert!(answer.verdicts.is_empty() && answer.numbers.is_empty());
    assert!(node.renew(&directory).await.log.is_empty());
}

#[tokio::test(start_paused = true)]
async fn c21_no_nudge_passes_a_way_that_is_cut() {
    let directory = InProcessDirectory::new();
    let link = directory.link();
    let mut nudges = pin!(link.nudges());
    let tag = NodeTag::random();
    directory.append_now(tag, 1, b"entry").await.unwrap();
    assert_eq!(nudges.next().await, Some(()));
    link.cut();
    directory.append_now(tag, 2, b"entry").await.unwrap();
    assert_eq!(nudges.next().now_or_never(), None);
    link.heal();
    directory.append_now(tag, 3, b"entry").await.unwrap();
    assert_eq!(nudges.next().await, Some(()));
}
