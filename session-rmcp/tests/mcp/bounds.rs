//! How many sessions there may be, and what those beyond are told.

use http::{HeaderMap, StatusCode};
use serde_json::json;
use session_core::{LocalSession as _, WhenFull};
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::Raw;
use crate::served::{by_header, service};

async fn initialize(raw: &mut Raw) -> (StatusCode, HeaderMap) {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    });
    let (head, _) = raw.request("initialize", &params).await.into_parts();
    (head.status, head.headers)
}

#[tokio::test(start_paused = true)]
async fn a_full_server_answers_503_with_retry_after() {
    let app = App::new();
    let sessions = app
        .manager()
        .max_sessions(1, WhenFull::Reject)
        .build()
        .unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    let mut ann = Raw::new(&service);
    ann.start().await;
    let (status, headers) = initialize(&mut Raw::new(&service)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "1");
    assert!(!headers.contains_key("mcp-session-id"));

    let session = sessions.sessions().pop().unwrap();
    assert_eq!(ann.delete().await, StatusCode::ACCEPTED);
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(initialize(&mut Raw::new(&service)).await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn an_owner_has_a_bound_of_its_own() {
    let app = App::new();
    let manager = app.manager().max_sessions_per_group(2, WhenFull::Reject);
    let service = service(&app, by_header(LiveSessions::new(manager.build().unwrap())));
    for _ in 0..2 {
        Raw::of_user(&service, "ann").start().await;
    }
    let (status, headers) = initialize(&mut Raw::of_user(&service, "ann")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "1");
    Raw::of_user(&service, "bob").start().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_server_may_end_the_idlest_session_instead_but_none_with_a_call() {
    let app = App::new();
    let sessions = app
        .manager()
        .max_sessions(2, WhenFull::EvictIdlest)
        .build()
        .unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    let (mut busy, mut idle, mut third) =
        (Raw::new(&service), Raw::new(&service), Raw::new(&service));
    busy.start().await;
    let mut call = busy.call("wait").await;
    app.call_at_the_gate().await;
    idle.start().await;
    // A notification is inside until the handler has it, and an answer says that it has.
    assert_eq!(idle.text("count").await, "1");
    third.start().await;
    let tools = json!({});
    assert_eq!(
        idle.request("tools/list", &tools).await.status(),
        StatusCode::NOT_FOUND
    );
    app.gate.add_permits(1);
    assert_eq!(crate::raw::text_of(&call.answer().await), "waited");
    assert_eq!(third.text("count").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_shuts_down_or_drains_answers_503() {
    for drains in [true, false] {
        let app = App::new();
        let sessions = app.manager().build().unwrap();
        let service = service(&app, LiveSessions::new(sessions.clone()));
        if drains {
            sessions.drain();
        } else {
            sessions.shutdown(std::time::Duration::from_secs(1)).await;
        }
        let (status, headers) = initialize(&mut Raw::new(&service)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers["retry-after"], "1");
    }
}
