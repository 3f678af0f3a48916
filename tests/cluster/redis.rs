//! The directory in Redis: rules that only its server can break.

use crate::node::AppendNow as _;
use std::error::Error as _;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use session_cluster::{Directory as _, DirectoryError, RedisDirectory, Standing};
use session_core::NodeTag;
use tokio::net::TcpListener;
use tokio::time::timeout;
use workspace_tests::RedisServer;

use crate::node::Node;

const KEYS: [&str; 11] = [
    "run",
    "beats",
    "addresses",
    "tags",
    "cards",
    "card-changes",
    "verdicts",
    "verdict-times",
    "log",
    "numbers",
    "readers",
];

fn key(name: &str) -> String {
    format!("{{session-cluster}}:{name}")
}

fn open(server: &RedisServer) -> RedisDirectory {
    RedisDirectory::open(&server.url()).expect("the URL is one")
}

fn cause(error: &DirectoryError) -> String {
    error.source().expect("there is a cause").to_string()
}

#[test]
fn c05_a_url_that_can_not_be_used_is_an_error_at_once() {
    for url in [
        "",
        "postgres://host",
        "redis://host:port",
        "redis://host/db",
        "rediss://host",
    ] {
        let error = RedisDirectory::open(url).unwrap_err();
        assert!(error.source().is_some(), "{url}");
    }
}

#[test]
fn c12_the_password_is_not_shown() {
    let directory = RedisDirectory::open("redis://user:pass-1234@host").unwrap();
    let error = RedisDirectory::open("redis://user:pass-1234@host/db").unwrap_err();
    let shown = format!("{directory:?} {error:?} {error}");
    assert!(!shown.contains("pass-1234"), "{shown}");
}

#[tokio::test]
async fn c05_the_server_need_not_be_up_when_the_directory_is_opened() {
    let mut server = RedisServer::start();
    server.kill();
    let directory = open(&server);
    assert!(directory.bury(NodeTag::random(), None).await.is_err());
    server.restart();
    Node::joined(&directory, 1).await;
}

/// A server that accepts connections, and answers nothing.
#[tokio::test]
async fn c05_a_connection_whose_call_was_given_up_is_not_used_again() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let directory = RedisDirectory::open(&format!("redis://{address}")).unwrap();
    for _ in 0..3 {
        let call = directory.bury(NodeTag::random(), None);
        tokio::select! {
            _ = call => panic!("nothing has answered"),
            accepted = silent.accept() => drop(accepted.unwrap()),
        }
    }
}

#[tokio::test]
async fn c05_idle_connections_are_used_again() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    let connections = || {
        let clients = server.command(&["CLIENT", "LIST"]).unwrap();
        clients.lines().count()
    };
    let before = connections();
    for number in 1..20 {
        node.renew(&directory).await;
        directory
            .append_now(node.tag, number, b"entry")
            .await
            .unwrap();
    }
    assert_eq!(connections(), before);
}

#[tokio::test]
async fn c05_a_server_that_has_become_a_replica_is_no_answer() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    let run = node.run().clone();
    let other = server.replica();
    other.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    // The nodes go on at the other for a while.
    node.renew(&open(&other)).await;
    let port = other.port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let error = node.sync(&directory, false).await.unwrap_err();
    assert!(
        cause(&error).contains("read only replica"),
        "{}",
        cause(&error)
    );
    let call = directory.catch_up(&run, node.tag, node.read.unwrap(), true);
    assert!(call.await.is_err());
    // Without the other's data it would go on with its own run.
    let is_up = |info: String| info.contains("master_link_status:up");
    while !server.command(&["INFO", "replication"]).is_ok_and(is_up) {
        tokio::task::yield_now().await;
    }
    server.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    let answer = node.sync(&directory, true).await.unwrap();
    assert_eq!(answer.standing, Standing::Held);
    assert_ne!(answer.run, run);
}

#[tokio::test]
async fn c11_a_replica_that_takes_over_is_a_young_run_though_its_process_is_old() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    let long_ago = Duration::from_millis(50);
    while node.renew(&directory).await.age <= long_ago {
        tokio::task::yield_now().await;
    }
    let replica = server.replica();
    replica.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    // The replica has not got this.
    let newest = Node::joined(&directory, 2).await;
    drop(server);
    let run = node.run().clone();
    let answer = node.renew(&open(&replica)).await;
    assert_ne!(answer.run, run);
    assert_eq!(
        (answer.standing, answer.age),
        (Standing::Held, Duration::ZERO)
    );
    assert!(answer.complete && answer.verdicts.is_empty());
    assert!(answer.beats.iter().all(|(tag, _)| *tag != newest.tag));
}

#[tokio::test]
async fn c05_scripts_that_the_server_has_lost_are_sent_again() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    server.command(&["SCRIPT", "FLUSH"]).unwrap();
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
}

#[tokio::test]
async fn c12_whatever_the_store_holds_is_at_most_an_error() {
    let server = RedisServer::start();
    let directory = open(&server);
    let (log, field) = (key("log"), "name");
    let mangled = [
        ["HSET", "beats", "AAAA", "x"],
        ["HSET", "beats", "AAAA", "1 -1"],
        ["HSET", "beats", "no tag", "1 1"],
        ["HSET", "beats", "AAAA", "18446744073709551616 1"],
        ["HSET", "cards", "é", "card"],
        ["ZADD", "verdicts", "1", "x"],
        ["HSET", "numbers", "AAAA", "x"],
        ["HSET", "run", "end", "x"],
        ["HSET", "run", "age", "x"],
        ["HSET", "run", "changes", "x"],
        ["HSET", "run", "pruned", "x"],
    ];
    for [command, name, field, value] in mangled {
        server.command(&["FLUSHALL"]).unwrap();
        let mut node = Node::joined(&directory, 1).await;
        node.seen = None;
        server
            .command(&[command, &key(name), field, value])
            .unwrap();
        if let Err(error) = node.sync(&directory, false).await {
            assert!(!cause(&error).is_empty());
        }
        let _ = directory.append_now(node.tag, 1, b"entry").await;
        let _ = directory.bury(NodeTag::random(), None).await;
    }
    for fields in [
        &[field, "x"][..],
        &["AAAA1", "x", "AAAA2", "y"],
        &["AAAAx", "x"],
    ] {
        server.command(&["FLUSHALL"]).unwrap();
        let mut node = Node::joined(&directory, 1).await;
        server
            .command(&[&["XADD", &log, "*"], fields].concat())
            .unwrap();
        let error = node.sync(&directory, false).await.unwrap_err();
        assert!(
            cause(&error).contains("the store holds"),
            "{}",
            cause(&error)
        );
    }
    for name in KEYS {
        server.command(&["FLUSHALL"]).unwrap();
        server.command(&["SET", &key(name), "x"]).unwrap();
        let mut node = Node::at(1);
        let error = node.sync(&directory, true).await.err();
        let is_needed_to_join = error.is_some_and(|error| cause(&error).contains("WRONGTYPE"));
        assert!(is_needed_to_join, "{name}");
        server.command(&["DEL", &key(name)]).unwrap();
        assert_eq!(node.claim(&directory).await.standing, Standing::Held);
    }
}

#[tokio::test]
async fn c10_a_single_key_that_is_lost_comes_back() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    for name in KEYS {
        directory
            .append_now(node.tag, node.beat, b"entry")
            .await
            .unwrap();
        server.command(&["DEL", &key(name)]).unwrap();
        if node.renew(&directory).await.standing == Standing::Unknown {
            node.claim(&directory).await;
        }
        let answer = Node::at(2).claim(&directory).await;
        assert!(answer.beats.contains(&(node.tag, node.pulse())), "{name}");
        assert!(
            answer.cards.contains(&(node.tag, node.card.to_vec())),
            "{name}"
        );
    }
}

#[tokio::test]
async fn c10_verdicts_and_the_log_are_pruned_after_a_day() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    let (old, new) = (NodeTag::random(), NodeTag::random());
    directory.bury(old, None).await.unwrap();
    directory.bury(new, None).await.unwrap();
    let times = key("verdict-times");
    server
        .command(&["ZADD", &times, "XX", "1000", &old.encode()])
        .unwrap();
    server
        .command(&["XADD", &key("log"), "1000-0", &format!("{old}7"), "old"])
        .unwrap();
    server
        .command(&["HSET", &key("numbers"), &old.encode(), "7 1000-0"])
        .unwrap();
    directory.append_now(new, 3, b"new").await.unwrap();
    // It prunes once a minute.
    server.command(&["HDEL", &key("run"), "pruned"]).unwrap();
    node.renew(&directory).await;
    let mut other = Node::at(2);
    let answer = other.claim(&directory).await;
    assert_eq!(answer.verdicts, [new]);
    assert_eq!(answer.numbers, [(new, 3)]);
    assert_eq!(server.command(&["XLEN", &key("log")]).unwrap(), "1");
    assert_eq!(server.command(&["ZCARD", &times]).unwrap(), "1");
}

#[tokio::test]
async fn c08_the_dead_leave_a_verdict_and_nothing_else() {
    let server = RedisServer::start();
    let directory = open(&server);
    let node = Node::joined(&directory, 1).await;
    directory.bury(node.tag, None).await.unwrap();
    let left = server.command(&["KEYS", "*"]).unwrap();
    let mut left: Vec<_> = left.lines().collect();
    left.sort_unstable();
    assert_eq!(left, ["run", "verdict-times", "verdicts"].map(key));
}

#[tokio::test]
async fn c02_clusters_with_different_prefixes_are_apart() {
    let server = RedisServer::start();
    let one = open(&server).with_prefix("one");
    let two = open(&server).with_prefix("two");
    let mut node = Node::joined(&one, 1).await;
    assert_eq!(Node::at(1).claim(&two).await.beats.len(), 1);
    assert_eq!(node.renew(&one).await.standing, Standing::Held);
}

#[tokio::test]
async fn c21_nudges_go_on_after_a_restart() {
    let mut server = RedisServer::start();
    let directory = open(&server);
    let mut nudges = pin!(directory.nudges());
    // The first one says that the stream has begun: entries from before may have been missed.
    assert_eq!(nudges.next().await, Some(()));
    let tag = NodeTag::random();
    directory.append_now(tag, 1, b"entry").await.unwrap();
    assert_eq!(nudges.next().await, Some(()));
    server.restart();
    assert_eq!(nudges.next().await, Some(()));
    directory.append_now(tag, 2, b"entry").await.unwrap();
    assert_eq!(nudges.next().await, Some(()));
    // An entry is one nudge.
    let quiet = timeout(Duration::from_millis(50), nudges.next()).await;
    assert!(quiet.is_err());
}

#[tokio::test]
async fn c21_a_user_who_may_not_publish_appends_all_the_same() {
    let server = RedisServer::start();
    // As Redis 7 creates users: without channels.
    let user = [
        "ACL",
        "SETUSER",
        "node",
        "on",
        ">pass",
        "~*",
        "+@all",
        "resetchannels",
    ];
    server.command(&user).unwrap();
    let url = server.url().replace("redis://", "redis://node:pass@");
    let directory = RedisDirectory::open(&url).unwrap();
    let node = Node::joined(&directory, 1).await;
    directory.append_now(node.tag, 1, b"entry").await.unwrap();
    assert_eq!(node.catch_up(&directory, false).await.log.len(), 1);
}

#[tokio::test]
async fn c05_a_server_that_others_have_filled_answers_the_nodes() {
    let server = RedisServer::start();
    let directory = open(&server);
    let mut node = Node::joined(&directory, 1).await;
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .unwrap();
    assert!(server.command(&["SET", "x", "y"]).is_err());
    assert_eq!(node.renew(&directory).await.standing, Standing::Held);
    directory.append_now(node.tag, 1, b"entry").await.unwrap();
    let other = Node::joined(&directory, 2).await;
    assert!(directory.bury(other.tag, None).await.unwrap());
}
