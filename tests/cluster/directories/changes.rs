//! Rule 4: a renewal reads what has changed.

use crate::node::AppendNow as _;
use session_cluster::Directory as _;
use session_core::NodeTag;

use super::{Store, on_both};
use crate::node::{Node, by_tag};

on_both! {
    c04_the_first_answer_is_complete_and_the_next_have_what_has_changed
    c04_an_answer_that_was_lost_is_made_up_for
    c04_an_answer_of_another_run_is_complete
    c04_who_has_no_tag_is_answered_as_well
}

async fn c04_the_first_answer_is_complete_and_the_next_have_what_has_changed(store: impl Store) {
    let directory = store.directory();
    let mut one = Node::joined(&directory, 1).await;
    let mut two = Node::joined(&directory, 2).await;
    let dead = NodeTag::random();
    directory.bury(dead, None).await.unwrap();
    let answer = one.renew(&directory).await;
    assert!(!answer.complete);
    assert_eq!(answer.cards, [(two.tag, two.card.to_vec())]);
    assert_eq!(answer.verdicts, [dead]);
    let answer = one.renew(&directory).await;
    assert!(answer.cards.is_empty() && answer.verdicts.is_empty());
    assert_eq!(answer.beats.len(), 2);
    two.card = b"drains";
    two.renew(&directory).await;
    let answer = one.renew(&directory).await;
    assert_eq!(answer.cards, [(two.tag, b"drains".to_vec())]);
    let answer = Node::at(3).claim(&directory).await;
    assert!(answer.complete);
    assert_eq!(by_tag(&answer.cards)[&two.tag], b"drains");
    assert_eq!((answer.cards.len(), answer.verdicts), (3, vec![dead]));
}

async fn c04_an_answer_that_was_lost_is_made_up_for(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let dead = NodeTag::random();
    directory.bury(dead, None).await.unwrap();
    for _ in 0..2 {
        node.beat += 1;
        let lost = directory.sync(node.report(false)).await.unwrap();
        assert_eq!(lost.verdicts, [dead]);
    }
    assert_eq!(node.renew(&directory).await.verdicts, [dead]);
    assert_eq!(node.renew(&directory).await.verdicts, []);
}

async fn c04_an_answer_of_another_run_is_complete(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let other = Node::joined(&directory, 2).await;
    let dead = NodeTag::random();
    directory.bury(dead, None).await.unwrap();
    directory.append_now(other.tag, 4, b"entry").await.unwrap();
    node.renew(&directory).await;
    store.restart();
    let answer = node.renew(&directory).await;
    assert!(answer.complete);
    assert_eq!((answer.cards.len(), answer.verdicts), (2, vec![dead]));
    assert_eq!(answer.numbers, [(other.tag, 4)]);
    assert!(!node.renew(&directory).await.complete);
}

async fn c04_who_has_no_tag_is_answered_as_well(store: impl Store) {
    let directory = store.directory();
    let node = Node::joined(&directory, 1).await;
    let mut unknown = Node::at(2);
    let answer = unknown.renew(&directory).await;
    assert_eq!(answer.beats, [(node.tag, node.pulse())]);
    directory.append_now(node.tag, 1, b"entry").await.unwrap();
    directory.bury(unknown.tag, None).await.unwrap();
    let answer = unknown.renew(&directory).await;
    assert_eq!(answer.log.len(), 1);
    assert_eq!(answer.verdicts, [unknown.tag]);
    let readers = node.catch_up(&directory, true).await.readers;
    assert!(!by_tag(&readers).contains_key(&unknown.tag));
}
