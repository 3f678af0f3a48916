//! Rules 7, 10 and 11: the runs of a store.

use std::time::Duration;

use session_cluster::{Directory as _, Standing};
use tokio::time::Instant;

use super::{Store, on_both};
use crate::node::Node;

on_both! {
    c07_a_run_has_one_name_for_all_nodes
    c07_a_restart_with_all_data_is_another_run
    c10_a_loss_of_all_data_is_another_run
    c10_an_append_for_another_run_has_no_effect
    c11_a_run_is_not_older_than_it_is
    c11_a_node_that_joins_is_told_how_old_the_run_is
}

async fn c07_a_run_has_one_name_for_all_nodes(store: impl Store) {
    let directory = store.directory();
    let mut one = Node::joined(&directory, 1).await;
    let mut two = Node::joined(&directory, 2).await;
    let run = one.run().clone();
    assert_eq!(one.renew(&directory).await.run, run);
    let answer = two.renew(&directory).await;
    assert_eq!((&answer.run, &answer.seen.run), (&run, &run));
    assert_eq!(one.catch_up(&directory, false).await.run, run);
}

async fn c07_a_restart_with_all_data_is_another_run(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let run = node.run().clone();
    store.restart();
    assert_ne!(node.catch_up(&directory, false).await.run, run);
    let answer = node.renew(&directory).await;
    assert_ne!(answer.run, run);
    assert_eq!(answer.standing, Standing::Held);
    let run = answer.run;
    assert_eq!(node.renew(&directory).await.run, run);
}

async fn c10_a_loss_of_all_data_is_another_run(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let run = node.run().clone();
    store.empty();
    assert_ne!(node.renew(&directory).await.run, run);
}

async fn c10_an_append_for_another_run_has_no_effect(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let former = node.run().clone();
    store.restart();
    let refused = directory.append(&former, node.tag, 2, b"too early");
    assert_eq!(refused.await.unwrap(), None);
    assert!(node.renew(&directory).await.log.is_empty());
    // So an entry before it can be repeated first.
    for number in [1, 2] {
        let taken = directory.append(node.run(), node.tag, number, b"entry");
        assert!(taken.await.unwrap().is_some());
    }
    assert_eq!(node.catch_up(&directory, false).await.log.len(), 2);
}

async fn c11_a_run_is_not_older_than_it_is(mut store: impl Store) {
    let directory = store.directory();
    let began = Instant::now();
    store.empty();
    let mut node = Node::joined(&directory, 1).await;
    while node.renew(&directory).await.age == Duration::ZERO {
        tokio::task::yield_now().await;
    }
    let age = node.renew(&directory).await.age;
    assert!(age <= began.elapsed());
    for forget in [Store::restart, Store::empty] {
        let began = Instant::now();
        forget(&mut store);
        let age = node.claim(&directory).await.age;
        assert!(age <= began.elapsed());
    }
}

async fn c11_a_node_that_joins_is_told_how_old_the_run_is(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let age = loop {
        let age = node.renew(&directory).await.age;
        if age > Duration::from_millis(20) {
            break age;
        }
        tokio::task::yield_now().await;
    };
    let answer = Node::at(2).claim(&store.another_directory()).await;
    assert!(answer.age >= age);
}
