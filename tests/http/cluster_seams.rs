//! The cluster's rows 2, 14 and 19, at the door of one node.

use std::ops::ControlFlow;
use std::time::Duration;

use http::HeaderName;
use session_axum::{
    CookieTransport, HeaderTransport, RequestHead, SessionLayer, SessionTransport as _,
};
use session_core::{CompletionCause, LocalSession as _, NodeTag, SessionId};

use crate::kit::{app, cookie, get, is_silent, manager, request, set_cookies, told};

#[tokio::test]
async fn c19_a_stranger_at_a_draining_node_is_told_to_come_again() {
    let sessions = manager();
    let app = app(&sessions);
    sessions.drain();
    for path in ["/session", "/new", "/cycle", "/group", "/log-in"] {
        let response = get(&app, path, "").await;
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        assert!(set_cookies(&response).is_empty(), "{path}");
        let problem = response.text();
        assert!(problem.contains("No session is available"), "{problem}");
    }
    // Where no session is needed, none is missed.
    for (path, expected) in [
        ("/untouched", "hello"),
        ("/optional", "none"),
        ("/result", "without"),
    ] {
        let response = get(&app, path, "").await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(is_silent(&response), "{path}");
        assert_eq!(response.text(), expected);
    }
}

#[tokio::test]
async fn c19_a_visitor_of_a_draining_node_goes_on() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    sessions.drain();
    for path in ["/session", "/cycle", "/log-in", "/group"] {
        let response = get(&app, path, cookie(&session)).await;
        assert_eq!(response.status(), 200, "{path}");
    }
    session.terminate();
    assert_eq!(get(&app, "/session", cookie(&session)).await.status(), 503);
    tokio::time::timeout(Duration::from_secs(60), sessions.drained())
        .await
        .unwrap();
}

#[tokio::test]
async fn c02_the_visitor_of_a_lost_session_is_a_stranger() {
    let sessions = manager();
    let app = app(&sessions);
    sessions.set_tag(NodeTag::random_in(1).unwrap());
    let id = told(&get(&app, "/session", "").await).unwrap();
    assert_eq!(id.tag().slot(), 1);
    let session = sessions.get(&id).unwrap();
    sessions.set_tag(NodeTag::random_in(2).unwrap());
    let cause = session.completion_cause();
    assert_eq!(cause, Some(CompletionCause::OwnershipLost));
    let response = get(&app, "/new", cookie(&session)).await;
    assert_eq!(told(&response).unwrap().tag().slot(), 2);
    assert_eq!(response.text(), "true");
}

/// The ids that a request presents, as a layer further out sees them.
fn presented(layer: &SessionLayer, head: RequestHead<'_>) -> Vec<SessionId> {
    let mut ids = Vec::new();
    let _ = layer.transport().read(head, &mut |id, _| {
        ids.push(id);
        ControlFlow::Continue(())
    });
    ids
}

#[tokio::test]
async fn c14_a_layer_outside_finds_the_presented_ids_and_the_manager() {
    let sessions = manager();
    let header = HeaderName::from_static("x-session");
    let transport = HeaderTransport::new(header.clone()).or(CookieTransport::new("id"));
    let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
    assert_eq!(layer.sessions().create().map(|_| ()), Ok(()));
    assert_eq!(sessions.stats().created, 1);
    let [one, other] = [(); 2].map(|()| layer.sessions().create().unwrap());
    let mut request = request("/", cookie(&one));
    let value = other.id().encode().parse().unwrap();
    request.headers_mut().insert(header, value);
    let mut ids = presented(&layer, RequestHead::from(&request));
    ids.sort_by_key(|id| *id == one.id());
    assert_eq!(ids, [other.id(), one.id()]);
    // Any other transport is another's.
    let layer = SessionLayer::new(sessions);
    assert_eq!(presented(&layer, RequestHead::from(&request)), [one.id()]);
}
