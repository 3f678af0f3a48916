//! Rules 21 and 22: the log, and its readers.

use crate::node::AppendNow as _;
use futures_util::StreamExt as _;
use session_cluster::{Directory as _, Position, Run};

use super::{Store, on_both};
use crate::node::{Node, by_tag};

on_both! {
    c21_entries_are_read_in_their_order_by_all_nodes
    c21_a_node_that_joins_begins_at_the_end
    c21_an_entry_is_appended_once
    c21_numbers_are_those_of_one_node
    c21_a_node_that_catches_up_says_what_it_has_read
    c21_a_renewal_says_what_the_node_has_read
    c21_a_nudge_follows_an_entry
    c22_the_whole_log_is_read_again_in_another_run
    c22_a_place_of_another_run_is_not_noted
}

async fn c21_entries_are_read_in_their_order_by_all_nodes(store: impl Store) {
    let directory = store.directory();
    let mut one = Node::joined(&directory, 1).await;
    let mut two = Node::joined(&directory, 2).await;
    let mut places = Vec::new();
    for number in 1..=20 {
        let entry = [b"\x00\xff", number.to_string().as_bytes()].concat();
        let by = if number % 2 == 0 { one.tag } else { two.tag };
        places.push(directory.append_now(by, number, &entry).await.unwrap());
    }
    assert!(places.is_sorted_by(|a, b| a < b));
    for node in [&mut one, &mut two] {
        let caught_up = node.catch_up(&directory, false).await;
        let answer = node.renew(&directory).await;
        assert_eq!(answer.log, caught_up.log);
        let read: Vec<_> = answer.log.iter().map(|entry| entry.position).collect();
        assert_eq!(read, places);
        assert_eq!(answer.read, places[19]);
        assert_eq!(answer.log[3].bytes, b"\x00\xff4");
        assert_eq!((answer.log[3].number, answer.log[2].number), (4, 3));
        assert!(node.renew(&directory).await.log.is_empty());
    }
    let log = two.catch_up(&directory, false).await.log;
    assert!(log.is_empty());
}

async fn c21_a_node_that_joins_begins_at_the_end(store: impl Store) {
    let directory = store.directory();
    let one = Node::joined(&directory, 1).await;
    let end = directory.append_now(one.tag, 5, b"before").await.unwrap();
    let mut two = Node::at(2);
    let answer = two.claim(&directory).await;
    assert!(answer.log.is_empty());
    assert_eq!((answer.read, answer.numbers), (end, vec![(one.tag, 5)]));
    let readers = one.catch_up(&directory, true).await.readers;
    assert_eq!(by_tag(&readers)[&two.tag], end);
    directory.append_now(one.tag, 6, b"after").await.unwrap();
    let answer = two.renew(&directory).await;
    assert_eq!((answer.log.len(), answer.log[0].number), (1, 6));
    assert!(answer.numbers.is_empty());
}

async fn c21_an_entry_is_appended_once(store: impl Store) {
    let directory = store.directory();
    let node = Node::joined(&directory, 1).await;
    let first = directory.append_now(node.tag, 9, b"nine").await.unwrap();
    let second = directory.append_now(node.tag, 10, b"ten").await.unwrap();
    assert!(second > first);
    for number in [9, 10, 1] {
        let again = directory
            .append_now(node.tag, number, b"again")
            .await
            .unwrap();
        assert_eq!(again, second);
    }
    let log = node.catch_up(&directory, false).await.log;
    let entries: Vec<_> = log.iter().map(|entry| &entry.bytes[..]).collect();
    assert_eq!(entries, [&b"nine"[..], b"ten"]);
}

async fn c21_numbers_are_those_of_one_node(store: impl Store) {
    let directory = store.directory();
    let (one, two) = (Node::at(1).tag, Node::at(2).tag);
    directory.append_now(one, 7, b"one").await.unwrap();
    directory.append_now(two, 3, b"two").await.unwrap();
    let numbers = Node::at(3).claim(&directory).await.numbers;
    assert_eq!(by_tag(&numbers), by_tag(&[(one, 7), (two, 3)]));
}

async fn c21_a_node_that_catches_up_says_what_it_has_read(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let origin = Node::joined(&directory, 2).await;
    let place = directory.append_now(origin.tag, 1, b"entry").await.unwrap();
    let log = node.catch_up(&directory, false).await.log;
    let readers = by_tag(&origin.catch_up(&directory, true).await.readers);
    assert!(readers[&node.tag] < place);
    node.read = Some(log[0].position);
    let caught_up = node.catch_up(&directory, false).await;
    assert!(caught_up.log.is_empty() && caught_up.readers.is_empty());
    let readers = by_tag(&origin.catch_up(&directory, true).await.readers);
    assert_eq!(readers[&node.tag], place);
}

async fn c21_a_renewal_says_what_the_node_has_read(store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    let place = directory.append_now(node.tag, 1, b"entry").await.unwrap();
    // The place is that before this answer: the node has still to take it in.
    node.renew(&directory).await;
    let readers = Node::joined(&directory, 2).await;
    let before = readers.catch_up(&directory, true).await.readers;
    assert!(by_tag(&before)[&node.tag] < place);
    node.renew(&directory).await;
    let after = readers.catch_up(&directory, true).await.readers;
    assert_eq!(by_tag(&after)[&node.tag], place);
}

async fn c21_a_nudge_follows_an_entry(store: impl Store) {
    let directory = store.directory();
    let nudges = directory.nudges();
    drop(store.directory());
    let node = Node::joined(&directory, 1).await;
    let mut nudges = Box::pin(nudges);
    let mut number = 0;
    for _ in 0..3 {
        // The stream may miss some until it has begun.
        let append = async {
            loop {
                number += 1;
                directory
                    .append_now(node.tag, number, b"entry")
                    .await
                    .unwrap();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            nudge = nudges.next() => assert_eq!(nudge, Some(())),
            () = append => {}
        }
    }
}

async fn c22_the_whole_log_is_read_again_in_another_run(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    directory.append_now(node.tag, 1, b"before").await.unwrap();
    node.renew(&directory).await;
    store.restart();
    directory.append_now(node.tag, 2, b"after").await.unwrap();
    let answer = node.renew(&directory).await;
    let numbers: Vec<_> = answer.log.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2]);
    // The node has not taken that in.
    let readers = node.catch_up(&directory, true).await.readers;
    assert_eq!(by_tag(&readers)[&node.tag], answer.read);
    store.empty();
    // The numbers are gone as well.
    node.claim(&directory).await;
    directory.append_now(node.tag, 1, b"again").await.unwrap();
    let log = node.renew(&directory).await.log;
    assert_eq!((log.len(), log[0].number), (1, 1));
}

async fn c22_a_place_of_another_run_is_not_noted(mut store: impl Store) {
    let directory = store.directory();
    let mut node = Node::joined(&directory, 1).await;
    directory.append_now(node.tag, 1, b"lost").await.unwrap();
    node.renew(&directory).await;
    store.empty();
    node.beat += 1;
    directory.sync(node.report(true)).await.unwrap();
    directory.append_now(node.tag, 1, b"again").await.unwrap();
    let caught_up = node.catch_up(&directory, true).await;
    assert_ne!(caught_up.run, *node.run());
    assert!(caught_up.log.is_empty() && caught_up.readers.is_empty());
    let other = Node::joined(&directory, 2).await;
    let readers = other.catch_up(&directory, true).await.readers;
    assert_eq!(by_tag(&readers)[&node.tag], Position::default());
    let unheard_of = Run("none".to_owned());
    let call = directory.catch_up(&unheard_of, other.tag, Position(u64::MAX, 0), true);
    assert!(call.await.unwrap().readers.is_empty());
    let readers = other.catch_up(&directory, true).await.readers;
    assert_eq!(by_tag(&readers)[&other.tag], other.read.unwrap());
}
