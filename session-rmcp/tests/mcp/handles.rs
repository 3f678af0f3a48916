//! Handles, with rmcp's own client of the version without sessions, over HTTP.

use std::time::Duration;

use futures_util::future::join_all;
use rmcp::service::ServiceError;
use serde_json::{Value, json};
use session_core::{CompletionCause, LocalSession as _, WhenFull};
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::served::{Client, Served, by_header, call, call_with};

/// Opens a workbench, and returns the arguments of calls with it.
async fn open(client: &Client) -> Value {
    let opened = call(client, "open").await.unwrap();
    let opened: Value = serde_json::from_str(&opened).unwrap();
    assert_eq!(opened["bench"].as_str().unwrap().len(), 22);
    opened
}

/// The error of a call with these arguments: its code and its message.
async fn error(client: &Client, tool: &'static str, arguments: &Value) -> (i32, String) {
    match call_with(client, tool, arguments).await {
        Err(ServiceError::McpError(error)) => (error.code.0, error.message.into_owned()),
        other => panic!("{other:?}"),
    }
}

const GONE: &str = "no `Workbench` has this handle: it was closed or has timed out; open a new one, and use its handle";

#[tokio::test]
async fn a_handle_is_a_live_object_from_call_to_call() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client_without_sessions(None).await;
    let (first, second) = (open(&client).await, open(&client).await);
    assert_ne!(first, second);
    for turn in 1..=5 {
        for bench in [&first, &second] {
            let count = call_with(&client, "count_on", bench).await.unwrap();
            assert_eq!(count, turn.to_string());
        }
    }
    // Nothing but the two of them: this version has no sessions.
    assert_eq!(sessions.stats().created, 2);
    let counts = join_all((0..20).map(|_| call_with(&client, "count_on", &first))).await;
    let mut counts: Vec<u32> = counts
        .into_iter()
        .map(|count| count.unwrap().parse().unwrap())
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (6..=25).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_same_set_serves_sessions_and_handles() {
    let app = App::new();
    let served = Served::new(&app, LiveSessions::new(app.manager().build().unwrap())).await;
    let client = served.client(None).await;
    let bench = open(&client).await;
    assert_eq!(call(&client, "count").await.unwrap(), "1");
    assert_eq!(call(&client, "count").await.unwrap(), "2");
    assert_eq!(call_with(&client, "count_on", &bench).await.unwrap(), "1");
}

#[tokio::test]
async fn a_tool_that_needs_a_session_says_so_to_a_client_without() {
    let app = App::new();
    let served = Served::new(&app, LiveSessions::new(app.manager().build().unwrap())).await;
    let client = served.client_without_sessions(None).await;
    let (code, message) = error(&client, "count", &json!({})).await;
    assert_eq!(code, -32600);
    assert!(
        message.ends_with("use a tool that takes a handle"),
        "{message}"
    );
}

#[tokio::test]
async fn a_closed_handle_is_gone_and_its_objects_are_closed_in_order() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client_without_sessions(None).await;
    let bench = open(&client).await;
    assert_eq!(
        call_with(&client, "work_on", &bench).await.unwrap(),
        "working"
    );
    assert_eq!(
        call_with(&client, "close", &bench).await.unwrap(),
        "clean: true"
    );
    assert_eq!(app.log(), ["job stopped", "connection rolled back"]);
    for tool in ["count_on", "close"] {
        assert_eq!(
            error(&client, tool, &bench).await,
            (-32602, GONE.to_owned())
        );
    }
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test]
async fn a_handle_times_out_when_no_call_uses_it_but_not_under_a_call() {
    let app = App::new();
    let idle = Duration::from_millis(100);
    let sessions = app.manager().idle_timeout(idle).build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client_without_sessions(None).await;
    let bench = open(&client).await;
    let session = sessions.sessions().pop().unwrap();
    let opening = async {
        app.call_at_the_gate().await;
        tokio::time::sleep(10 * idle).await;
        app.gate.add_permits(1);
    };
    let (count, ()) = tokio::join!(call_with(&client, "wait_on", &bench), opening);
    assert_eq!(count.unwrap(), "1");
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    assert_eq!(
        error(&client, "count_on", &bench).await,
        (-32602, GONE.to_owned())
    );
}

#[tokio::test]
async fn another_owners_handle_is_gone_too() {
    let app = App::new();
    let live = by_header(LiveSessions::new(app.manager().build().unwrap()));
    let served = Served::new(&app, live).await;
    let ann = served.client_without_sessions(Some("ann")).await;
    let bench = open(&ann).await;
    for thief in [Some("bob"), None] {
        let thief = served.client_without_sessions(thief).await;
        for tool in ["count_on", "close"] {
            assert_eq!(error(&thief, tool, &bench).await, (-32602, GONE.to_owned()));
        }
        assert_eq!(call(&thief, "list").await.unwrap(), "[]");
    }
    assert_eq!(call_with(&ann, "count_on", &bench).await.unwrap(), "1");
}

#[tokio::test]
async fn a_handle_is_parsed_strictly_and_is_of_one_set() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client_without_sessions(None).await;
    let bench = open(&client).await["bench"].as_str().unwrap().to_owned();
    for text in [
        "",
        "workbench",
        &bench[1..],
        &format!("{bench}="),
        &format!(" {bench}"),
    ] {
        let (code, message) = error(&client, "count_on", &json!({"bench": text})).await;
        assert_eq!(code, -32602);
        assert_eq!(
            message,
            "not a handle: pass the 22 characters that the tool which opened the `Workbench` returned, unchanged"
        );
    }
    let notebook = call(&client, "open_notebook").await.unwrap();
    let notebook: Value = serde_json::from_str(&notebook).unwrap();
    let (code, message) = error(&client, "count_on", &json!({"bench": notebook["notebook"]})).await;
    assert_eq!(code, -32602);
    assert_eq!(
        message,
        "this is the handle of a `Notebook`, and a `Workbench` is needed"
    );
    // The ids of sessions are no handles.
    let session = sessions.create().unwrap().id().encode();
    let (code, message) = error(&client, "count_on", &json!({"bench": session})).await;
    assert_eq!((code, message), (-32602, GONE.to_owned()));
}

#[tokio::test]
async fn an_owner_lists_its_handles_and_has_a_bound() {
    let app = App::new();
    let manager = app.manager().max_sessions_per_group(2, WhenFull::Reject);
    let live = by_header(LiveSessions::new(manager.build().unwrap()));
    let served = Served::new(&app, live).await;
    let ann = served.client_without_sessions(Some("ann")).await;
    let bench = open(&ann).await;
    call(&ann, "open_notebook").await.unwrap();
    let (code, message) = error(&ann, "open", &json!({})).await;
    assert_eq!(code, -32000);
    assert_eq!(
        message,
        "no room for another `Workbench`: close one, or try again later"
    );
    let listed = call(&ann, "list").await.unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["handle"], bench["bench"]);
    assert_eq!(listed[0]["kind"], "Workbench");
    assert_eq!(listed[1]["kind"], "Notebook");
    assert_eq!(listed.as_array().unwrap().len(), 2);

    call_with(&ann, "close", &bench).await.unwrap();
    open(&ann).await;
    let bob = served.client_without_sessions(Some("bob")).await;
    open(&bob).await;
}

#[tokio::test]
async fn the_schema_tells_the_model_where_a_handle_comes_from() {
    let app = App::new();
    let served = Served::new(&app, LiveSessions::new(app.manager().build().unwrap())).await;
    let client = served.client_without_sessions(None).await;
    let tools = client.list_all_tools().await.unwrap();
    let tool = tools.iter().find(|tool| tool.name == "count_on").unwrap();
    let schema = serde_json::to_value(&*tool.input_schema).unwrap();
    assert_eq!(
        schema["properties"]["bench"],
        json!({
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{22}$",
            "description": "the handle of a `Workbench`, from the tool that opened it",
        })
    );
}

#[tokio::test]
async fn a_shutdown_waits_for_a_call_with_a_handle() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client_without_sessions(None).await;
    let bench = open(&client).await;
    assert_eq!(call_with(&client, "count_on", &bench).await.unwrap(), "1");
    let shutdown = async {
        app.call_at_the_gate().await;
        let session = sessions.sessions().pop().unwrap();
        let opening = async {
            session.completion_token().cancelled().await;
            app.gate.add_permits(1);
        };
        tokio::join!(sessions.shutdown(Duration::from_secs(10)), opening).0
    };
    let (count, report) = tokio::join!(call_with(&client, "wait_on", &bench), shutdown);
    assert_eq!(count.unwrap(), "2");
    assert!(report.is_clean(), "{report:?}");
    let (code, message) = error(&client, "open", &json!({})).await;
    assert_eq!(
        (code, message.as_str()),
        (-32000, "no new `Workbench`: the server is shutting down")
    );
}
