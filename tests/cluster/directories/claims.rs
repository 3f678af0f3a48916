//! Rules 2, 4, 10 and 13: claims and renewals.

use crate::node::AppendNow as _;
use session_cluster::{Beat, Directory as _, Standing};

use super::{Store, on_both};
use crate::node::{Node, by_tag};

on_both! {
    c02_a_claimed_tag_is_there_with_all_that_was_reported
    c02_a_tag_that_was_given_up_is_dead_for_good
    c02_a_tag_of_another_address_can_not_be_claimed
    c04_a_renewal_replaces_what_the_node_has_reported
    c04_a_late_report_replaces_nothing
    c04_the_largest_numbers_are_kept
    c10_a_node_that_is_not_there_is_told_so_and_can_claim_its_tag_again
    c13_who_claims_an_address_gives_up_the_one_that_had_it
    c13_a_node_can_claim_its_own_tag_and_address_again
    c13_a_renewal_gives_nobody_up
}

async fn c02_a_claimed_tag_is_there_with_all_that_was_reported(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::at(1);
    (node.load, node.card) = (7, b"\x00\xff\r\n");
    let answer = node.claim(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    assert_eq!(answer.beats, [(node.tag, node.pulse())]);
    assert_eq!(answer.cards, [(node.tag, node.card.to_vec())]);
    assert!(answer.complete && answer.verdicts.is_empty() && answer.numbers.is_empty());
}

async fn c02_a_tag_that_was_given_up_is_dead_for_good(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    assert!(directory.bury(node.tag, None).await.unwrap());
    for claims in [false, true] {
        let answer = node.sync(&directory, claims).await.unwrap();
        assert_eq!(answer.standing, Standing::Dead);
        assert!(answer.beats.is_empty());
    }
    node.address.set_port(2);
    assert_eq!(node.claim(&directory).await.standing, Standing::Dead);
}

async fn c02_a_tag_of_another_address_can_not_be_claimed(store: impl Store) {
    let directory = store.directory();
    let mut first = Node::joined(&directory, 1).await;
    let mut second = Node::at(2);
    second.tag = first.tag;
    second.load = 5;
    assert_eq!(second.claim(&directory).await.standing, Standing::Dead);
    let answer = first.renew(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    assert!(answer.verdicts.is_empty());
    assert_eq!(answer.beats, [(first.tag, first.pulse())]);
}

async fn c04_a_renewal_replaces_what_the_node_has_reported(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let mut other = Node::joined(&directory, 2).await;
    (node.load, node.card) = (9, b"another");
    let answer = node.renew(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    let answer = other.renew(&directory).await;
    assert_eq!(by_tag(&answer.beats)[&node.tag], node.pulse());
    assert_eq!(answer.cards, [(node.tag, b"another".to_vec())]);
}

async fn c04_a_late_report_replaces_nothing(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    (node.load, node.card) = (1, b"late");
    node.beat = 9;
    let late = node.report(false);
    let mut now = Node { ..Node::at(1) };
    (now.tag, now.load, now.card, now.beat) = (node.tag, 2, b"now", 9);
    now.renew(&directory).await;
    assert_eq!(now.beat, 10);
    let answer = directory.sync(late).await.unwrap();
    assert_eq!(answer.standing, Standing::Held);
    assert_eq!(answer.beats, [(now.tag, now.pulse())]);
    let card = now.card.to_vec();
    assert_eq!(answer.cards, [(now.tag, card)]);
}

async fn c04_the_largest_numbers_are_kept(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::at(1);
    (node.beat, node.load) = (u64::MAX - 2, u64::MAX);
    node.claim(&directory).await;
    let answer = node.renew(&directory).await;
    assert_eq!(answer.beats, [(node.tag, node.pulse())]);
    let tag = node.tag;
    assert!(!directory.bury(tag, Some(Beat(u64::MAX - 1))).await.unwrap());
    directory.append_now(tag, u64::MAX, b"last").await.unwrap();
    directory
        .append_now(tag, u64::MAX - 1, b"before")
        .await
        .unwrap();
    let log = node.catch_up(&directory, false).await.log;
    assert_eq!((log.len(), log[0].number), (1, u64::MAX));
}

async fn c10_a_node_that_is_not_there_is_told_so_and_can_claim_its_tag_again(
    mut store: impl Store,
) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let mut other = Node::joined(&directory, 2).await;
    store.empty();
    let answer = node.renew(&directory).await;
    assert_eq!(answer.standing, Standing::Unknown);
    assert!(answer.beats.is_empty() && answer.cards.is_empty());
    assert_eq!(node.claim(&directory).await.standing, Standing::Held);
    let answer = other.claim(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    assert_eq!(answer.beats.len(), 2);
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
}

async fn c13_who_claims_an_address_gives_up_the_one_that_had_it(store: impl Store) {
    let directory = store.directory();
    let mut before = Node::joined(&directory, 1).await;
    let mut bystander = Node::joined(&directory, 2).await;
    let mut after = Node::at(1);
    let answer = after.claim(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    assert_eq!(answer.verdicts, [before.tag]);
    assert_eq!(answer.beats.len(), 2);
    assert!(!by_tag(&answer.beats).contains_key(&before.tag));
    let answer = bystander.renew(&directory).await;
    assert_eq!(answer.verdicts, [before.tag]);
    assert_eq!(answer.standing, Standing::Held);
    assert_eq!(before.renew(&directory).await.standing, Standing::Dead);
    assert_eq!(after.renew(&directory).await.standing, Standing::Held);
    // And the next one at this address displaces this one.
    let mut last = Node::at(1);
    last.claim(&directory).await;
    assert_eq!(after.renew(&directory).await.standing, Standing::Dead);
    assert_eq!(last.renew(&directory).await.standing, Standing::Held);
}

async fn c13_a_node_can_claim_its_own_tag_and_address_again(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let answer = node.claim(&directory).await;
    assert_eq!(answer.standing, Standing::Held);
    assert!(answer.verdicts.is_empty());
    assert_eq!(answer.beats, [(node.tag, node.pulse())]);
}

async fn c13_a_renewal_gives_nobody_up(store: impl Store) {
    let directory = store.directory();
    let mut one = Node::joined(&directory, 1).await;
    let mut two = Node::joined(&directory, 2).await;
    // The address counts where it is claimed.
    two.address = one.address;
    assert_eq!(two.renew(&directory).await.standing, Standing::Held);
    assert_eq!(one.renew(&directory).await.standing, Standing::Held);
    let mut three = Node::at(2);
    three.claim(&directory).await;
    assert_eq!(two.renew(&directory).await.standing, Standing::Dead);
    assert_eq!(one.renew(&directory).await.standing, Standing::Held);
}
