//! Rule 17: nothing is buffered, and what one side ends, ends at the other.

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::mpsc;

use crate::http_client::{Http, get, header, request, send_on, text, with_body};
use crate::http_hostile::bytes_of;
use crate::http_kit::pair;

type Frames = mpsc::Sender<Result<Frame<Bytes>, std::convert::Infallible>>;

fn streamed() -> (Frames, Body) {
    let (frames, receiver) = mpsc::channel(1);
    let body = stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    (frames, Body::new(StreamBody::new(body)))
}

#[tokio::test]
async fn c17_both_bodies_stream_piece_by_piece_with_their_trailers() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    // Trailers of HTTP/1.1 are always announced, and gRPC's never.
    for (http, announced) in [(Http::One, true), (Http::Two, true), (Http::Two, false)] {
        let (frames, body) = streamed();
        let mut request = with_body(Method::POST, "/echo", &cookie, body);
        let headers = request.headers_mut();
        headers.insert("te", "trailers".parse().unwrap());
        if announced {
            headers.insert("trailer", "x-sum".parse().unwrap());
        }
        let (response, _) = send_on(a.address, http, request).await;
        let mut body = response.into_body();
        for piece in ["first", "second"] {
            frames.send(Ok(Frame::data(piece.into()))).await.unwrap();
            // It comes back before the next one is sent.
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
        }
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "2".parse().unwrap())]);
        frames
            .send(Ok(Frame::trailers(trailers.clone())))
            .await
            .unwrap();
        drop(frames);
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_trailers().unwrap(), trailers, "{http:?}");
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test]
async fn c17_an_event_stream_passes_at_once_and_ends_with_its_client() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for http in Http::BOTH {
        let (response, connection) = send_on(a.address, http, request("/events", &cookie)).await;
        assert_eq!(header(&response, "content-type"), Some("text/event-stream"));
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "data: first\n\n");
        b.stage.go_on.notify_one();
        let more = body.frame().await.unwrap().unwrap();
        assert_eq!(more.into_data().unwrap(), "data: more\n\n");
        connection.abort();
        // Over HTTP/2 it ends with its last stream.
        drop(body);
        b.stage.dropped.notified().await;
    }
}

#[tokio::test]
async fn c17_an_event_stream_ends_with_its_session() {
    let (_directory, a, b) = pair().await;
    let (session, cookie) = b.visitor();
    let mut response = get(a.address, "/events", &cookie).await;
    let _ = response.frame().await.unwrap().unwrap();
    session_core::LocalSession::terminate(&session);
    assert!(response.frame().await.is_none());
}

#[tokio::test]
async fn c17_a_client_that_hangs_up_ends_its_request_at_the_owner() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for http in Http::BOTH {
        let sending = tokio::spawn(send_on(a.address, http, request("/wait", &cookie)));
        b.stage.arrived.notified().await;
        // The connection's own task is dropped with its only request.
        sending.abort();
        b.stage.dropped.notified().await;
    }
}

#[tokio::test]
async fn c17_a_length_that_is_known_passes_and_none_is_made_up() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let known = with_body(Method::POST, "/head", &cookie, Body::from("abc"));
    let stream = with_body(
        Method::POST,
        "/head",
        &cookie,
        crate::http_hostile::bytes_of("abc"),
    );
    let none = request("/head", &cookie);
    for (request, length, encoding) in [
        (known, true, false),
        (stream, false, true),
        (none, false, false),
    ] {
        let (response, _) = send_on(a.address, Http::One, request).await;
        let head = crate::http_client::text(response).await;
        assert_eq!(head.contains("content-length: 3"), length, "{head}");
        assert_eq!(
            head.contains("transfer-encoding: chunked"),
            encoding,
            "{head}"
        );
    }
}

#[tokio::test]
async fn c17_requests_at_the_same_time_have_connections_of_their_own() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    let requests = (0..50).map(|_| {
        let request = request("/wait", &cookie);
        tokio::spawn(send_on(a.address, Http::One, request))
    });
    let requests: Vec<_> = requests.collect();
    // One permit is kept at a time.
    while b.stage.requests.load(std::sync::atomic::Ordering::Relaxed) < 50 {
        tokio::task::yield_now().await;
    }
    b.stage.go_on.notify_waiters();
    let responses = futures_util::stream::iter(requests).then(|request| request);
    assert_eq!(
        responses
            .filter(|response| futures_util::future::ready(response.is_ok()))
            .count()
            .await,
        50
    );
}

#[tokio::test]
async fn c17_the_body_of_a_get_passes_even_if_its_length_is_not_known() {
    let (_directory, a, b) = pair().await;
    let (_session, cookie) = b.visitor();
    for http in Http::BOTH {
        for node in [&a, &b] {
            let mut request = with_body(Method::GET, "/collect", &cookie, bytes_of("abc"));
            if http == Http::One {
                let chunked = "chunked".parse().unwrap();
                request.headers_mut().insert("transfer-encoding", chunked);
            }
            let (response, _) = send_on(node.address, http, request).await;
            assert_eq!(text(response).await, "abc", "{http:?}");
        }
    }
}
