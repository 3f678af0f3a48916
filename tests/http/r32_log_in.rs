//! Row 32: a session that is looked up when the handler asks for it, and a log-in in one step.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use session_axum::{LazySession, Props, SessionLayer, SessionRejection};
use session_core::{
    GroupId, LocalSession as _, NotLive, Property, SessionManager, SessionProperties, WhenFull,
};
use session_test::Browser;

use crate::kit::{self, Stage, app, cookie, is_silent, is_superseded, manager, staged, told};

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    notes: Property<String>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct Shelf {
    #[property(default)]
    books: Property<String>,
}

fn lazy(sessions: &SessionManager) -> Router {
    Router::new()
        .route("/refused", get(async |_: LazySession| "wrong password"))
        .route(
            "/get",
            get(async |visitor: LazySession| visitor.get().map_or("none", |_| "some")),
        )
        .route(
            "/try-get",
            get(async |visitor: LazySession| {
                let found = visitor.try_get()?;
                Ok::<_, SessionRejection>(found.map_or("none", |_| "some"))
            }),
        )
        .route(
            "/session",
            get(async |visitor: LazySession| {
                let session = visitor.session()?;
                assert_eq!(*visitor.session()?, *session, "one request has one");
                Ok::<_, SessionRejection>(session.is_new().to_string())
            }),
        )
        .route(
            "/props",
            get(async |visitor: LazySession| {
                visitor.props::<Desk>()?.notes()?;
                visitor.props::<Shelf>()?.books()?;
                Ok::<_, SessionRejection>(())
            }),
        )
        .route(
            "/get-or-create",
            get(async |visitor: LazySession| {
                let session = visitor.get_or_create()?;
                Ok::<_, SessionRejection>(session.is_new().to_string())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test]
async fn r32_a_refused_log_in_costs_nothing() {
    let sessions = manager();
    let app = lazy(&sessions);
    for path in ["/refused", "/get", "/try-get"] {
        assert!(is_silent(&kit::get(&app, path, "").await));
    }
    assert_eq!(sessions.stats().created, 0);
}

#[tokio::test]
async fn r32_it_looks_or_creates_when_asked() {
    let sessions = manager();
    for path in ["/session", "/get-or-create", "/props"] {
        let ann = Browser::new(lazy(&sessions));
        let first = ann.get(path).await;
        assert!(told(&first).is_some());
        let second = ann.get(path).await;
        assert!(is_silent(&second));
        if path != "/props" {
            assert_eq!((first.text(), second.text()), ("true", "false"));
        }
        for path in ["/get", "/try-get"] {
            assert_eq!(ann.get(path).await.text(), "some");
        }
    }
}

#[tokio::test]
async fn r32_only_a_call_for_a_log_in_creates_for_a_superseded_id() {
    let sessions = manager();
    let app = lazy(&sessions);
    let old = sessions.create().unwrap();
    drop(old.terminate_and_supersede());
    for path in ["/session", "/props", "/try-get"] {
        assert!(
            is_superseded(&kit::get(&app, path, cookie(&old)).await),
            "{path}"
        );
    }
    assert_eq!(kit::get(&app, "/get", cookie(&old)).await.text(), "none");
    assert_eq!(sessions.stats().active, 0);
    assert!(told(&kit::get(&app, "/get-or-create", cookie(&old)).await).is_some());
    let response = kit::get(&kit::app(&sessions), "/log-in", cookie(&old)).await;
    assert!(told(&response).is_some());
}

#[tokio::test]
async fn r32_the_group_resolver_is_asked_for_it() {
    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone())
        .with_group_resolver(|_: &http::request::Parts| Some(GroupId::from("tenant")));
    let app = Router::new()
        .route(
            "/",
            get(async |visitor: LazySession| visitor.session().map(drop)),
        )
        .layer(layer);
    let id = told(&kit::get(&app, "/", "").await).unwrap();
    let session = sessions.get(&id).unwrap();
    assert_eq!(session.group().id(), Some(&GroupId::from("tenant")));
}

#[tokio::test]
async fn r32_log_in_is_cycle_and_join_in_one() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    let old = session.id();
    let response = kit::get(&app, "/log-in", cookie(&session)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(told(&response), Some(session.id()));
    assert_ne!(session.id(), old);
    assert_eq!(session.group().id(), Some(&GroupId::from("user")));
    assert_eq!(sessions.enter(&old).unwrap_err(), NotLive::Superseded);
    assert_eq!(sessions.stats().created, 1);
    // A client without a session is logged in with a new one.
    let response = kit::get(&app, "/log-in", "").await;
    let new = sessions.get(&told(&response).unwrap()).unwrap();
    assert_eq!(new.group(), session.group());
}

#[tokio::test]
async fn r32_a_log_in_that_fails_changes_nothing() {
    // The head has been sent.
    let sessions = manager();
    let stage = Stage::default();
    let session = sessions.create_in("before".into()).unwrap();
    let id = session.id();
    let response = kit::spawn(&staged(&sessions, stage.clone()), "/stop", cookie(&session));
    let in_hand = stage.stopped().await;
    stage.go_on();
    assert!(is_silent(&response.await.unwrap()));
    let late = in_hand.log_in("user".into()).unwrap_err();
    assert!(matches!(late, SessionRejection::ResponseStarted(_)));
    assert_eq!(session.id(), id);
    assert_eq!(session.group().id(), Some(&GroupId::from("before")));
    assert!(sessions.group(&"user".into()).is_none());

    // The session has ended, and the manager has no room for another.
    let sessions = SessionManager::builder()
        .max_sessions(1, WhenFull::Reject)
        .build()
        .unwrap();
    let _only = sessions.create().unwrap();
    let refused = kit::get(&app(&sessions), "/log-in", "").await;
    assert_eq!(refused.status(), 503);
    assert!(is_silent(&refused));
    assert!(sessions.group(&"user".into()).is_none());

    // The group is full: a session keeps its id and its group, and a stranger gets none.
    let sessions = SessionManager::builder()
        .max_sessions_per_group(1, WhenFull::Reject)
        .build()
        .unwrap();
    let member = sessions.create_in("user".into()).unwrap();
    let session = sessions.create_in("before".into()).unwrap();
    let id = session.id();
    for cookies in [cookie(&session), String::new()] {
        let refused = kit::get(&app(&sessions), "/log-in", cookies).await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert!(is_silent(&refused));
    }
    assert_eq!(session.id(), id);
    assert_eq!(session.group().id(), Some(&GroupId::from("before")));
    assert_eq!(sessions.stats().created, 2);
    member.terminate();
    let response = kit::get(&app(&sessions), "/log-in", "").await;
    assert!(told(&response).is_some());

    // The manager is shutting down.
    let sessions = manager();
    let session = sessions.create().unwrap();
    let stage = Stage::default();
    let slow = kit::spawn(
        &staged(&sessions, stage.clone()),
        "/stop-then-log-in",
        cookie(&session),
    );
    stage.waiting().await;
    let shutdown = tokio::spawn(async move { sessions.shutdown(Duration::from_secs(5)).await });
    session.completion_token().cancelled().await;
    stage.go_on();
    let refused = slow.await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(is_silent(&refused));
    drop(refused);
    assert!(shutdown.await.unwrap().is_clean());
}

/// A double click: both are inside the session, or the first has gone already.
#[tokio::test]
async fn r32_a_double_click_logs_in() {
    // The second was inside when the first logged in; the first one's client has gone.
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let cookies = cookie(&session);
    let second = kit::spawn(&app, "/stop-then-log-in", &cookies);
    stage.waiting().await;
    let mut first = kit::get(&app, "/log-in-then-stop", &cookies).into_future();
    assert!(futures_util::poll!(&mut first).is_pending());
    // And a click that comes while the first is under way.
    let third = kit::get(&app, "/log-in", &cookies).await;
    drop(first);
    assert!(session.is_completed(), "nobody knows its id");
    stage.go_on();
    let fourth = kit::get(&app, "/log-in", &cookies).await;
    for response in [second.await.unwrap(), third, fourth] {
        assert_eq!(response.status(), 200);
        let new = told(&response).unwrap();
        let mine = kit::get(&app, "/group", format!("id={}", new.encode())).await;
        assert_eq!(mine.text(), "user");
    }
}

#[tokio::test]
async fn r32_two_tabs_that_log_in_at_the_same_time_are_both_logged_in() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let session = sessions.create().unwrap();
    let cookies = cookie(&session);
    let slow = kit::spawn(&app, "/stop-then-log-in", &cookies);
    stage.waiting().await;
    let one = told(&kit::get(&app, "/log-in", &cookies).await).unwrap();
    stage.go_on();
    let other = told(&slow.await.unwrap()).unwrap();
    assert_ne!(one, other);
    for id in [one, other] {
        let mine = kit::get(&app, "/group", format!("id={}", id.encode())).await;
        assert_eq!(mine.text(), "user");
    }
}

#[tokio::test]
async fn r32_props_of_the_extractor_and_of_the_lazy_one_are_the_same() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |early: Props<Desk>, visitor: LazySession| {
                let late = visitor.props::<Desk>()?;
                let (early, late) = (early.notes()?, late.notes()?);
                Ok::<_, SessionRejection>((early.as_ptr() == late.as_ptr()).to_string())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    assert_eq!(kit::get(&app, "/", "").await.text(), "true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r32_of_log_ins_that_race_none_is_refused() {
    let sessions = manager();
    let app = app(&sessions);
    for _ in 0..2_000 {
        let session = sessions.create().unwrap();
        let cookies = cookie(&session);
        let racers = [(); 3].map(|()| kit::spawn(&app, "/log-in", &cookies));
        let log_out = kit::spawn(&app, "/terminate", &cookies);
        for racer in racers {
            let response = racer.await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(told(&response).is_some());
        }
        log_out.await.unwrap();
    }
}
