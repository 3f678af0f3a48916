//! Rule 21: the end of a group is told to all nodes.

use std::time::Duration;

use futures_util::future::join_all as all;
use session_cluster::{ClusterBuilder, InProcessDirectory, InProcessLink};
use session_core::{CompletionCause, GroupId, LocalSession as _};
use tokio::time::Instant;

use crate::kit::{LEASE, PERIOD, TICK, TURN, join, join_all, join_with, pass};

const WITHIN: Duration = Duration::from_secs(2);

fn user() -> GroupId {
    GroupId::from("user:42")
}

#[tokio::test(start_paused = true)]
async fn c21_a_group_ends_on_all_nodes_long_before_their_next_renewal() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<3>(&directory).await;
    let sessions: Vec<_> = nodes.iter().map(|node| node.create_in(&user())).collect();
    let other = nodes[1].create_in(&"user:43".into());
    let begun = Instant::now();
    let ended = nodes[0].cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed());
    assert!(begun.elapsed() <= PERIOD / 10, "{:?}", begun.elapsed());
    for session in &sessions {
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::Terminated)
        );
    }
    assert!(!other.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_the_reason_is_told_too() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<2>(&directory).await;
    let sessions: Vec<_> = nodes.iter().map(|node| node.create_in(&user())).collect();
    let reason = "the password was changed";
    let user = user();
    let ended = nodes[0].cluster.end_group_because(&user, reason, WITHIN);
    assert!(ended.await.unwrap().is_confirmed());
    for session in &sessions {
        assert_eq!(session.completion_reason().as_deref(), Some(reason));
    }
}

#[tokio::test(start_paused = true)]
async fn c21_the_group_here_ends_before_the_first_wait_and_the_others_hear_of_it_in_any_case() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let [near, far] = [&here, &there].map(|node| node.create_in(&user()));
    {
        let user = user();
        let mut ending = Box::pin(here.cluster.end_group(&user, WITHIN));
        assert!(crate::kit::poll_once(&mut ending).await.is_none());
        assert!(near.is_completed());
    }
    pass(TURN).await;
    assert!(far.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_a_node_that_has_not_confirmed_is_named_and_ends_the_group_when_it_is_back() {
    let directory = InProcessDirectory::new();
    let [here, away, there] = join_all::<3>(&directory).await;
    let [late, soon] = [&away, &there].map(|node| node.create_in(&user()));
    away.link.cut();
    let begun = Instant::now();
    let ended = here.cluster.end_group(&user(), WITHIN).await.unwrap();
    assert_eq!(ended.unconfirmed(), [away.tag()]);
    assert!((WITHIN..=WITHIN + 2 * TICK).contains(&begun.elapsed()));
    assert!(soon.is_completed() && !late.is_completed());
    away.link.heal();
    pass(TURN).await;
    assert!(late.is_completed());
    assert_eq!(late.completion_cause(), Some(CompletionCause::Terminated));
}

#[tokio::test(start_paused = true)]
async fn c21_a_node_without_nudges_confirms_within_a_period() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let session = there.create_in(&user());
    there.link.cut();
    let cluster = here.cluster.clone();
    let ending = tokio::spawn(async move { cluster.end_group(&user(), WITHIN).await });
    pass(10 * TICK).await;
    // The nudge is lost by now.
    there.link.heal();
    let begun = Instant::now();
    assert!(ending.await.unwrap().unwrap().is_confirmed() && session.is_completed());
    assert!(begun.elapsed() <= PERIOD + TURN);
}

#[tokio::test(start_paused = true)]
async fn c21_a_dead_node_need_not_confirm() {
    let directory = InProcessDirectory::new();
    let [here, dead, _there] = join_all::<3>(&directory).await;
    dead.link.cut();
    let begun = Instant::now();
    let ended = here.cluster.end_group(&user(), 3 * LEASE).await.unwrap();
    assert!(ended.is_confirmed());
    let took = begun.elapsed();
    assert!(
        took > LEASE && took < LEASE + LEASE / 10 + 3 * PERIOD,
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn c21_a_node_that_the_caller_does_not_know_yet_is_waited_for() {
    let directory = InProcessDirectory::new();
    let here = join(&directory, 1).await;
    let new = join(&directory, 2).await;
    assert!(here.others().is_empty());
    let session = new.create_in(&user());
    new.link.cut();
    let ended = here.cluster.end_group(&user(), PERIOD / 4).await.unwrap();
    assert_eq!(ended.unconfirmed(), [new.tag()]);
    assert!(!session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_calls_at_the_same_time_don_t_disturb_each_other() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<3>(&directory).await;
    let groups: Vec<GroupId> = (0..30).map(|user| format!("user:{user}").into()).collect();
    let sessions: Vec<_> = groups
        .iter()
        .flat_map(|group| nodes.iter().map(|node| node.create_in(group)))
        .collect();
    let calls = groups.iter().zip(nodes.iter().cycle());
    let calls = calls.map(|(group, node)| node.cluster.end_group(group, WITHIN));
    let ended = all(calls).await;
    assert!(ended.into_iter().all(|ended| ended.unwrap().is_confirmed()));
    assert!(
        sessions
            .iter()
            .all(session_core::LocalSession::is_completed)
    );
    assert!(nodes.iter().all(|node| node.cluster.is_ready()));
}

#[tokio::test(start_paused = true)]
async fn c21_a_node_alone_confirms_by_the_store() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.create_in(&user());
    let ended = node.cluster.end_group(&user(), WITHIN).await.unwrap();
    assert!(ended.is_confirmed() && session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c21_the_wait_may_be_as_long_as_can_be() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let session = there.create_in(&user());
    let ended = here.cluster.end_group(&user(), Duration::MAX).await;
    assert!(ended.unwrap().is_confirmed() && session.is_completed());
    pass(TURN).await;
    assert!(here.cluster.is_ready());
    let left = here.cluster.leave(Duration::MAX, Duration::MAX).await;
    assert!(left.is_drained && left.farewell.is_ok());
}

#[tokio::test(start_paused = true)]
async fn c21_the_last_of_many_ends_does_not_wait_for_a_renewal() {
    let directory = InProcessDirectory::new();
    let slow =
        |builder: ClusterBuilder<InProcessLink>| builder.lease(20 * LEASE).period(10 * PERIOD);
    let here = join_with(&directory, 1, slow).await;
    let there = join_with(&directory, 2, slow).await;
    pass(10 * PERIOD).await;
    let groups: Vec<_> = (0..20)
        .map(|user| GroupId::from(format!("user:{user}")))
        .collect();
    let sessions: Vec<_> = groups.iter().map(|group| there.create_in(group)).collect();
    for group in &groups {
        let mut ending = Box::pin(here.cluster.end_group(group, WITHIN));
        assert!(crate::kit::poll_once(&mut ending).await.is_none());
        pass(TICK).await;
    }
    pass(PERIOD).await;
    assert!(
        sessions
            .iter()
            .all(session_core::LocalSession::is_completed)
    );
}

#[tokio::test(start_paused = true)]
async fn c21_a_long_reason_is_told_in_part_and_a_name_that_is_too_long_is_refused() {
    let directory = InProcessDirectory::new();
    let [here, there] = join_all::<2>(&directory).await;
    let [near, far] = [&here, &there].map(|node| node.create_in(&user()));
    // Its 1,024th byte is within a character.
    let reason = format!("{}{}", "x".repeat(1023), "ä".repeat(9));
    let user = user();
    let ended = here
        .cluster
        .end_group_because(&user, reason.clone(), WITHIN);
    assert!(ended.await.unwrap().is_confirmed());
    assert_eq!(near.completion_reason().as_deref(), Some(&*reason));
    assert_eq!(far.completion_reason().as_deref(), Some(&reason[..1023]));

    let name = GroupId::from("n".repeat(64 * 1024 + 1));
    let [near, far] = [&here, &there].map(|node| node.create_in(&name));
    let calls = directory.calls();
    assert!(here.cluster.end_group(&name, WITHIN).await.is_err());
    assert_eq!(directory.calls(), calls);
    assert!(near.is_completed() && !far.is_completed());
}
