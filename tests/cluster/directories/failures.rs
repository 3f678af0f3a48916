//! Rules 5 and 8 from the store's side: calls that fail, and calls that nobody waits for any more.

use crate::node::AppendNow as _;
use std::error::Error as _;
use std::time::Duration;

use session_cluster::{Directory as _, Standing};
use tokio::time::timeout;

use super::{Store, on_both};
use crate::node::Node;

on_both! {
    c05_a_store_that_is_away_is_an_error_and_its_return_is_noticed
    c05_a_call_that_was_given_up_does_no_harm
}

async fn c05_a_store_that_is_away_is_an_error_and_its_return_is_noticed(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    store.kill();
    for _ in 0..3 {
        let error = node.sync(&directory, false).await.unwrap_err();
        assert!(error.source().is_some());
        assert!(directory.bury(node.tag, None).await.is_err());
        assert!(directory.append_now(node.tag, 1, b"entry").await.is_err());
        let call = directory.catch_up(node.run(), node.tag, node.read.unwrap(), true);
        assert!(call.await.is_err());
    }
    store.restart();
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
}

async fn c05_a_call_that_was_given_up_does_no_harm(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let mut observer = Node::joined(&directory, 2).await;
    store.pause();
    for number in 1..4 {
        let patience = Duration::from_millis(20);
        let call = timeout(patience, node.sync(&directory, false));
        assert!(call.await.is_err());
        let call = timeout(patience, directory.append_now(node.tag, number, b"entry"));
        assert!(call.await.is_err());
    }
    store.resume();
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
    directory.append_now(node.tag, 4, b"entry").await.unwrap();
    let answer = observer.renew(&directory).await;
    // Those given up may have had their effect, but no late one has replaced a newer.
    assert!(answer.beats.contains(&(node.tag, node.pulse())));
    assert_eq!(answer.log.last().unwrap().number, 4);
    assert!(answer.log.is_sorted_by(|a, b| a.number < b.number));
}
