//! Their store is away or slow: a clear error or a plain end, and nothing is lost or left.

use session_core::{CompletionCause, LocalSession as _};
use session_test::{SessionsExt as _, assert_ended};

use crate::kit::{World, ok, send, status};
use crate::store::{Call, Moment};

#[tokio::test]
async fn while_the_store_does_not_answer_extractors_are_refused_and_no_session_ends() {
    let world = World::new();
    let (ann, session) = world.live().await;
    world.store.fail(Call::Load);
    for path in ["/live", "/optional", "/stop/live", "/new"] {
        world.stage.go_on();
        let refused = ann.get(path).await.assert_status(503);
        assert_eq!(refused.headers()["retry-after"], "1", "{path}");
        assert!(refused.text().contains("session-unavailable"), "{path}");
    }
    // Their own errors are theirs, and a request that needs neither goes on.
    assert_eq!(status(&ann, "/read").await, 500);
    assert_eq!(status(&ann, "/nothing").await, 200);
    assert_eq!(status(&ann, "/log-in").await, 500);
    assert_eq!(status(&ann, "/log-out").await, 200, "it needs no load");
    world.store.recover();
    // That was a log-out all the same.
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(world.created(), 1);
}

/// The store might not have known the id.
#[tokio::test]
async fn an_id_that_could_not_be_verified_is_not_followed() {
    let world = World::new();
    let (ann, session) = world.live().await;
    world.store.fail(Call::Load);
    let change = send(&ann, "/stop/cycle");
    world.stage.stopped().await;
    world.store.recover();
    world.stage.go_on();
    change.await.unwrap().assert_status(200);
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(ok(&ann, "/new").await, "true");
}

#[tokio::test]
async fn a_live_session_survives_an_outage() {
    let world = World::new();
    let (ann, session) = world.live().await;
    for call in [Call::Load, Call::Save, Call::Create, Call::Delete] {
        world.store.fail(call);
        for path in ["/live", "/read", "/insert", "/cycle", "/nothing"] {
            if call != Call::Create || path != "/cycle" {
                status(&ann, path).await;
            }
        }
        world.store.recover();
        assert!(!session.is_completed(), "{call:?}");
        assert_eq!(world.session(&ann).await, session, "{call:?}");
    }
    assert_eq!((world.created(), world.active()), (1, 1));
}

#[tokio::test]
async fn a_strangers_session_ends_if_their_save_fails() {
    let world = World::new();
    world.store.fail(Call::Create);
    let ann = world.stranger();
    assert_eq!(status(&ann, "/live/insert").await, 500);
    assert_eq!((world.created(), world.active()), (1, 0));
    world.sessions.assert_clean().await;
}

#[tokio::test]
async fn a_log_in_whose_save_fails_ends_the_session() {
    let world = World::new();
    let (ann, session) = world.live().await;
    world.store.fail(Call::Create);
    // Their old record is deleted, and there is no new one.
    assert_eq!(status(&ann, "/live/cycle").await, 500);
    assert_ended!(session, CompletionCause::Terminated);
    world.store.recover();
    // The client is a stranger at once: it is not told to wait.
    assert_eq!(ok(&ann, "/optional").await, "none");
    let serial = ok(&ann, "/live/insert").await;
    assert_eq!(ok(&ann, "/live").await, serial);
}

#[tokio::test]
async fn a_change_that_their_store_refuses_changes_nothing() {
    let world = World::new();
    let (ann, session) = world.live().await;
    world.store.fail(Call::Delete);
    assert_eq!(status(&ann, "/cycle").await, 500);
    assert_eq!(status(&ann, "/log-out").await, 500);
    world.store.recover();
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_client_that_hangs_up_during_a_slow_load_leaves_nothing() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let load = world.store.stop(Call::Load, Moment::Before);
    let request = send(&ann, "/live");
    load.stopped().await;
    assert_eq!(session.activity().requests, 0, "not inside yet");
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(world.session(&ann).await, session);
}

#[tokio::test]
async fn a_slow_load_holds_up_its_request_alone() {
    let world = World::new();
    let (ann, session) = world.live().await;
    let load = world.store.stop(Call::Load, Moment::Before);
    let slow = send(&ann, "/live");
    load.stopped().await;
    assert_eq!(world.session(&ann).await, session);
    assert_ne!(world.session(&world.visitor().await).await, session);
    load.go_on();
    assert_eq!(slow.await.unwrap().text(), session.serial().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for_without_end() {
    let world = World::new();
    let (ann, session) = world.live().await;
    for (path, status) in [("/live", 503), ("/optional", 503), ("/nothing", 200)] {
        let _hangs = world.store.stop(Call::Load, Moment::Before);
        ann.get(path).await.assert_status(status);
    }
    assert_eq!(world.session(&ann).await, session);
}
