//! Rule 14: a request goes to the node that has its session, whichever node it comes to.

use std::time::Duration;

use session_cluster::{Beat, Directory as _, InProcessDirectory, Report};
use session_core::{LocalSession as _, NodeTag};

use crate::http_client::{get, header, is_unavailable, ok, text};
use crate::http_kit::{Node, pair};

#[tokio::test]
async fn c14_from_whichever_node_a_visitor_reaches_its_own_session() {
    let (_directory, a, b) = pair().await;
    let response = get(a.address, "/new", "").await;
    let cookie = header(&response, "set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(text(response).await, "A");
    for node in [&a, &b] {
        assert_eq!(ok(node.address, "/", &cookie).await, "session at A");
        // It is not new there.
        assert!(header(&get(node.address, "/new", &cookie).await, "set-cookie").is_none());
    }
    assert_eq!(
        (a.sessions.stats().active, b.sessions.stats().active),
        (1, 0)
    );
}

#[tokio::test]
async fn c14_a_stranger_is_served_where_it_comes_in() {
    let (_directory, a, b) = pair().await;
    for cookie in ["", "id=", "id=AAAA", "other=1"] {
        assert_eq!(ok(a.address, "/", cookie).await, "stranger at A");
        assert_eq!(ok(b.address, "/", cookie).await, "stranger at B");
    }
}

#[tokio::test]
async fn c14_a_session_that_is_over_makes_its_visitor_a_stranger_at_its_node() {
    let (_directory, a, b) = pair().await;
    let (session, cookie) = b.visitor();
    session.terminate();
    for node in [&a, &b] {
        assert_eq!(ok(node.address, "/", &cookie).await, "stranger at B");
    }
}

#[tokio::test]
async fn c14_a_live_local_session_counts_before_one_elsewhere() {
    let (_directory, a, b) = pair().await;
    let ((_here, here), (_there, there)) = (a.visitor(), b.visitor());
    assert_eq!(
        ok(a.address, "/", &format!("{there}; {here}")).await,
        "session at A"
    );
    assert_eq!(
        ok(a.address, "/", &format!("{there}; x=1")).await,
        "session at B"
    );
}

/// A node that the others have not heard of yet.
#[tokio::test]
async fn c11_an_unknown_tag_is_looked_up_once() {
    let (directory, a, b) = pair().await;
    let c = Node::start(&directory, "C").await;
    let (_session, cookie) = c.visitor();
    let before = directory.calls();
    assert_eq!(ok(a.address, "/", &cookie).await, "session at C");
    assert_eq!(directory.calls(), before + 1);
    assert_eq!(ok(a.address, "/", &cookie).await, "session at C");
    assert_eq!(directory.calls(), before + 1);
    assert_eq!(ok(b.address, "/", &cookie).await, "session at C");
}

#[tokio::test]
async fn c11_a_tag_that_nobody_has_is_a_strangers_once_the_store_is_old_enough() {
    let directory = InProcessDirectory::new();
    let a = Node::start(&directory, "A").await;
    let cookie = "id=zzzzAAAAAAAAAAAAAAAAAA";
    assert!(is_unavailable(&get(a.address, "/", cookie).await));
    let directory = InProcessDirectory::new();
    directory.age(Duration::from_secs(3600));
    let a = Node::start(&directory, "A").await;
    assert_eq!(ok(a.address, "/", cookie).await, "stranger at A");
}

#[tokio::test]
async fn c11_a_request_with_many_unknown_ids_asks_the_store_only_a_few_times() {
    let directory = InProcessDirectory::new();
    directory.age(std::time::Duration::from_secs(3600));
    let a = Node::start(&directory, "A").await;
    let ids = (0..100).map(|n| format!("id={n:04}AAAAAAAAAAAAAAAAAA"));
    let cookies = ids.collect::<Vec<_>>().join("; ");
    let before = directory.calls();
    assert_eq!(ok(a.address, "/", &cookies).await, "stranger at A");
    assert_eq!(directory.calls(), before + 1);
}

#[tokio::test]
async fn c05_without_a_lease_nobody_is_served_here_and_afterwards_the_same_session_goes_on() {
    let directory = InProcessDirectory::new();
    let a = Node::start(&directory, "A").await;
    let (_session, cookie) = a.visitor();
    tokio::time::pause();
    directory.stop();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    assert!(!a.cluster.is_ready());
    tokio::time::resume();
    for cookie in [&*cookie, ""] {
        assert!(is_unavailable(&get(a.address, "/", cookie).await));
    }
    directory.start();
    while !a.cluster.is_ready() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ok(a.address, "/", &cookie).await, "session at A");
}

#[tokio::test]
async fn c12_a_node_whose_card_is_not_believed_has_sessions_all_the_same() {
    let directory = InProcessDirectory::new();
    directory.age(Duration::from_secs(3600));
    let a = Node::start(&directory, "A").await;
    let tag = NodeTag::random();
    let report = Report {
        tag,
        claims: true,
        address: ([127, 0, 0, 1], 9).into(),
        beat: Beat(1),
        card: b"sealed with another secret",
        load: 0,
        read: None,
        seen: None,
    };
    directory.sync(report).await.unwrap();
    let cookie = format!("id={}AAAAAAAAAAAAAAAAAA", tag.encode());
    for _ in 0..2 {
        assert!(is_unavailable(&get(a.address, "/", &cookie).await));
    }
    directory.bury(tag, None).await.unwrap();
    a.learn().await;
    assert_eq!(ok(a.address, "/", &cookie).await, "stranger at A");
}
