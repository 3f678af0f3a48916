//! Row 21 over http: a request in flight undoes neither a log-in nor a log-out.

use std::time::Duration;

use session_core::{LocalSession as _, NotLive, SessionId};
use tokio::time::advance;

use crate::kit::{
    self, Stage, app, cookie, is_silent, is_superseded, manager, removes, staged, told,
};

fn presents(id: SessionId) -> String {
    format!("id={}", id.encode())
}

#[tokio::test(start_paused = true)]
async fn r21_a_poll_in_flight_undoes_no_log_in() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    let old = presents(session.id());
    let new = told(&kit::get(&app, "/log-in", &old).await).unwrap();
    // It waited in the browser for a connection, and presents the old id.
    assert!(is_superseded(&kit::get(&app, "/session", &old).await));
    let optional = kit::get(&app, "/optional", &old).await;
    assert!(is_silent(&optional));
    assert_eq!(optional.text(), "none");
    assert_eq!(kit::get(&app, "/result", &old).await.text(), "without");
    assert_eq!(sessions.stats().created, 1, "it cost nothing");
    let mine = kit::get(&app, "/group", presents(new)).await;
    assert_eq!(mine.text(), "user");
}

#[tokio::test(start_paused = true)]
async fn r21_a_poll_in_flight_undoes_no_log_out() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    let old = cookie(&session);
    assert!(removes(&kit::get(&app, "/terminate", &old).await));
    assert!(is_superseded(&kit::get(&app, "/session", &old).await));
    assert!(is_silent(&kit::get(&app, "/optional", &old).await));
    assert_eq!(sessions.sessions(), []);
    // After a while the id is unknown.
    kit::pass(Duration::from_secs(31)).await;
    assert!(told(&kit::get(&app, "/session", &old).await).is_some());
}

#[tokio::test(start_paused = true)]
async fn r21_the_time_runs_from_the_head() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let old = session.id();
    let slow = kit::spawn(&app, "/cycle-then-stop", presents(old));
    stage.stopped().await;
    kit::pass(Duration::from_secs(300)).await;
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    stage.go_on();
    assert!(told(&slow.await.unwrap()).is_some());
    kit::pass(Duration::from_secs(29)).await;
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    kit::pass(Duration::from_secs(2)).await;
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_a_request_without_a_head_leaves_nothing_superseded_and_no_session() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    // It panics.
    let session = sessions.create().unwrap();
    let old = session.id();
    let panicked = kit::spawn(&app, "/cycle-then-panic", presents(old));
    assert!(panicked.await.unwrap_err().is_panic());
    assert!(session.is_completed(), "nobody knows its id");
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Unknown);

    // Its client hangs up.
    let session = sessions.create().unwrap();
    let old = session.id();
    let mut gone = kit::get(&app, "/cycle-then-stop", presents(old)).into_future();
    assert!(futures_util::poll!(&mut gone).is_pending());
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    drop(gone);
    assert!(session.is_completed());
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Unknown);
    assert!(told(&kit::get(&app, "/session", presents(old)).await).is_some());
}

#[tokio::test(start_paused = true)]
async fn r21_a_session_whose_id_another_request_changed_is_not_the_requests_to_end() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let mut first = kit::get(&app, "/cycle-then-stop", cookie(&session)).into_future();
    assert!(futures_util::poll!(&mut first).is_pending());
    // By its handle, as an administrator might.
    drop(session.cycle_id().unwrap());
    drop(first);
    assert!(!session.is_completed());
}

/// A log-out ends every session that the client could still present.
#[tokio::test]
async fn r21_a_log_out_ends_every_live_session_that_the_request_presents() {
    let sessions = manager();
    let app = app(&sessions);
    let (planted, own, third) = (
        sessions.create().unwrap(),
        sessions.create().unwrap(),
        sessions.create().unwrap(),
    );
    let stays = sessions.create().unwrap();
    let cookies = format!(
        "{}; id=x; {}; {}",
        cookie(&planted),
        cookie(&own),
        cookie(&third)
    );
    let response = kit::get(&app, "/terminate", cookies).await;
    assert!(removes(&response));
    drop(response);
    for ended in [&planted, &own, &third] {
        assert!(ended.is_completed());
        let id = ended.id();
        assert_eq!(sessions.enter(&id).unwrap_err(), NotLive::Superseded);
        assert!(ended.cleanup_completed().await.is_clean());
    }
    assert_eq!(sessions.sessions(), [stays]);
}

#[tokio::test]
async fn r21_a_live_id_counts_before_a_superseded_one() {
    let sessions = manager();
    let app = app(&sessions);
    let (old, live) = (sessions.create().unwrap(), sessions.create().unwrap());
    drop(old.terminate_and_supersede());
    for cookies in [
        format!("{}; {}", cookie(&old), cookie(&live)),
        format!("{}; {}", cookie(&live), cookie(&old)),
        format!(
            "id=AAAAAAAAAAAAAAAAAAAAAA; {}; {}",
            cookie(&old),
            cookie(&live)
        ),
    ] {
        let response = kit::get(&app, "/session", cookies).await;
        assert_eq!(response.text(), live.id().encode());
    }
    let both = format!("id=AAAAAAAAAAAAAAAAAAAAAA; {}", cookie(&old));
    assert!(is_superseded(&kit::get(&app, "/session", both).await));
}

#[tokio::test(start_paused = true)]
async fn r21_a_created_session_that_is_cycled_or_ended_leaves_nothing_superseded() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let slow = kit::spawn(&app, "/stop-then-cycle", "");
    let first = stage.stopped().await.id();
    stage.go_on();
    let response = slow.await.unwrap();
    assert!(told(&response).is_some_and(|id| id != first));
    assert_eq!(sessions.enter(&first).unwrap_err(), NotLive::Unknown);

    let slow = kit::spawn(&app, "/stop-then-terminate", "");
    let first = stage.stopped().await.id();
    stage.go_on();
    assert!(is_silent(&slow.await.unwrap()));
    assert_eq!(sessions.enter(&first).unwrap_err(), NotLive::Unknown);
    advance(Duration::ZERO).await;
}

/// A log of response heads contains no id.
#[tokio::test]
async fn r18_debug_of_a_response_shows_no_id() {
    let sessions = manager();
    for path in ["/session", "/cycle", "/log-in"] {
        let response = kit::open(&app(&sessions), path, "").await;
        let id = told(&response).unwrap().encode();
        assert!(!format!("{response:?}").contains(&id), "{response:?}");
    }
}

#[tokio::test]
async fn r21_the_others_end_also_where_another_request_has_ended_the_first() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let (first, second) = (sessions.create().unwrap(), sessions.create().unwrap());
    let cookies = format!("{}; {}", cookie(&first), cookie(&second));
    let slow = kit::spawn(&app, "/stop-then-terminate", cookies);
    stage.stopped().await;
    first.terminate();
    stage.go_on();
    assert!(removes(&slow.await.unwrap()));
    assert!(second.is_completed());
}

#[tokio::test]
async fn r21_a_log_out_after_a_request_without_a_head_leaves_nothing_superseded() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let mut gone = kit::get(&app, "/stop", cookie(&session)).into_future();
    assert!(futures_util::poll!(&mut gone).is_pending());
    let kept = stage.session();
    drop(gone);
    kept.terminate();
    assert!(session.is_completed());
    assert_eq!(sessions.enter(&session.id()).unwrap_err(), NotLive::Unknown);
}

#[tokio::test]
async fn r20_a_created_session_whose_id_the_handler_changed_by_itself_is_ended() {
    let sessions = manager();
    let app = axum::Router::new()
        .route(
            "/",
            axum::routing::get(async |session: session_axum::Session| {
                drop(session.into_inner().cycle_id());
            }),
        )
        .layer(session_axum::SessionLayer::new(sessions.clone()));
    assert!(is_silent(&kit::get(&app, "/", "").await));
    assert_eq!(sessions.sessions(), []);
}
