//! Rule 21: what is told while the store is away, or lost with its data.

use std::error::Error as _;
use std::time::Duration;

use session_cluster::InProcessDirectory;
use session_core::{GroupId, LocalSession as _};
use tokio::time::Instant;

use crate::kit::{PERIOD, STORE_TIMEOUT, TURN, join_all, pass};

const WITHIN: Duration = Duration::from_secs(2);

fn user() -> GroupId {
    GroupId::from("user:42")
}

#[tokio::test(start_paused = true)]
async fn c21_without_a_store_the_group_ends_here_and_the_error_says_so() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let [near, far] = [&here, &there].map(|node| node.create_in(&user()));
    directory.stop();
    let begun = Instant::now();
    let error = here.cluster.end_group(&user(), WITHIN).await.unwrap_err();
    assert!(begun.elapsed() <= WITHIN + STORE_TIMEOUT);
    assert_eq!(error.to_string(), "the group was ended on this node only");
    assert!(error.source().is_some());
    assert!(near.is_completed() && !far.is_completed());

    // The others hear of it once the store is back.
    directory.start();
    pass(2 * TURN).await;
    assert!(far.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_an_outage_that_ends_in_time_is_waited_for() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let session = there.create_in(&user());
    directory.stop();
    let cluster = here.cluster.clone();
    let ending = tokio::spawn(async move { cluster.end_group(&user(), WITHIN).await });
    pass(PERIOD).await;
    assert!(!ending.is_finished());
    directory.start();
    assert!(ending.await.unwrap().unwrap().is_confirmed() && session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_an_entry_whose_acknowledgement_was_lost_is_appended_once() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let session = there.create_in(&user());
    here.link.lose_answers();
    let cluster = here.cluster.clone();
    let ending = tokio::spawn(async move { cluster.end_group(&user(), 2 * WITHIN).await });
    pass(STORE_TIMEOUT + PERIOD).await;
    assert!(session.is_completed());
    let next = there.create_in(&user());
    here.link.heal();
    assert!(ending.await.unwrap().unwrap().is_confirmed());
    pass(2 * TURN).await;
    assert!(!next.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_an_entry_that_the_store_lost_is_told_again() {
    let directory = InProcessDirectory::new();
    let [here, away, _there] = join_all::<3>(&directory).await;
    let session = away.create_in(&user());
    away.link.cut();
    let ended = here.cluster.end_group(&user(), PERIOD).await.unwrap();
    assert_eq!(ended.unconfirmed(), [away.tag()]);
    directory.empty();
    pass(2 * PERIOD).await;
    away.link.heal();
    pass(2 * TURN).await;
    assert!(session.is_completed());
}
