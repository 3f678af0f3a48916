//! Rule 8: verdicts.

use std::sync::Arc;

use futures_util::future::join;
use session_cluster::{Beat, Directory as _, Standing};
use session_core::NodeTag;

use super::{Store, on_both};
use crate::node::Node;

on_both! {
    c08_a_verdict_needs_the_beat_that_its_observer_has_seen
    c08_a_tag_that_is_not_there_can_be_given_up
    c08_a_node_can_give_itself_up_whatever_its_beat
    c08_a_verdict_is_final_and_can_be_repeated
    c08_of_a_verdict_and_a_renewal_at_once_one_wins
    c08_the_dead_are_gone_from_all_lists
}

async fn c08_a_verdict_needs_the_beat_that_its_observer_has_seen(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let seen = Beat(node.beat);
    node.renew(&directory).await;
    assert!(!directory.bury(node.tag, Some(seen)).await.unwrap());
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
    let seen = Beat(node.beat);
    assert!(directory.bury(node.tag, Some(seen)).await.unwrap());
    assert_eq!(node.renew(&directory).await.standing, Standing::Dead);
}

async fn c08_a_tag_that_is_not_there_can_be_given_up(store: impl Store) {
    let directory = store.directory();
    let mut observer = Node::joined(&directory, 1).await;
    let tag = NodeTag::random();
    assert!(directory.bury(tag, Some(Beat(3))).await.unwrap());
    assert_eq!(observer.renew(&directory).await.verdicts, [tag]);
}

async fn c08_a_node_can_give_itself_up_whatever_its_beat(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    assert!(directory.bury(node.tag, None).await.unwrap());
    assert_eq!(node.renew(&directory).await.standing, Standing::Dead);
}

async fn c08_a_verdict_is_final_and_can_be_repeated(store: impl Store) {
    let directory = store.directory();
    let mut observer = Node::joined(&directory, 1).await;
    let node = Node::joined(&directory, 2).await;
    for beat in [None, Some(Beat(77)), Some(Beat(node.beat))] {
        assert!(directory.bury(node.tag, beat).await.unwrap());
    }
    assert_eq!(observer.renew(&directory).await.verdicts, [node.tag]);
    directory.bury(node.tag, None).await.unwrap();
    // The second is no change.
    assert_eq!(observer.renew(&directory).await.verdicts, []);
}

async fn c08_of_a_verdict_and_a_renewal_at_once_one_wins(store: impl Store) {
    let directory = Arc::new(store.directory());
    for port in 1..50 {
        let mut node = Node::joined(&*directory, port).await;
        let seen = Beat(node.beat);
        let (tag, observer) = (node.tag, Arc::clone(&directory));
        let verdict = tokio::spawn(async move { observer.bury(tag, Some(seen)).await.unwrap() });
        let (answer, verdict) = join(node.renew(&*directory), verdict).await;
        let expected = if verdict.unwrap() {
            Standing::Dead
        } else {
            Standing::Held
        };
        assert_eq!(answer.standing, expected);
        assert_eq!(node.renew(&*directory).await.standing, expected);
    }
}

async fn c08_the_dead_are_gone_from_all_lists(store: impl Store) {
    let directory = store.directory();
    let mut observer = Node::joined(&directory, 1).await;
    let node = Node::joined(&directory, 2).await;
    directory.bury(node.tag, None).await.unwrap();
    let answer = observer.renew(&directory).await;
    assert_eq!(answer.beats, [(observer.tag, observer.pulse())]);
    let readers = observer.catch_up(&directory, true).await.readers;
    assert_eq!(readers, [(observer.tag, answer.read)]);
    let answer = Node::at(3).claim(&directory).await;
    assert_eq!((answer.cards.len(), answer.verdicts), (2, vec![node.tag]));
}
