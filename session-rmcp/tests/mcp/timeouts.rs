//! Sessions that their clients leave behind, and calls that take longer than any timeout.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use session_core::{
    CompletionCause, LifecycleEvent, LifecycleEvents, LocalSession as _, SessionManager,
};
use session_rmcp::LiveSessions;
use tokio::time::{advance, sleep};

use crate::app::App;
use crate::raw::{Raw, text_of};
use crate::served::{Served, call, connect_to, service};

const SECOND: Duration = Duration::from_secs(1);

/// Waits until so many sessions have been cleaned up.
async fn cleaned_up(events: &mut LifecycleEvents, mut sessions: usize) {
    while sessions > 0 {
        match events.next().await.expect("the manager is there") {
            Ok(LifecycleEvent::CleanedUp(_, report)) => {
                assert!(report.is_clean(), "{report:?}");
                sessions -= 1;
            }
            Ok(_) => {}
            Err(missed) => panic!("{missed:?}"),
        }
    }
}

fn assert_nothing_is_left(sessions: &SessionManager) {
    let stats = sessions.stats();
    assert_eq!((stats.active, stats.in_cleanup), (0, 0));
}

#[tokio::test]
async fn five_hundred_abandoned_initializes_leave_nothing() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let mut events = sessions.subscribe();
    let live = LiveSessions::new(sessions.clone()).with_init_timeout(Duration::from_millis(300));
    let served = Served::new(&app, live).await;
    let http = reqwest::Client::new();
    let abandoned = (0..500).map(|_| {
        http.post(served.url())
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#)
            .send()
    });
    let (answers, ()) = tokio::join!(join_all(abandoned), cleaned_up(&mut events, 500));
    for answer in answers {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
    assert_nothing_is_left(&sessions);
    assert_eq!(sessions.stats().created, 500);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_initialize_is_timed_out_whatever_else_it_does() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let live = LiveSessions::new(sessions.clone()).with_init_timeout(10 * SECOND);
    let service = service(&app, live);
    let mut raw = Raw::new(&service);
    assert_eq!(raw.initialize().await, StatusCode::OK);
    let _open = raw.listen().await;
    sleep(6 * SECOND).await;
    assert_eq!(raw.text("count").await, "1");
    let session = sessions.sessions().pop().unwrap();
    assert!(!session.is_completed());
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        session.completion_reason().as_deref(),
        Some("the client did not finish `initialize`")
    );
    assert_eq!(
        raw.request("tools/list", &serde_json::json!({}))
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_finishes_initialize_is_idle_only_after_the_idle_timeout() {
    let app = App::new();
    let sessions = app.manager().idle_timeout(60 * SECOND).build().unwrap();
    let service = service(
        &app,
        LiveSessions::new(sessions.clone()).with_init_timeout(10 * SECOND),
    );
    let mut raw = Raw::new(&service);
    raw.start().await;
    let session = sessions.sessions().pop().unwrap();
    sleep(50 * SECOND).await;
    assert_eq!(raw.text("count").await, "1");
    sleep(50 * SECOND).await;
    assert!(!session.is_completed());
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    assert_nothing_is_left(&sessions);
}

/// Whether the client still reads, and whether or not the tool has an argument that holds the session.
#[tokio::test(start_paused = true)]
async fn a_call_longer_than_every_timeout_finishes() {
    for tool in ["wait", "wait_outside"] {
        for stays in [true, false] {
            let app = App::new();
            let sessions = app.manager().idle_timeout(SECOND).build().unwrap();
            let service = service(&app, LiveSessions::new(sessions.clone()));
            let mut raw = Raw::new(&service);
            raw.start().await;
            let mut stream = Some(raw.call(tool).await);
            let first = stream.as_mut().unwrap().next().await.unwrap();
            app.call_at_the_gate().await;
            if !stays {
                stream = None;
            }
            advance(3600 * SECOND).await;
            sleep(60 * SECOND).await;
            let session = sessions.sessions().pop().expect("the session is active");
            assert_eq!(session.activity().requests, 1);
            app.gate.add_permits(1);
            let mut stream = match stream {
                Some(stream) => stream,
                None => raw.resume(first.id.as_deref().unwrap()).await,
            };
            assert_eq!(text_of(&stream.answer().await), "waited", "{tool}");
            drop(stream);
            assert!(session.cleanup_completed().await.is_clean());
            assert_eq!(
                session.completion_cause(),
                Some(CompletionCause::IdleTimeout)
            );
        }
    }
}

/// The same with rmcp's own client and a real clock.
#[tokio::test]
async fn a_call_of_rmcps_client_longer_than_every_timeout_finishes() {
    let app = App::new();
    let sessions = app
        .manager()
        .idle_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let client = served.client(None).await;
    let opening = async {
        app.call_at_the_gate().await;
        sleep(SECOND).await;
        app.gate.add_permits(1);
    };
    let (waited, ()) = tokio::join!(call(&client, "wait"), opening);
    assert_eq!(waited.unwrap(), "waited");
}

#[tokio::test]
async fn nothing_of_a_killed_client_is_left() {
    let app = App::new();
    let sessions = app
        .manager()
        .idle_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    // A runtime of its own, so that all of the client's tasks and sockets are gone at once, without a farewell.
    let killed = {
        let url = served.url();
        let app = app.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let client = runtime.block_on(async {
                let client = connect_to(&url).await;
                assert_eq!(call(&client, "work").await.unwrap(), "working");
                tokio::select! {
                    _ = call(&client, "wait") => unreachable!("the gate is closed"),
                    () = app.call_at_the_gate() => {}
                }
                client
            });
            runtime.shutdown_background();
            drop(client);
        })
    };
    tokio::task::spawn_blocking(|| killed.join().unwrap())
        .await
        .unwrap();
    let session = sessions
        .sessions()
        .pop()
        .expect("its call is still running");
    app.gate.add_permits(1);
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    assert_eq!(
        app.log(),
        ["call ended", "job stopped", "connection rolled back"]
    );
    assert_nothing_is_left(&sessions);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_panics_is_answered_with_an_error_and_its_session_times_out() {
    let app = App::new();
    let sessions = app.manager().idle_timeout(60 * SECOND).build().unwrap();
    let service = service(&app, LiveSessions::new(sessions.clone()));
    for tool in ["panic", "panic_at_once"] {
        let mut raw = Raw::new(&service);
        raw.start().await;
        let session = sessions.sessions().pop().unwrap();
        let mut events = raw.call(tool).await;
        let answer = tokio::time::timeout(10 * SECOND, events.answer()).await;
        assert_eq!(
            answer.unwrap()["error"]["message"],
            "the handler of this call has panicked"
        );
        assert!(events.next().await.is_none());
        assert_eq!(raw.text("count").await, "1");
        let report = tokio::time::timeout(120 * SECOND, session.cleanup_completed()).await;
        assert!(report.unwrap().is_clean());
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
    }
    assert_nothing_is_left(&sessions);
}

#[tokio::test(start_paused = true)]
async fn an_initialize_that_the_server_never_answers_times_out_too() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let live = LiveSessions::new(sessions.clone()).with_init_timeout(10 * SECOND);
    let mut raw = Raw::new(&service(&app, live));
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "stuck", "version": "1"},
    });
    let answer = tokio::time::timeout(SECOND, raw.request("initialize", &params)).await;
    assert!(answer.is_err());
    let session = sessions.sessions().pop().unwrap();
    let ended = tokio::time::timeout(3600 * SECOND, session.cleanup_completed()).await;
    ended.expect("the session ends");
    assert_eq!(
        session.completion_reason().as_deref(),
        Some("the client did not finish `initialize`")
    );
    assert_nothing_is_left(&sessions);
}
