//! Clients that lose a stream, and go on by `Last-Event-ID`.

use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::{Raw, text_of};
use crate::served::service;

async fn started(app: &App) -> (Raw, session_core::SessionManager) {
    let sessions = app.manager().build().unwrap();
    let mut raw = Raw::new(&service(app, LiveSessions::new(sessions.clone())));
    raw.start().await;
    (raw, sessions)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_while_the_client_was_away_is_delivered() {
    let app = App::new();
    let (mut raw, _sessions) = started(&app).await;
    let mut stream = raw.call("wait").await;
    let first = stream.next().await.unwrap();
    assert!(first.message.is_none());
    let id = first.id.unwrap();
    app.call_at_the_gate().await;
    drop(stream);
    app.gate.add_permits(1);
    // The session's connection is lent again when the call has ended.
    assert_eq!(raw.text("work").await, "working");

    let mut resumed = raw.resume(&id).await;
    let answer = resumed.next().await.unwrap();
    assert_eq!(text_of(&answer.message.unwrap()), "waited");
    assert!(resumed.next().await.is_none());
    // After the answer there is nothing.
    let id = answer.id.unwrap();
    assert!(raw.resume(&id).await.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reconnects_while_the_call_runs_takes_the_stream_over() {
    let app = App::new();
    let (mut raw, _sessions) = started(&app).await;
    let mut half_dead = raw.call("wait").await;
    let id = half_dead.next().await.unwrap().id.unwrap();
    app.call_at_the_gate().await;
    let mut resumed = raw.resume(&id).await;
    assert!(half_dead.next().await.is_none());
    app.gate.add_permits(1);
    assert_eq!(text_of(&resumed.answer().await), "waited");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_never_was_ends_the_stream_at_once() {
    let app = App::new();
    let (mut raw, _sessions) = started(&app).await;
    for id in ["7", "0/99", "99/1", "x", "1/x", "-1", "/"] {
        assert!(raw.resume(id).await.next().await.is_none(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_not_kept_for_ever() {
    let app = App::new();
    let (mut raw, _sessions) = started(&app).await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        let mut stream = raw.call("wait").await;
        ids.push(stream.next().await.unwrap().id.unwrap());
        app.call_at_the_gate().await;
        drop(stream);
        app.gate.add_permits(1);
        assert_eq!(raw.text("work").await, "working");
    }
    let mut kept = 0;
    for id in ids {
        kept += usize::from(raw.resume(&id).await.next().await.is_some());
    }
    // Every other stream is that of a call in between.
    assert!((8..=9).contains(&kept), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn a_second_stream_leaves_the_first_one_open_and_silent() {
    let app = App::new();
    let (mut raw, sessions) = started(&app).await;
    let mut first = raw.listen().await;
    assert_eq!(first.next().await.unwrap().id.as_deref(), Some("0"));
    let mut second = raw.listen().await;
    assert_eq!(second.next().await.unwrap().id.as_deref(), Some("0"));
    let silent = tokio::time::timeout(std::time::Duration::from_secs(3600), first.next()).await;
    assert!(silent.is_err());
    sessions.sessions().pop().unwrap().terminate();
    assert!(second.next().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_on_its_way_is_delivered_again() {
    let app = App::new();
    let (mut raw, _sessions) = started(&app).await;
    let mut stream = raw.call("count").await;
    let id = stream.next().await.unwrap().id.unwrap();
    // The server has sent all of it into a connection that was dead.
    assert_eq!(text_of(&stream.answer().await), "1");
    assert!(stream.next().await.is_none());
    drop(stream);
    let mut resumed = raw.resume(&id).await;
    assert_eq!(text_of(&resumed.answer().await), "1");
    assert!(resumed.next().await.is_none());
}
