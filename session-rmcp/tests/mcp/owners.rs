//! Ids that are not the client's: 404.

use http::{Method, StatusCode};
use serde_json::json;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::Raw;
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
