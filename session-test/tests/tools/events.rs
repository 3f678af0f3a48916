//! Event streams are read as a page's `EventSource` reads them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use session_axum::{Session, SessionEvents, SessionLayer};
use session_core::{CompletionCause, LocalSession as _, SessionManager};
use session_test::{Browser, Event, SessionsExt as _, assert_ended};

/// A stream of these chunks.
fn raw(chunks: Vec<Vec<u8>>) -> Browser {
    let stream = async |State(chunks): State<Vec<Vec<u8>>>| -> Response {
        let chunks = stream::iter(chunks.into_iter().map(Ok::<_, Infallible>));
        (
            [("content-type", "text/event-stream; charset=utf-8")],
            Body::from_stream(chunks),
        )
            .into_response()
    };
    Browser::new(Router::new().route("/", get(stream)).with_state(chunks))
}

/// The events of a stream, as `type/data/id`, whether it comes byte by byte or at once.
async fn parsed(text: impl AsRef<[u8]>) -> Vec<String> {
    let text = text.as_ref().to_vec();
    let bytes = text.iter().map(|byte| vec![*byte]).collect();
    let mut both = Vec::new();
    for chunks in [vec![text], bytes] {
        let mut events = raw(chunks).events("/").await;
        let mut parsed = Vec::new();
        while let Some(Event {
            event, data, id, ..
        }) = events.next().await
        {
            parsed.push(format!("{event}/{data}/{id}"));
        }
        assert_eq!(events.next().await, None);
        both.push(parsed);
    }
    assert_eq!(both[0], both[1], "the chunks make a difference");
    both.remove(0)
}

#[tokio::test]
async fn lines_end_in_three_ways() {
    for end in ["\n", "\r", "\r\n"] {
        let text = "data: a\ndata: b\n\nevent: e\ndata: c\n\n".replace('\n', end);
        assert_eq!(parsed(text).await, ["message/a\nb/", "e/c/"], "{end:?}");
    }
    assert_eq!(
        parsed("data: a\r\n\rdata: b\n\r").await,
        ["message/a/", "message/b/"]
    );
}

#[tokio::test]
async fn the_examples_of_the_standard_are_read_as_it_says() {
    assert_eq!(
        parsed("data: YHOO\ndata: +2\ndata: 10\n\n").await,
        ["message/YHOO\n+2\n10/"]
    );
    assert_eq!(
        parsed(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n").await,
        ["message/first event/1", "message/second event/", "message/ third event/"]
    );
    assert_eq!(
        parsed("data\n\ndata\ndata\n\ndata:").await,
        ["message//", "message/\n/"]
    );
    assert_eq!(
        parsed("data:test\n\ndata: test\n\n").await,
        ["message/test/", "message/test/"]
    );
}

#[tokio::test]
async fn what_is_malformed_is_passed_over() {
    for (text, expected) in [
        ("", &[][..]),
        ("\u{feff}data: a\n\n", &["message/a/"]),
        ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["message/b/"]),
        ("DATA: a\nunknown: b\nno field\n data: c\n\n", &[]),
        (":\n::\n: data: a\n\n", &[]),
        ("data: a\nevent: one\nevent: two\n\n", &["two/a/"]),
        // Without data it is no event, and its type is forgotten, but its id is not.
        ("event: e\nid: 7\n\ndata: a\n\n", &["message/a/7"]),
        (
            "id: 1\ndata: a\n\nid: a\0b\ndata: b\n\n",
            &["message/a/1", "message/b/1"],
        ),
        ("data: a:b: c\n\n", &["message/a:b: c/"]),
        ("data: unfinished\n", &[]),
    ] {
        assert_eq!(parsed(text).await, expected, "{text:?}");
    }
    assert_eq!(
        parsed(b"data: \xff\xf0\x9f\n\n").await,
        ["message/\u{fffd}\u{fffd}/"]
    );
}

#[tokio::test]
async fn the_time_to_reconnect_is_told() {
    for (text, expected) in [
        ("retry: 1000\n\n", Some(1000)),
        ("retry: 1000\nretry: 20\n", Some(20)),
        (
            "retry: 1000\nretry: soon\nretry: -1\nretry:\nretry: 1.5\n",
            Some(1000),
        ),
        ("retry: 99999999999999999999\n", None),
        ("", None),
    ] {
        let mut events = raw(vec![text.into()]).events("/").await;
        assert_eq!(events.next().await, None);
        assert_eq!(
            events.retry(),
            expected.map(Duration::from_millis),
            "{text:?}"
        );
    }
}

/// A stream that begins after the client's last id, with a number every minute.
async fn numbers(headers: HeaderMap, _: Session) -> impl IntoResponse {
    assert_eq!(headers["accept"], "text/event-stream");
    let last = headers
        .get("last-event-id")
        .map_or(0, |id| id.to_str().unwrap().parse().unwrap());
    let numbers = stream::iter(last + 1..).then(async |number: u64| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok::<_, Infallible>(sse::Event::default().id(number.to_string()).data("tick"))
    });
    Sse::new(numbers).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route("/numbers", get(numbers))
        .route(
            "/events",
            get(async |events: SessionEvents| {
                events
                    .last_event(sse::Event::default().event("over").data("bye"))
                    .run(stream::pending::<Result<_, Infallible>>())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test(start_paused = true)]
async fn a_stream_runs_on_in_paused_time_and_goes_on_where_it_was() {
    let sessions = SessionManager::builder().build().unwrap();
    let ann = Browser::new(app(&sessions));
    let mut events = ann.events("/numbers").await;
    for id in ["1", "2", "3"] {
        let event = events.next().await.unwrap();
        assert_eq!(
            (&*event.event, &*event.data, &*event.id),
            ("message", "tick", id)
        );
    }
    let session = ann.session(&sessions).unwrap();
    assert_eq!(session.activity().requests, 1);
    // A client that has gone.
    drop(events);
    assert_eq!(session.activity().requests, 0);
    let mut events = ann.events("/numbers").header("last-event-id", "3").await;
    assert_eq!(events.next().await.unwrap().id, "4");
    session.terminate();
    assert_eq!(events.next().await, None);
    assert_ended!(session, CompletionCause::Terminated);
    sessions.assert_clean().await;
}

#[tokio::test(start_paused = true)]
async fn no_event_is_lost_if_a_wait_for_it_is_given_up() {
    let sessions = SessionManager::builder().build().unwrap();
    let mut events = Browser::new(app(&sessions)).events("/numbers").await;
    for id in ["1", "2"] {
        let waits = std::iter::repeat_with(|| Duration::from_secs(59));
        let mut given_up = 0;
        for wait in waits {
            if let Ok(event) = tokio::time::timeout(wait, events.next()).await {
                assert_eq!(event.unwrap().id, id);
                break;
            }
            given_up += 1;
        }
        assert_eq!(given_up, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_event_is_read_and_then_the_end() {
    let sessions = SessionManager::builder().build().unwrap();
    let ann = Browser::new(app(&sessions));
    drop(ann.events("/numbers").await);
    let mut events = ann.events("/events").await;
    ann.session(&sessions).unwrap().terminate();
    assert_eq!(events.next().await.unwrap().event, "over");
    assert_eq!(events.next().await, None);
    sessions.assert_clean().await;
}

#[tokio::test]
#[should_panic(expected = "expected an event stream, came ``, 204 No Content")]
async fn what_is_no_event_stream_fails_the_test() {
    let sessions = SessionManager::builder().build().unwrap();
    let _ = Browser::new(app(&sessions)).events("/events").await;
}

#[tokio::test]
#[should_panic(expected = "came `text/plain; charset=utf-8`, 200 OK: hello")]
async fn another_type_fails_the_test() {
    let app = Router::new().route("/", get(async || "hello"));
    let _ = Browser::new(app).events("/").await;
}

#[tokio::test]
#[should_panic(expected = "the event stream ended with an error: the disk is full")]
async fn a_stream_that_breaks_off_fails_the_test() {
    let broken = async || {
        let chunks = stream::iter([Ok("data: a\n\n"), Err("the disk is full")]);
        (
            [("content-type", "text/event-stream")],
            Body::from_stream(chunks),
        )
    };
    let mut events = Browser::new(Router::new().route("/", get(broken)))
        .events("/")
        .await;
    assert_eq!(events.next().await.unwrap().data, "a");
    events.next().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "expected an event, but nothing came for 604800s")]
async fn an_event_that_does_not_come_fails_the_test() {
    let silent = async || Sse::new(stream::pending::<Result<sse::Event, Infallible>>());
    let mut events = Browser::new(Router::new().route("/", get(silent)))
        .events("/")
        .await;
    events.next().await;
}
