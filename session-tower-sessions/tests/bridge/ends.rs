//! Nothing was saved: the live session ends with the request.

use std::time::Duration;

use session_core::{CompletionCause, LocalSession as _};
use session_test::{SessionExt as _, SessionsExt as _, assert_ended};

use crate::kit::{World, ok, send};

#[tokio::test]
async fn a_strangers_session_ends_with_the_request_if_nothing_was_saved() {
    let world = World::new();
    let serial = ok(&world.stranger(), "/live").await;
    assert_eq!(world.sessions.find(serial.parse().unwrap()), None);
    assert_eq!((world.created(), world.active()), (1, 0));
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn it_lives_as_long_as_the_request() {
    let world = World::new();
    let request = send(&world.stranger(), "/live/stop");
    world.stage.stopped().await;
    let session = world.sessions.sessions().pop().unwrap();
    assert!(!session.is_completed());
    world.stage.go_on();
    request.await.unwrap().assert_status(200);
    assert_ended!(session, CompletionCause::IdleTimeout);
}

#[tokio::test(start_paused = true)]
async fn a_visitors_session_ends_by_its_own_idle_timeout() {
    let world = World::new();
    let (ann, session) = world.live().await;
    tokio::time::sleep(Duration::from_secs(19 * 60)).await;
    ok(&ann, "/nothing").await;
    tokio::time::sleep(Duration::from_secs(19 * 60)).await;
    assert!(!session.is_completed(), "a request is activity");
    session.expire().await;
    let next = world.session(&ann).await;
    assert_ne!(next, session);
    assert_eq!(ok(&ann, "/live").await, next.serial().to_string());
}
