//! Rule 2: a tag is claimed before the first id has it, and one that was given up is dead for good.

use std::collections::HashSet;

use session_cluster::{Directory as _, InProcessDirectory, JoinClusterError};
use session_core::{CompletionCause, LocalSession as _, NodeTag};

use crate::kit::{AtTheEnd, PERIOD, TURN, builder, join, join_with, manager, pass};

#[tokio::test(start_paused = true)]
async fn c02_no_id_has_a_tag_whose_claim_is_not_acknowledged() {
    let directory = InProcessDirectory::new();
    let (sessions, link) = (manager(), directory.link());
    link.lose_answers();
    let joining = tokio::spawn(builder(&sessions, link.clone(), 1).join());
    pass(PERIOD).await;
    assert!(directory.calls() > 0, "it has been claimed");
    let early = sessions.create().unwrap();

    link.heal();
    let cluster = joining.await.unwrap().unwrap();
    assert_eq!(
        early.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
    let session = sessions.create().unwrap();
    assert_eq!(Some(session.id().tag()), cluster.tag());
}

#[tokio::test(start_paused = true)]
async fn c02_a_node_that_was_given_up_ends_its_sessions_and_goes_on_under_a_new_tag() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let (former, session) = (node.tag(), node.sessions.create().unwrap());
    let at_the_end = AtTheEnd::of(&session, &node);
    directory.bury(former, None).await.unwrap();
    pass(TURN).await;

    assert_eq!(at_the_end.was_ready(), Some(false));
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
    assert_ne!(node.tag(), former);
    assert!(node.cluster.is_ready());
    assert_eq!(node.cluster.metrics().given_up, 1);
    let next = node.sessions.create().unwrap();
    assert_eq!(next.id().tag(), node.tag());
    pass(10 * PERIOD).await;
    assert!(!next.is_completed());
}

#[tokio::test(start_paused = true)]
async fn c02_a_slot_stays_with_the_node() {
    let directory = InProcessDirectory::new();
    let node = join_with(&directory, 1, |builder| builder.slot(3)).await;
    let former = node.tag();
    assert_eq!(former.slot(), 3);
    directory.bury(former, None).await.unwrap();
    pass(TURN).await;
    assert_ne!(node.tag(), former);
    assert_eq!(node.tag().slot(), 3);
}

#[tokio::test(start_paused = true)]
async fn c02_a_slot_whose_tags_are_all_dead_is_refused() {
    let directory = InProcessDirectory::new();
    let mut dead = HashSet::new();
    while dead.len() < 4096 {
        let tag = NodeTag::random_in(7).unwrap();
        if dead.insert(tag) {
            directory.bury(tag, None).await.unwrap();
        }
    }
    let joining = builder(&manager(), directory.link(), 1).slot(7).join();
    assert!(matches!(joining.await, Err(JoinClusterError::NoTag)));
}
