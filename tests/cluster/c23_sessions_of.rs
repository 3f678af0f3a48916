//! Rule 23: the sessions of a group on all nodes, and the nodes that have not answered.

use session_core::{GroupId, LocalSession as _};

use crate::http_hostile::Listening;
use crate::http_kit::{join, pair};

#[tokio::test]
async fn c23_sessions_of_a_group_are_found_on_all_nodes() {
    let (_directory, a, b) = pair().await;
    let group = GroupId::from("user: ünï/42");
    let mut expected = Vec::new();
    for node in [&a, &b] {
        for _ in 0..2 {
            let session = node.sessions.create_in(group.clone()).unwrap();
            expected.push((node.cluster.tag().unwrap(), session.serial()));
        }
    }
    let other = b.sessions.create_in(GroupId::from("another")).unwrap();
    let ended = b.sessions.create_in(group.clone()).unwrap();
    ended.terminate();
    let busy = b.sessions.group(&group).unwrap().sessions()[0].clone();
    let guard = busy.enter().unwrap();

    for node in [&a, &b] {
        if node.address == b.address {
            node.learn().await;
        }
        let listing = node.cluster.sessions_of(&group).await;
        let mut found: Vec<_> = listing
            .sessions
            .iter()
            .map(|found| (found.node, found.serial))
            .collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!((found, listing.unanswered), (expected.clone(), vec![]));
        for found in listing.sessions {
            let is_busy = found.serial == busy.serial() && Some(found.node) == b.cluster.tag();
            assert_eq!(found.idle.is_none(), is_busy);
            assert!(!found.expires_in.is_zero() && found.age < found.expires_in);
        }
    }
    drop((other, guard));
}

#[tokio::test]
async fn c23_a_node_that_does_not_answer_is_named() {
    let (directory, a, mut b) = pair().await;
    let group = GroupId::from("user");
    let _session = a.sessions.create_in(group.clone()).unwrap();
    b.kill().await;
    // One that listens and says nothing, and one that says something else.
    let (silent, garbled) = (Listening::start().await, Listening::start().await);
    let (_, first) = join(&directory, silent.address).await;
    let (_, second) = join(&directory, garbled.address).await;
    a.learn().await;
    let answers = async {
        let (_, stream) = garbled.accept().await;
        stream
            .answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n1 2 ")
            .await;
    };
    let (listing, ()) = tokio::join!(a.cluster.sessions_of(&group), answers);
    let mut unanswered = listing.unanswered;
    unanswered.sort_unstable();
    let mut expected: Vec<_> = [&b.cluster, &first, &second]
        .map(|node| node.tag().unwrap())
        .into();
    expected.sort_unstable();
    assert_eq!((listing.sessions.len(), unanswered), (1, expected));
}
