//! Row 29: an event stream ends with its session, whether or not its client reads.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use session_axum::{Session, SessionLayer};
use session_core::{LocalSession as _, SessionManager};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::client::{self, Http};
use crate::kit::{self, cookie, manager};

/// The server's side of a stream.
#[derive(Clone, Default)]
struct Seen(Arc<Stream>);

#[derive(Default)]
struct Stream {
    events: AtomicUsize,
    dropped: AtomicBool,
}

impl Seen {
    fn is_dropped(&self) -> bool {
        self.0.dropped.load(Ordering::SeqCst)
    }
}

struct SetsOnDrop(Seen);

impl Drop for SetsOnDrop {
    fn drop(&mut self) {
        self.0.0.dropped.store(true, Ordering::SeqCst);
    }
}

/// Letters that no compression makes fewer: no sequence repeats within gzip's window.
pub(crate) fn noise() -> String {
    let mut state = 1_u32;
    let noise = (0..64 << 10).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + u8::try_from(state >> 26).unwrap())
    });
    noise.collect()
}

/// More bytes than any buffer on the way takes.
fn flood(seen: &Seen) -> Body {
    let held = SetsOnDrop(seen.clone());
    let data = Bytes::from(format!("data: {}\n\n", noise()));
    Body::from_stream(stream::repeat_with(move || {
        held.0.0.events.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(data.clone())
    }))
}

fn app(sessions: &SessionManager, seen: Seen) -> Router {
    let of_type = move |kind: &'static str| {
        let seen = seen.clone();
        async move |_: Session| -> Response {
            ([(CONTENT_TYPE, kind)], flood(&seen)).into_response()
        }
    };
    Router::new()
        .route("/events", get(of_type("text/event-stream")))
        .route("/download", get(of_type("application/octet-stream")))
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test(start_paused = true)]
async fn r29_body_and_guards_are_dropped_at_completion_though_nobody_polls() {
    let sessions = manager();
    for cookies in ["known", "new"] {
        let session = (cookies == "known").then(|| sessions.create().unwrap());
        let seen = Seen::default();
        let presented = session.as_ref().map(cookie).unwrap_or_default();
        let response = kit::open(&app(&sessions, seen.clone()), "/events", presented).await;
        let session = sessions.sessions().pop().unwrap();
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        session.terminate();
        // No time passes.
        assert!(session.cleanup_completed().await.is_clean());
        assert!(seen.is_dropped());
        assert!(body.frame().await.is_none(), "plainly");
        assert!(http_body::Body::is_end_stream(&body));
    }
}

#[tokio::test]
async fn r29_an_event_stream_promises_no_length() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |_: Session| {
                let head = [
                    (CONTENT_TYPE, "text/event-stream"),
                    (http::header::CONTENT_LENGTH, "100"),
                ];
                (
                    head,
                    Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()),
                )
            }),
        )
        .layer(SessionLayer::new(sessions));
    let response = kit::open(&app, "/", "").await;
    assert!(
        !response
            .headers()
            .contains_key(http::header::CONTENT_LENGTH)
    );
}

#[tokio::test(start_paused = true)]
async fn r29_any_other_body_is_waited_for() {
    let sessions = manager();
    let seen = Seen::default();
    let response = kit::open(&app(&sessions, seen.clone()), "/download", "").await;
    let session = sessions.sessions().pop().unwrap();
    let mut body = response.into_body();
    session.terminate();
    let cleanup = session.cleanup_completed();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(cleanup.clone().now_or_never().is_none() && !seen.is_dropped());
    assert!(body.frame().await.unwrap().is_ok());
    drop(body);
    assert!(cleanup.await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r29_a_stream_after_a_log_out_is_no_sessions() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| {
                session.terminate();
                let events = stream::iter([Ok::<_, Infallible>(Bytes::from("data: bye\n\n"))]);
                (
                    [(CONTENT_TYPE, "text/event-stream")],
                    Body::from_stream(events),
                )
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let session = sessions.create().unwrap();
    let response = kit::open(&app, "/", cookie(&session)).await;
    assert!(kit::removes(&response));
    // The request has left the session, though its stream goes on.
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(kit::text(response).await, "data: bye\n\n");
}

/// Over sockets, with compression where it is allowed.
#[tokio::test]
async fn r29_a_client_that_has_stopped_reading_holds_up_no_cleanup() {
    for http in Http::BOTH {
        for around in ["", "inside", "outside", "default outside"] {
            let sessions = manager();
            let seen = Seen::default();
            let gzip = || CompressionLayer::new().compress_when(SizeAbove::new(0));
            let handler = {
                let seen = seen.clone();
                async move |_: Session| -> Response {
                    ([(CONTENT_TYPE, "text/event-stream")], flood(&seen)).into_response()
                }
            };
            let route = Router::new().route("/events", get(handler));
            let layer = SessionLayer::new(sessions.clone());
            let app = match around {
                "inside" => route.layer(gzip()).layer(layer),
                "outside" => route.layer(layer).layer(gzip()),
                "default outside" => route.layer(layer).layer(CompressionLayer::new()),
                _ => route.layer(layer),
            };
            let server = client::Server::start(app, &sessions).await;
            let mut request = client::request("/events", "");
            request
                .headers_mut()
                .insert("accept-encoding", "gzip".parse().unwrap());
            let response = client::send(server.address, http, request).await;
            let session = sessions.sessions().pop().unwrap();
            let mut body = response.into_body();
            assert!(body.frame().await.unwrap().is_ok());
            // Now the client stops reading, and all buffers are full.
            client::until_stalled(&seen.0.events).await;
            session.terminate();
            let report = session.cleanup_completed().await;
            assert!(report.is_clean(), "{http:?} {around}: {report:?}");
            assert!(seen.is_dropped(), "{http:?} {around}");
            // And if it reads on, the stream ends.
            let mut rest = body.into_data_stream();
            while rest.next().await.transpose().unwrap().is_some() {}
            server.stop().await;
        }
    }
}
