//! Row 29: a body that ends with its session goes on when its own request changes the session's id.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt as _, stream};
use session_axum::{LazySession, Session, SessionEvents, SessionLayer, SessionRejection};
use session_core::{LocalSession as _, SessionManager};
use session_test::Browser;

use crate::kit::{cookie, manager};

/// One event, and then none for ever.
fn endless() -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    stream::iter([Ok(Event::default().data("one"))]).chain(stream::pending())
}

fn run(events: SessionEvents) -> Response {
    let events = events.last_event(Event::default().data("last"));
    events.run(endless()).into_response()
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route(
            "/log-in-first",
            get(async |events: SessionEvents, visitor: LazySession| {
                visitor.log_in("user".into())?;
                Ok::<_, SessionRejection>(run(events))
            }),
        )
        .route(
            "/another-body-before",
            get(async |events: SessionEvents, session: Session| {
                drop(session.until_completed(Body::from("not returned after all")));
                run(events)
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test(start_paused = true)]
async fn r29_events_go_on_and_have_their_last_one_whatever_their_own_request_does_beside() {
    for path in ["/log-in-first", "/another-body-before"] {
        let sessions = manager();
        let session = sessions.create().unwrap();
        let events = Browser::new(app(&sessions)).events(path);
        let mut events = events.header("cookie", cookie(&session)).await;
        assert_eq!(events.next().await.unwrap().data, "one", "{path}");
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
        assert_eq!(events.next().await.unwrap().data, "last", "{path}");
        assert_eq!(events.next().await, None);
    }
}
