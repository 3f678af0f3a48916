//! Rule 22: a session that joins the group after its node has read the entry is not ended.

use std::time::Duration;

use session_cluster::InProcessDirectory;
use session_core::{GroupId, LocalSession as _};

use crate::kit::{LEASE, TURN, join, join_all, pass};

const WITHIN: Duration = Duration::from_secs(2);

fn user() -> GroupId {
    GroupId::from("user:42")
}

#[tokio::test(start_paused = true)]
async fn c22_a_session_that_joins_after_the_end_goes_on() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<2>(&directory).await;
    let ended = nodes[0].cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed());
    let sessions: Vec<_> = nodes.iter().map(|node| node.create_in(&user())).collect();
    pass(LEASE).await;
    assert!(sessions.iter().all(|session| !session.is_completed()));
    // Nor does a store that has lost the log end them, in which it is read and written anew.
    directory.empty();
    pass(LEASE).await;
    assert!(sessions.iter().all(|session| !session.is_completed()));
    // Nor one that goes back a little.
    directory.fail_over(Duration::from_secs(1));
    pass(LEASE).await;
    assert!(sessions.iter().all(|session| !session.is_completed()));
}

#[tokio::test(start_paused = true)]
async fn c22_an_entry_that_is_read_again_in_another_run_ends_nothing() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<2>(&directory).await;
    let ended = nodes[0].cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed());
    let sessions: Vec<_> = nodes.iter().map(|node| node.create_in(&user())).collect();
    // The replica has the entry, and its own places.
    directory.fail_over(Duration::ZERO);
    pass(LEASE).await;
    assert!(sessions.iter().all(|session| !session.is_completed()));
}

#[tokio::test(start_paused = true)]
async fn c22_the_entries_before_a_node_joined_are_not_for_it() {
    let directory = InProcessDirectory::new();
    let old = join(&directory, 1).await;
    let ended = old.cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed());
    let new = join(&directory, 2).await;
    let session = new.create_in(&user());
    pass(TURN).await;
    directory.fail_over(Duration::ZERO);
    pass(LEASE).await;
    assert!(!session.is_completed());
    // Later ones are.
    let ended = old.cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed() && session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c22_a_session_that_joined_while_its_node_was_away_is_ended() {
    let directory = InProcessDirectory::new();
    let [here, away] = join_all::<2>(&directory).await;
    away.link.cut();
    let ended = here
        .cluster
        .end_group(&user(), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(ended.unconfirmed(), [away.tag()]);
    let session = away.create_in(&user());
    away.link.heal();
    pass(TURN).await;
    assert!(session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c22_an_entry_that_all_have_read_is_not_told_again_to_a_later_node() {
    let directory = InProcessDirectory::new();
    let [here, away] = join_all::<2>(&directory).await;
    away.link.cut();
    let ended = here
        .cluster
        .end_group(&user(), Duration::ZERO)
        .await
        .unwrap();
    assert!(!ended.is_confirmed());
    // Nobody waits for it any more.
    away.link.heal();
    pass(2 * LEASE).await;
    // A node that joins a store without the log can't know what is old.
    directory.empty();
    let later = join(&directory, 3).await;
    let session = later.create_in(&user());
    pass(2 * LEASE).await;
    assert!(!session.is_completed());
}
