//! A new id at the response: the live session follows, and the old id is superseded.

use std::sync::Arc;

use session_core::LocalSession as _;
use session_test::SessionsExt as _;
use tokio::task::JoinSet;

use crate::kit::{World, ok, race, send, set_cookies, status, thief};
use crate::store::{Call, Moment};

#[tokio::test]
async fn a_new_id_at_the_response_moves_the_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    for path in ["/cycle", "/live/cycle", "/log-in"] {
        let before = ann.cookie("id");
        ok(&ann, path).await;
        assert_ne!(ann.cookie("id"), before, "{path}");
        assert_eq!(world.session(&ann).await, session, "{path}");
    }
    assert_eq!((world.created(), world.active()), (1, 1));
    assert_eq!(session.group().id(), Some(&"user".into()));
}

#[tokio::test]
async fn the_old_id_is_superseded() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    ok(&ann, "/cycle").await;
    world.store.loads();
    let refused = thief.get("/live").await.assert_status(409);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(thief.get("/optional").await.text(), "none");
    assert_eq!(world.store.loads(), 0, "it is refused without a load");
    assert!(!session.is_completed());
    assert_eq!(world.created(), 1);
}

#[tokio::test]
async fn the_old_id_is_superseded_even_if_it_had_no_live_session() {
    let world = World::new();
    let ann = world.visitor().await;
    // The first use comes in before the change, and asks for its session after it.
    let first_use = send(&ann, "/stop/live");
    world.stage.stopped().await;
    ok(&ann, "/cycle").await;
    world.stage.go_on();
    first_use.await.unwrap().assert_status(409);
    assert_eq!(world.created(), 0);
    assert_eq!(ok(&ann, "/new").await, "true");
}

#[tokio::test]
async fn a_request_that_came_before_is_parted() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    // It is inside, perhaps as a stranger's that came by a planted id.
    let inside = thief.send("/stop/live");
    world.stage.stopped().await;
    ok(&ann, "/live/cycle").await;
    world.stage.go_on();
    inside.await.unwrap().assert_status(409);
    assert!(!session.is_completed());
}

#[tokio::test]
async fn a_session_that_others_have_created_moves_and_is_parted_from_them() {
    let world = World::new();
    let ann = world.visitor().await;
    // It came in before there was a session, and is not inside.
    let change = send(&ann, "/stop/cycle");
    world.stage.stopped().await;
    let creator = send(&ann, "/live/stop/again");
    world.stage.stopped().await;
    let session = world.session(&ann).await;
    world.stage.go_on();
    change.await.unwrap().assert_status(200);
    world.stage.go_on();
    creator.await.unwrap().assert_status(409);
    assert_eq!(world.session(&ann).await, session);
    assert_eq!(world.created(), 1);
}

#[tokio::test]
async fn a_poll_does_not_end_the_session_that_is_logging_in() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    // Their record is gone, and the handler has not returned.
    let change = send(&ann, "/cycle/stop");
    world.stage.stopped().await;
    thief.get("/live").await.assert_status(409);
    assert_eq!(thief.get("/optional").await.text(), "none");
    assert!(!session.is_completed());
    world.stage.go_on();
    change.await.unwrap().assert_status(200);
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_slow_load_does_not_end_it_either() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    let load = world.store.stop(Call::Load, Moment::Before);
    let poll = thief.send("/read");
    load.stopped().await;
    let change = send(&ann, "/cycle/stop");
    world.stage.stopped().await;
    // The record is gone when the store looks.
    load.go_on();
    let answer = poll.await.unwrap();
    assert!(!session.is_completed());
    assert!(set_cookies(&answer).is_empty(), "the cookie stays");
    world.stage.go_on();
    change.await.unwrap().assert_status(200);
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_request_whose_load_is_slow_does_not_enter_after_the_change() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let thief = thief(&world, &ann);
    let load = world.store.stop(Call::Load, Moment::After);
    let late = thief.send("/live");
    load.stopped().await;
    let change = send(&ann, "/cycle/stop");
    world.stage.stopped().await;
    // Its store knew the id when it looked.
    load.go_on();
    late.await.unwrap().assert_status(409);
    world.stage.go_on();
    change.await.unwrap();
    assert_eq!(session.activity().requests, 0);
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_first_use_does_not_create_a_session_while_the_id_changes() {
    let world = World::new();
    let ann = world.visitor().await;
    let first_use = send(&ann, "/stop/live");
    world.stage.stopped().await;
    // The change itself stops while their store saves.
    let save = world.store.stop(Call::Create, Moment::Before);
    let change = send(&ann, "/cycle");
    save.stopped().await;
    world.stage.go_on();
    first_use.await.unwrap().assert_status(409);
    save.go_on();
    change.await.unwrap().assert_status(200);
    assert_eq!(world.created(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cycles_against_first_uses_leave_one_session() {
    let world = World::new();
    for round in 1..=300 {
        let ann = world.visitor().await;
        let requests = race(&ann, |ann, request| async move {
            let path = if request == 3 { "/cycle" } else { "/live" };
            status(&ann, path).await
        });
        for status in requests.await {
            assert!(status == 200 || status == 409, "{status}");
        }
        ok(&ann, "/live").await;
        assert_eq!(world.active(), round, "too many sessions");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn polls_during_log_ins_undo_none() {
    let world = World::new();
    for _ in 0..100 {
        let (ann, session) = world.live().await;
        let requests = race(&ann, |ann, request| async move {
            let path = match request {
                3 => "/log-in",
                4 => "/optional",
                5 => "/nothing",
                _ => "/read",
            };
            assert_eq!(status(&ann, path).await, 200);
        });
        requests.await;
        assert_eq!(world.session(&ann).await, session);
        assert_eq!(session.group().id(), Some(&"user".into()));
    }
}

/// A stranger has planted the id, and sends requests all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stranger_with_a_planted_id_sees_nothing_of_the_user() {
    for _ in 0..200 {
        let world = World::new();
        let (ann, session) = world.live().await;
        let thief = Arc::new(thief(&world, &ann));
        let mut attacks = JoinSet::new();
        for _ in 0..4 {
            let thief = Arc::clone(&thief);
            attacks.spawn(async move {
                for _ in 0..20 {
                    let seen = thief.get("/group").await.assert_status(200);
                    assert_eq!(seen.text(), "none");
                }
            });
        }
        ok(&ann, "/log-in").await;
        attacks.join_all().await;
        assert_eq!(ok(&ann, "/group").await, "user");
        assert_eq!(world.session(&ann).await, session);
    }
}

#[tokio::test]
async fn a_double_click_on_the_log_in_logs_in() {
    let world = World::new();
    let (ann, _session) = world.live().await;
    let save = world.store.stop(Call::Create, Moment::Before);
    let first = send(&ann, "/log-in");
    save.stopped().await;
    let second = send(&ann, "/log-in");
    let second = second.await.unwrap();
    save.go_on();
    let first = first.await.unwrap();
    assert!(first.status() == 200 && second.status() == 200);
    // The browser keeps one of the two, and has a live session with it.
    let serial = ok(&ann, "/live").await;
    assert!([first.text(), second.text()].contains(&serial.as_str()));
    world.sessions.group(&"user".into()).unwrap().terminate();
    world.sessions.assert_clean().await;
}
