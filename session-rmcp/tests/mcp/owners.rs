//! Ids that are not the client's: 404.

use http::{Method, StatusCode};
use serde_json::json;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::{Raw, text_of};
use crate::served::{by_header, service};

/// Every kind of request with this client's id.
async fn statuses(raw: &mut Raw) -> [StatusCode; 4] {
    [
        raw.request("tools/list", &json!({})).await.status(),
        raw.notify("notifications/initialized", &json!({})).await,
        raw.send(Method::GET, "").await.status(),
        raw.delete().await,
    ]
}

#[tokio::test(start_paused = true)]
async fn another_owners_session_is_not_found_and_not_touched() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, by_header(LiveSessions::new(sessions.clone())));
    let mut ann = Raw::of_user(&service, "ann");
    ann.start().await;
    let id = ann.headers["mcp-session-id"].clone();
    for mut thief in [Raw::of_user(&service, "bob"), Raw::new(&service)] {
        thief.headers.insert("mcp-session-id", id.clone());
        assert_eq!(statuses(&mut thief).await, [StatusCode::NOT_FOUND; 4]);
    }
    assert_eq!(ann.text("count").await, "1");
    assert_eq!(sessions.group(&"ann".into()).unwrap().sessions().len(), 1);
}

/// A version without sessions is no way around the owner: rmcp takes `initialize` for one with sessions, whatever version
/// it asks for.
#[tokio::test(start_paused = true)]
async fn initialize_of_a_version_without_sessions_does_not_reach_another_owners_session() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, by_header(LiveSessions::new(sessions.clone())));
    let mut ann = Raw::of_user(&service, "ann");
    ann.start().await;
    let mut waiting = ann.call("wait").await;
    app.call_at_the_gate().await;

    let mut bob = Raw::of_user(&service, "bob");
    bob.headers
        .insert("mcp-session-id", ann.headers["mcp-session-id"].clone());
    bob.headers
        .insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
    // The id of the call that waits: that of `initialize` was 1.
    let initialize = json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {
        "protocolVersion": "2026-07-28",
        "capabilities": {},
        "clientInfo": {"name": "bob", "version": "1"},
    }});
    let answer = bob.send(Method::POST, &initialize.to_string()).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    app.gate.add_permits(1);
    assert_eq!(text_of(&waiting.answer().await), "waited");
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_not_found() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    let mut ann = Raw::new(&service);
    ann.start().await;
    assert_eq!(ann.delete().await, StatusCode::ACCEPTED);
    assert_eq!(statuses(&mut ann).await, [StatusCode::NOT_FOUND; 4]);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_the_client_made_up_is_not_found() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    let other_kind = sessions.create().unwrap();
    let of_another_kind = other_kind.id().encode();
    for id in [
        "",
        "a",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA=",
        &of_another_kind,
    ] {
        let mut stranger = Raw::new(&service);
        stranger
            .headers
            .insert("mcp-session-id", id.parse().unwrap());
        assert_eq!(
            statuses(&mut stranger).await,
            [StatusCode::NOT_FOUND; 4],
            "{id}"
        );
        assert_eq!(stranger.initialize().await, StatusCode::NOT_FOUND, "{id}");
    }
    assert!(!other_kind.is_completed());
    assert_eq!(sessions.stats().active, 1);
}
