//! Row 20: the session cookie and headers of each response.

use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use session_axum::{CookieTransport, Session, SessionLayer, SessionRejection};
use session_core::{CompletionCause, LocalSession};
use session_test::{Browser, assert_ended};

use crate::kit::{
    self, Stage, app, bare, cookie, is_silent, manager, no_store, removes, set_cookies, staged,
    told,
};

// The response that sets the cookie.

#[tokio::test]
async fn r20_only_the_request_that_created_the_session_sets_the_cookie() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions));
    let first = ann.get("/session").await;
    assert!(no_store(&first));
    let cookie = cookie(&ann.session(&sessions).unwrap());
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/";
    assert_eq!(set_cookies(&first), [format!("{cookie}; {attributes}")]);
    for path in ["/session", "/optional", "/untouched"] {
        assert!(is_silent(&ann.get(path).await));
    }
}

#[tokio::test]
async fn r20_only_the_request_that_cycled_the_id_sets_the_cookie() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let old = session.id();
    let presented = cookie(&session);

    let other = kit::spawn(&app, "/stop", &presented);
    stage.stopped().await;
    let response = kit::get(&app, "/cycle", &presented).await;
    stage.go_on();

    assert_eq!(told(&response), Some(session.id()));
    assert_ne!(session.id(), old);
    assert!(no_store(&response));
    assert!(sessions.get(&old).is_none());
    assert!(is_silent(&other.await.unwrap()));
    // The old id is unknown, and the new one is not sent again.
    assert_eq!(kit::get(&app, "/optional", &presented).await.text(), "none");
    assert!(is_silent(
        &kit::get(&app, "/session", cookie(&session)).await
    ));
}

#[tokio::test]
async fn r20_an_id_cycled_twice_is_told_once_and_is_the_last() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| {
                session.cycle_id()?;
                session.cycle_id()
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let session = sessions.create().unwrap();
    let response = kit::get(&app, "/", cookie(&session)).await;
    assert_eq!(told(&response), Some(session.id()));
    // In a new session as well.
    let response = kit::get(&app, "/", "").await;
    assert!(sessions.get(&told(&response).unwrap()).is_some());
}

#[tokio::test]
async fn r20_an_id_that_the_client_cannot_be_told_is_not_cycled() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let known = sessions.create().unwrap();
    let response = kit::spawn(&app, "/stop", cookie(&known));
    let session = stage.stopped().await;
    stage.go_on();
    response.await.unwrap();

    let id = session.id();
    assert!(matches!(
        session.cycle_id(),
        Err(SessionRejection::ResponseStarted(_))
    ));
    assert_eq!(session.id(), id);
}

#[tokio::test]
async fn r20_cores_own_cycle_id_sets_no_cookie() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| session.into_inner().cycle_id().unwrap().id().encode()),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let session = sessions.create().unwrap();
    let response = kit::get(&app, "/", cookie(&session)).await;
    assert!(is_silent(&response));
    assert_eq!(response.text(), session.id().encode());
}

#[tokio::test]
async fn r20_a_created_session_that_has_ended_before_the_head_is_not_told() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| session.into_inner().terminate()),
        )
        .layer(SessionLayer::new(sessions.clone()));
    assert!(is_silent(&kit::get(&app, "/", "").await));
    // Nor is one that the same request terminated, since the client has no cookie to forget.
    assert!(is_silent(
        &kit::get(&kit::app(&sessions), "/terminate", "").await
    ));
    assert_eq!(sessions.sessions(), []);
}

// The response that removes it.

#[tokio::test]
async fn r20_the_request_that_terminated_its_session_removes_the_cookie() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let response = kit::get(&app(&sessions), "/terminate", cookie(&session)).await;
    assert!(removes(&response));
    assert!(no_store(&response));
    assert!(session.is_completed());
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn r20_the_cookie_is_removed_where_it_was_set() {
    let sessions = manager();
    let transport = CookieTransport::new("id")
        .with_path("/app")
        .with_domain("example.org")
        .with_secure(false);
    let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
    let app = bare(Stage::default()).layer(layer);

    let set = kit::get(&app, "/session", "").await;
    let id = told(&set).unwrap().encode();
    let attributes = "; HttpOnly; SameSite=Lax; Path=/app; Domain=example.org";
    assert_eq!(set_cookies(&set), [format!("id={id}{attributes}")]);

    let removal = kit::get(&app, "/terminate", format!("id={id}")).await;
    assert!(removes(&removal));
    assert!(set_cookies(&removal)[0].starts_with(&format!("id={attributes}; Max-Age=0; Expires=")));
}

#[tokio::test]
async fn r20_a_session_ended_otherwise_leaves_the_cookie() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/core",
            get(async |session: Session| session.into_inner().terminate()),
        )
        .route(
            "/group",
            get(async |session: Session| session.group().terminate()),
        )
        .layer(SessionLayer::new(sessions.clone()));
    for path in ["/core", "/group"] {
        let session = sessions.create().unwrap();
        assert!(is_silent(&kit::get(&app, path, cookie(&session)).await));
        assert!(session.is_completed());
    }
}

#[tokio::test]
async fn r20_a_late_response_of_an_ended_session_carries_nothing() {
    for path in ["/stop", "/stop-then-terminate"] {
        let sessions = manager();
        let stage = Stage::default();
        let app = staged(&sessions, stage.clone());
        let session = sessions.create().unwrap();
        let late = kit::spawn(&app, path, cookie(&session));
        stage.stopped().await;

        assert!(removes(
            &kit::get(&app, "/terminate", cookie(&session)).await
        ));
        let successor = kit::get(&app, "/session", "").await;
        assert!(told(&successor).is_some());

        stage.go_on();
        assert!(is_silent(&late.await.unwrap()), "{path}");
    }
}

#[tokio::test]
async fn r20_once_the_head_is_sent_ending_the_session_changes_no_response() {
    let sessions = manager();
    let stage = Stage::default();
    let known = sessions.create().unwrap();
    let response = kit::spawn(&staged(&sessions, stage.clone()), "/stop", cookie(&known));
    let session = stage.stopped().await;
    stage.go_on();
    let response = response.await.unwrap();
    session.terminate();
    assert!(known.is_completed());
    assert!(is_silent(&response));
}

#[tokio::test]
async fn r20_after_the_end_a_request_may_have_a_new_session() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(
                async |Extension(old): Extension<session_core::Session>, new: Session| {
                    assert_ne!(old, *new);
                    assert!(new.is_new());
                },
            ),
        )
        .layer(axum::middleware::from_fn(
            async |session: Session,
                   mut request: axum::extract::Request,
                   next: axum::middleware::Next| {
                session.terminate();
                request.extensions_mut().insert(session.into_inner());
                next.run(request).await
            },
        ))
        .layer(SessionLayer::new(sessions.clone()));
    let old = sessions.create().unwrap();
    let response = kit::get(&app, "/", cookie(&old)).await;
    assert_eq!(response.status(), 200);
    let new = told(&response).unwrap();
    assert_eq!(sessions.sessions(), [sessions.get(&new).unwrap()]);
    // The request was inside both and has left both.
    assert!(old.cleanup_completed().await.is_clean());
}

#[tokio::test]
async fn r20_a_session_that_others_ended_is_not_replaced_within_the_request() {
    let sessions = manager();
    let app = Router::new()
        .route("/session", get(async |_: Session| ()))
        .route(
            "/optional",
            get(async |session: Option<Session>| session.is_some().to_string()),
        )
        .layer(axum::middleware::from_fn(
            async |session: Session,
                   request: axum::extract::Request,
                   next: axum::middleware::Next| {
                session.into_inner().terminate();
                next.run(request).await
            },
        ))
        .layer(SessionLayer::new(sessions.clone()));
    let session = sessions.create().unwrap();
    let response = kit::get(&app, "/session", cookie(&session)).await;
    assert_eq!(response.status(), 409);
    assert!(is_silent(&response));

    let session = sessions.create().unwrap();
    assert_eq!(
        kit::get(&app, "/optional", cookie(&session)).await.text(),
        "false"
    );
    assert_eq!(sessions.sessions(), []);
}

// The rest of the head.

#[tokio::test]
async fn r20_a_response_that_tells_nothing_keeps_its_cache_control() {
    async fn cached() -> Response {
        let mut response = Response::default();
        response
            .headers_mut()
            .insert(CACHE_CONTROL, "max-age=60".parse().unwrap());
        response
            .headers_mut()
            .insert(SET_COOKIE, "theme=dark".parse().unwrap());
        response
    }
    let sessions = manager();
    let app = Router::new()
        .route("/silent", get(cached))
        .route("/telling", get(async |_: Session| cached().await))
        .layer(SessionLayer::new(sessions.clone()));

    let silent = kit::get(&app, "/silent", "").await;
    assert_eq!(silent.headers()[CACHE_CONTROL], "max-age=60");
    assert_eq!(set_cookies(&silent), ["theme=dark"]);

    let telling = kit::get(&app, "/telling", "").await;
    assert!(no_store(&telling));
    assert_eq!(telling.headers().get_all(CACHE_CONTROL).iter().count(), 1);
    assert_eq!(set_cookies(&telling).len(), 2);
    assert_eq!(set_cookies(&telling)[0], "theme=dark");
}

#[tokio::test]
async fn r20_of_several_cookies_the_first_live_one_counts() {
    let sessions = manager();
    let app = app(&sessions);
    let (dead, first, second) = (
        sessions.create().unwrap(),
        sessions.create().unwrap(),
        sessions.create().unwrap(),
    );
    dead.terminate();
    let cookies = format!(
        "id=x; {}; {}; {}",
        cookie(&dead),
        cookie(&first),
        cookie(&second)
    );
    assert_eq!(
        kit::get(&app, "/session", cookies).await.text(),
        first.id().encode()
    );
}
