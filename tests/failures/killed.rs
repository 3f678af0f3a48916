//! An owner that is killed, and one that comes back at its address.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures_util::stream;
use http::Method;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::streams::{Events, Socket};
use crate::wait::{LEASE, PERIOD, figure, seconds, until};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c18_visitors_of_a_killed_node_are_strangers_after_its_verdict() {
    let mut world = World::start(3).await;
    let mut visitor = world.visitor(0).await;
    let door = world.nodes[1].address;
    let events = Events::open(&visitor, door).await;
    let mut socket = Socket::open(&visitor, door).await;
    let died = Instant::now();
    world.nodes[0].kill();
    // The tunnels through another node end with the connection.
    let (events_ended, was_told) = events.end().await;
    assert!(!was_told);
    let (socket_ended, frame) = socket.end().await;
    assert_eq!(frame, None);
    // A request with a body is never sent twice, and one without waits for the verdict.
    let mut refused = 0;
    let first = loop {
        let post = visitor.post(door).await;
        if post.is_ok() {
            break post;
        }
        assert!(post.is_unsure() && post.has_retry_after, "{post:?}");
        refused += 1;
        let get = visitor.get(door).await;
        if get.is_ok() {
            break get;
        }
        assert!(get.is_unsure() && get.has_retry_after, "{get:?}");
    };
    assert!(first.is_stranger(), "{first:?}");
    let after = first.done - died;
    assert!(after + PERIOD > LEASE && after < 3 * LEASE, "{after:?}");
    figure(
        "owner killed",
        format!("503 for {}, {refused} times", seconds(after)),
    );
    figure(
        "owner killed",
        format!(
            "tunnels ended after {} and {}",
            seconds(events_ended - died),
            seconds(socket_ended - died)
        ),
    );
    // The visitor goes on with a session elsewhere.
    visitor = world.visitor(2).await;
    assert!(visitor.get(door).await.is_known());
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c13_a_node_that_comes_back_at_its_address_buries_its_predecessor() {
    let mut world = World::start(3).await;
    let mut visitor = world.visitor(0).await;
    let door = world.nodes[1].address;
    world.nodes[0].kill();
    let died = Instant::now();
    world.nodes[0].restart();
    until("the predecessor is dead", async || {
        visitor.visit(door, Method::GET, "/count").await.is_ok()
    })
    .await;
    world.nodes[0].joined().await;
    let back = world.nodes[0].said("joined").unwrap();
    let answers = world.record.answers();
    let first = answers.last().unwrap();
    assert!(first.is_stranger(), "{first:?}");
    assert!(first.done - died < LEASE, "{:?}", first.done - died);
    figure(
        "killed and restarted",
        format!(
            "strangers {} after the kill, {} after it was back",
            seconds(first.done - died),
            seconds(first.done.saturating_duration_since(back))
        ),
    );
    // It forwards, and is forwarded to.
    let visitor = world.visitor(0).await;
    assert!(visitor.look(door).await.is_known());
    let visitor = world.visitor(1).await;
    assert!(visitor.look(world.nodes[0].address).await.is_known());
    world.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c17_what_is_under_way_at_a_node_that_is_killed_is_never_taken_for_whole() {
    let mut world = World::start(2).await;
    let visitor = world.visitor(0).await;
    let (owner, door) = (world.nodes[0].name().to_owned(), world.nodes[1].address);
    let mut download = visitor
        .open(door, "/download?kib=10000&ms=10")
        .await
        .into_body();
    assert!(download.frame().await.unwrap().is_ok());
    let (part, parts) = mpsc::channel(1);
    part.send(Ok::<_, Infallible>(Bytes::from_static(&[7; 1024])))
        .await
        .unwrap();
    let parts = stream::unfold(parts, async |mut parts| Some((parts.recv().await?, parts)));
    let send = |method, path, body| {
        let visitor = visitor.clone();
        tokio::spawn(async move { visitor.send(door, method, path, body).await })
    };
    let upload = send(Method::POST, "/upload", Body::from_stream(parts));
    let post = send(Method::POST, "/work?ms=2000", Body::from("a body"));
    let get = send(Method::GET, "/work?ms=2000", Body::empty());
    // They are at the owner by then.
    sleep(2 * PERIOD).await;
    world.nodes[0].kill();
    // The client goes on sending, if it is still read.
    let _ = part.send(Ok(Bytes::from_static(&[7; 1024]))).await;
    drop(part);
    let last = loop {
        match download.frame().await {
            Some(Ok(_)) => {}
            last => break last,
        }
    };
    assert!(last.is_some(), "it did not end as if it were whole");
    for answer in [upload.await.unwrap(), post.await.unwrap()] {
        // Sent once, and whatever became of it, nobody says that it was done.
        assert!(!answer.is_ok(), "{answer:?}");
    }
    let get = get.await.unwrap();
    assert!(get.is_unsure() || get.is_stranger(), "{get:?}");
    assert_ne!(get.by, Some(owner));
    world.check();
}
