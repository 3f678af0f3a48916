//! Row 24: sessions of clients that never come back end sooner.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use session_axum::{Props, Session, SessionLayer};
use session_core::{CompletionCause, LocalSession, Property, SessionManager, SessionProperties};
use session_test::Browser;

use crate::kit::{self, app, is_superseded, pass, set_cookies};

const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(20 * 60);

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    count: Property<u8>,
}

fn manager() -> SessionManager {
    SessionManager::builder()
        .idle_timeout(IDLE)
        .unconfirmed_timeout(MINUTE)
        .build()
        .unwrap()
}

fn only(sessions: &SessionManager) -> session_core::Session {
    let [session] = &sessions.sessions()[..] else {
        panic!("there is one session");
    };
    session.clone()
}

#[tokio::test(start_paused = true)]
async fn r24_a_client_that_never_comes_back_leaves_no_session_for_long() {
    let sessions = manager();
    let app = app(&sessions)
        .route(
            "/props",
            get(async |desk: Props<Desk>| desk.count().unwrap().to_string()),
        )
        .layer(SessionLayer::new(sessions.clone()));
    for path in ["/session", "/log-in", "/cycle", "/props"] {
        kit::get(&app, path, "").await;
        let session = only(&sessions);
        pass(MINUTE / 10 * 9).await;
        assert!(!session.is_completed(), "{path}");
        pass(MINUTE / 5).await;
        let cause = session.completion_cause();
        assert_eq!(cause, Some(CompletionCause::IdleTimeout), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn r24_a_client_that_comes_back_has_the_usual_time() {
    let sessions = manager();
    let app = app(&sessions);
    // The page asks for no session when it comes back: its client has presented the id all the same.
    for path in ["/untouched", "/session", "/optional", "/no-such-page"] {
        let ann = Browser::new(app.clone());
        ann.get("/session").await;
        let session = only(&sessions);
        pass(MINUTE / 2).await;
        assert!(set_cookies(&ann.get(path).await).is_empty());
        pass(IDLE / 10 * 9).await;
        assert!(!session.is_completed(), "{path}");
        pass(IDLE / 5).await;
        assert!(session.is_completed(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn r24_an_id_from_before_the_log_in_does_not_confirm() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions));
    ann.get("/session").await;
    let session = only(&sessions);
    drop(session.cycle_id().unwrap());
    assert!(is_superseded(&ann.get("/session").await));
    pass(MINUTE + Duration::from_secs(1)).await;
    assert!(session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r24_an_open_stream_is_no_crawler() {
    let sessions = manager();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let receiver = std::sync::Arc::new(receiver);
    let app = Router::new()
        .route(
            "/",
            get(async move |_: Session| {
                let receiver = receiver.lock().unwrap().take().unwrap();
                Body::from_stream(futures_util::stream::unfold(
                    receiver,
                    async |mut receiver| receiver.recv().await.map(|chunk| (chunk, receiver)),
                ))
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let response = kit::open(&app, "/", "").await;
    let session = only(&sessions);
    pass(IDLE * 2).await;
    assert!(!session.is_completed());
    drop(response);
    assert!(sender.is_closed());
    pass(MINUTE + Duration::from_secs(1)).await;
    assert!(session.is_completed(), "nobody has presented the id");
}

#[tokio::test(start_paused = true)]
async fn r24_the_application_s_own_sessions_have_the_usual_time() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    pass(IDLE / 10 * 9).await;
    assert!(!session.is_completed());
}
