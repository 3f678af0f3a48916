//! Handles that are closed while they are used.

use serde_json::{Value, json};
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::{Events, Raw, text_of};
use crate::served::{by_header, service};

async fn call_on(raw: &mut Raw, tool: &str, bench: &Value) -> Events {
    let params = json!({"name": tool, "arguments": {"bench": bench}});
    Events::of(raw.request("tools/call", &params).await)
}

async fn error_of(raw: &mut Raw, tool: &str, bench: &Value) -> String {
    let answer = call_on(raw, tool, bench).await.answer().await;
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_closed_under_a_call_is_gone_for_others_and_outlives_its_clients_session()
{
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let service = service(&app, by_header(LiveSessions::new(sessions.clone())));
    let mut ann = Raw::of_user(&service, "ann");
    ann.start().await;
    let opened = ann.call("open").await.answer().await;
    let bench = opened["result"]["structuredContent"]["bench"].clone();
    ann.delete().await;

    let mut again = Raw::of_user(&service, "ann");
    again.start().await;
    let mut bob = Raw::of_user(&service, "bob");
    bob.start().await;
    for tool in ["count_on", "close"] {
        assert!(
            error_of(&mut bob, tool, &bench)
                .await
                .contains("no `Workbench`")
        );
    }
    let first = call_on(&mut again, "count_on", &bench).await.answer().await;
    assert_eq!(text_of(&first), "1");
    let mut waiting = call_on(&mut again, "wait_on", &bench).await;
    app.call_at_the_gate().await;
    let mut closing = call_on(&mut again, "close", &bench).await;
    while sessions
        .sessions()
        .iter()
        .all(|session| !session.is_completed())
        && sessions.stats().in_cleanup == 0
    {
        tokio::task::yield_now().await;
    }
    for tool in ["count_on", "close"] {
        assert!(
            error_of(&mut again, tool, &bench)
                .await
                .contains("no `Workbench`")
        );
    }
    app.gate.add_permits(1);
    assert_eq!(text_of(&waiting.answer().await), "2");
    assert_eq!(text_of(&closing.answer().await), "clean: true");
}
