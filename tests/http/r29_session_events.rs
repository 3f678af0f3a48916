//! Row 29: `SessionEvents` answers clients in a way that a browser's `EventSource` understands, and ends with the session.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use session_axum::{LazySession, Session, SessionEvents, SessionLayer, SessionRejection};
use session_core::{CompletionCause, LocalSession as _, SessionManager};
use session_test::{Browser, assert_ended};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::client::{self, Http};
use crate::kit::{self, Head, Stage, cookie, is_silent, manager};
use crate::r29_event_streams::noise;

#[expect(clippy::unnecessary_wraps, reason = "an item of a stream of events")]
fn event(data: &str) -> Result<Event, Infallible> {
    Ok(Event::default().data(data))
}

/// One event, and then none for ever.
fn endless() -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    stream::iter([event("first")]).chain(stream::pending())
}

fn last() -> Event {
    Event::default().event("over")
}

fn app(sessions: &SessionManager, stage: Stage) -> Router {
    Router::new()
        .route(
            "/events",
            get(async |events: SessionEvents| events.last_event(last()).run(endless())),
        )
        .route(
            "/short",
            get(async |events: SessionEvents| {
                events
                    .last_event(last())
                    .run(stream::iter([event("one"), event("two")]))
            }),
        )
        .route(
            "/alive",
            get(async |events: SessionEvents| {
                let every = KeepAlive::new().interval(Duration::from_secs(15));
                events.last_event(last()).run(endless()).keep_alive(every)
            }),
        )
        .route("/unused", get(async |_: SessionEvents| Sse::new(endless())))
        .route(
            "/late",
            get(
                async |State(stage): State<Stage>, request: Request| -> Response {
                    stage.wait().await;
                    let mut head = request.into_parts().0;
                    match SessionEvents::from_request_parts(&mut head, &()).await {
                        Ok(events) => events.run(endless()).into_response(),
                        Err(rejection) => rejection.into_response(),
                    }
                },
            ),
        )
        .route(
            "/log-in",
            get(async |visitor: LazySession| {
                visitor.log_in("user".into())?;
                Ok::<_, SessionRejection>(())
            }),
        )
        .with_state(stage)
        .layer(SessionLayer::new(sessions.clone()))
}

fn is_event_stream(response: &impl Head) -> bool {
    let (status, headers) = response.head();
    status == 200 && headers[CONTENT_TYPE] == "text/event-stream"
}

#[tokio::test]
async fn r29_a_stranger_is_told_to_stop() {
    let sessions = manager();
    let ended = sessions.create().unwrap();
    ended.terminate();
    let known = [
        cookie(&ended),
        "id=AAAAAAAAAAAAAAAAAAAAAA".into(),
        String::new(),
    ];
    for cookies in known {
        let response = kit::get(&app(&sessions, Stage::default()), "/events", cookies).await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(kit::set_cookies(&response).is_empty());
        assert_eq!(response.text(), "");
    }
    assert_eq!(sessions.sessions(), []);
}

#[tokio::test]
async fn r29_a_client_whose_id_was_replaced_is_told_to_come_back() {
    let sessions = manager();
    let stage = Stage::default();
    let app = app(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let old = cookie(&session);
    // This one came in before the log-in.
    let early = kit::spawn(&app, "/late", old.clone());
    stage.waiting().await;
    let logged_in = kit::get(&app, "/log-in", old.clone()).await;
    stage.go_on();
    for response in [early.await.unwrap(), kit::get(&app, "/events", old).await] {
        assert!(is_event_stream(&response));
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(kit::set_cookies(&response).is_empty());
        assert_eq!(response.text(), "retry: 1000\n\n");
    }
    let new = format!("id={}", kit::told(&logged_in).unwrap().encode());
    let events = Browser::new(app).events("/events").header("cookie", new);
    assert!(events.await.next().await.is_some());
}

#[tokio::test]
async fn r29_a_session_that_ends_meanwhile_leaves_a_stranger() {
    let sessions = manager();
    let stage = Stage::default();
    let app = app(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let early = kit::spawn(&app, "/late", cookie(&session));
    stage.waiting().await;
    session.terminate();
    stage.go_on();
    assert_eq!(early.await.unwrap().status(), 204);
}

#[tokio::test]
async fn r29_without_the_layer_it_says_so() {
    let app = Router::new().route(
        "/",
        get(async |events: SessionEvents| events.run(endless())),
    );
    assert_eq!(kit::get(&app, "/", "").await.status(), 500);
}

#[tokio::test(start_paused = true)]
async fn r29_events_keep_the_session_and_end_with_it_and_the_last_one_tells() {
    for path in ["/events", "/alive"] {
        let sessions = manager();
        let session = sessions.create().unwrap();
        let response = kit::open(&app(&sessions, Stage::default()), path, cookie(&session)).await;
        assert!(is_event_stream(&response) && is_silent(&response));
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "data: first\n\n");
        let reader = tokio::spawn(kit::text_of(body));
        // Longer than the idle timeout.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(!session.is_completed());
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
        let rest = reader.await.unwrap();
        let comments = rest.strip_suffix("event: over\n\n").unwrap();
        assert_eq!(comments.is_empty(), path == "/events");
        assert_eq!(comments.replace(":\n\n", ""), "");
    }
}

#[tokio::test(start_paused = true)]
async fn r29_the_last_event_can_say_why_the_session_has_ended() {
    let sessions = manager();
    let handler = async |events: SessionEvents| {
        let events = events.last_event_with(|session| {
            let cause = session.completion_cause().unwrap();
            let reason = session.completion_reason();
            last().data(format!("{cause}: {}", reason.as_deref().unwrap_or("-")))
        });
        events.run(endless())
    };
    let app = Router::new()
        .route("/events", get(handler))
        .layer(SessionLayer::new(sessions.clone()));
    let end: [(fn(&session_core::Session), _); 2] = [
        (|session| session.terminate(), "terminated: -"),
        (
            |session| session.terminate_because("logged out elsewhere"),
            "terminated: logged out elsewhere",
        ),
    ];
    for (end, told) in end {
        let session = sessions.create().unwrap();
        let response = kit::open(&app, "/events", cookie(&session)).await;
        end(&session);
        // The client reads on when all is over.
        assert!(session.cleanup_completed().await.is_clean());
        drop(session);
        assert_eq!(
            kit::text(response).await,
            format!("event: over\ndata: {told}\n\n")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r29_events_are_dropped_at_completion_though_nobody_polls() {
    let sessions = manager();
    for path in ["/events", "/alive", "/unused"] {
        let session = sessions.create().unwrap();
        let response = kit::open(&app(&sessions, Stage::default()), path, cookie(&session)).await;
        let start = tokio::time::Instant::now();
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
        assert_eq!(start.elapsed(), Duration::ZERO, "{path}");
        // Nothing of them comes any more, but what tells the end.
        let end = if path == "/unused" {
            ""
        } else {
            "event: over\n\n"
        };
        assert_eq!(kit::text(response).await, end, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn r29_events_that_end_by_themselves_have_no_last_one() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let app = app(&sessions, Stage::default());
    let response = kit::get(&app, "/short", cookie(&session)).await;
    assert_eq!(response.text(), "data: one\n\ndata: two\n\n");
    assert_ended!(session, CompletionCause::IdleTimeout);
}

#[tokio::test(start_paused = true)]
async fn r29_at_anothers_log_in_events_end_without_a_last_one() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let app = app(&sessions, Stage::default());
    let old = cookie(&session);
    let mut body = kit::open(&app, "/events", &old).await.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    kit::get(&app, "/log-in", old).await.assert_status(200);
    assert!(body.frame().await.is_none());
    // Not even if the session ends afterwards.
    session.terminate();
    assert!(body.frame().await.is_none());
    assert!(session.cleanup_completed().await.is_clean());
}

/// Over sockets, with compression where it is allowed.
#[tokio::test]
async fn r29_a_client_that_has_stopped_reading_gets_the_last_event_when_it_reads_on() {
    for http in Http::BOTH {
        for around in ["", "inside", "outside"] {
            let sessions = manager();
            let sent = Arc::new(AtomicUsize::new(0));
            let handler = {
                let sent = sent.clone();
                async move |events: SessionEvents, _: Session| {
                    let data = noise();
                    let flood = stream::repeat_with(move || {
                        sent.fetch_add(1, Ordering::Relaxed);
                        event(&data)
                    });
                    events.last_event(last()).run(flood)
                }
            };
            let gzip = || CompressionLayer::new().compress_when(SizeAbove::new(0));
            let route = Router::new().route("/", get(handler));
            let layer = SessionLayer::new(sessions.clone());
            let app = match around {
                "inside" => route.layer(gzip()).layer(layer),
                "outside" => route.layer(layer).layer(gzip()),
                _ => route.layer(layer),
            };
            let server = client::Server::start(app, &sessions).await;
            let session = sessions.create().unwrap();
            let mut request = client::request("/", &cookie(&session));
            if !around.is_empty() {
                let gzip = "gzip".parse().unwrap();
                request.headers_mut().insert("accept-encoding", gzip);
            }
            let response = client::send(server.address, http, request).await;
            let compressed = response.headers().contains_key("content-encoding");
            assert_eq!(compressed, !around.is_empty());
            let body = response.into_body();
            client::until_stalled(&sent).await;
            session.terminate();
            let report = session.cleanup_completed().await;
            assert!(report.is_clean(), "{http:?} {around}: {report:?}");
            let rest = body.collect().await.unwrap().to_bytes();
            assert!(
                compressed || rest.ends_with(b"\n\nevent: over\n\n"),
                "{http:?}"
            );
            server.stop().await;
        }
    }
}
