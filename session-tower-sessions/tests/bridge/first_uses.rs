//! One live session per id, however many first requests race.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::kit::{World, ok};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_first_requests_get_one_session() {
    let world = World::new();
    for round in 1..=50 {
        let ann = Arc::new(world.visitor().await);
        let mut requests = JoinSet::new();
        for _ in 0..16 {
            let ann = Arc::clone(&ann);
            requests.spawn(async move { (ok(&ann, "/live").await, ok(&ann, "/new").await) });
        }
        let answers = requests.join_all().await;
        assert!(answers.iter().all(|(serial, _)| *serial == answers[0].0));
        assert!(answers.iter().all(|(_, new)| new == "false"));
        assert_eq!(world.created(), round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_them_is_told_that_it_is_new() {
    let world = World::new();
    for _ in 0..50 {
        let ann = Arc::new(world.visitor().await);
        let mut requests = JoinSet::new();
        for _ in 0..8 {
            let ann = Arc::clone(&ann);
            requests.spawn(async move { ok(&ann, "/new").await });
        }
        let answers = requests.join_all().await;
        let new = answers.iter().filter(|answer| *answer == "true");
        assert_eq!(new.count(), 1);
    }
}

#[tokio::test]
async fn a_strangers_session_is_keyed_once_they_have_saved() {
    let world = World::new();
    let ann = world.stranger();
    let serial = ok(&ann, "/live/insert").await;
    assert_eq!(ok(&ann, "/live").await, serial);
    assert_eq!(ok(&ann, "/optional").await, serial);
    assert_eq!(ok(&ann, "/new").await, "false");
    assert_eq!((world.created(), world.active()), (1, 1));
}

#[tokio::test]
async fn the_client_of_a_dead_id_gets_a_session_under_its_new_one() {
    let world = World::new();
    let ann = world.visitor().await;
    world.store.forget_all();
    let serial = ok(&ann, "/live/insert").await;
    assert_eq!(ok(&ann, "/live").await, serial);
    assert_eq!(world.created(), 1);
}

#[tokio::test]
async fn strangers_who_race_have_a_session_each() {
    let world = World::new();
    let (one, other) = (world.stranger(), world.stranger());
    let serials = tokio::join!(ok(&one, "/live/insert"), ok(&other, "/live/insert"));
    assert_ne!(serials.0, serials.1);
    assert_eq!(ok(&one, "/live").await, serials.0);
    assert_eq!(ok(&other, "/live").await, serials.1);
}
