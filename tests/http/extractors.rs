//! Extractors: one session a request, and the results of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::get;
use futures_util::FutureExt;
use http::header::HOST;
use http::request::Parts;
use session_axum::{CookieTransport, LocalSession, Props, Session, SessionGroup, SessionLayer};
use session_core::{GroupId, Property, PropertyKey, SessionProperties};
use tokio::sync::Barrier;

use crate::kit::{self, Stage, bare, cookie, manager, request, set_cookies};

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    visits: Property<AtomicU32>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct Office {
    #[property(default)]
    visits: Property<AtomicU32>,
}

const NOTE: PropertyKey<u32> = PropertyKey::new("note");

#[tokio::test]
async fn all_extractors_of_a_request_give_one_session() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(
                async |first: Session,
                       group: SessionGroup,
                       desk: Props<Desk>,
                       second: Session,
                       third: Option<Session>| {
                    assert!(first.is_new() && second.is_new());
                    assert_eq!(*first, *second);
                    assert_eq!(*first, *third.unwrap());
                    assert_eq!(*group, first.group());
                    assert_eq!(desk.visits().unwrap().load(Ordering::Relaxed), 0);
                },
            ),
        )
        .layer(SessionLayer::new(sessions.clone()));
    let response = kit::get(&app, "/", "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(set_cookies(&response).len(), 1);
    assert_eq!(sessions.sessions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn extractors_that_race_in_one_request_create_one_session() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |request: axum::extract::Request| {
                let (parts, _) = request.into_parts();
                let start = Arc::new(Barrier::new(8));
                let racers: Vec<_> = (0..8)
                    .map(|_| {
                        let (mut parts, start) = (parts.clone(), start.clone());
                        tokio::spawn(async move {
                            start.wait().await;
                            Session::from_request_parts(&mut parts, &())
                                .await
                                .unwrap()
                                .into_inner()
                        })
                    })
                    .collect();
                let found = futures_util::future::try_join_all(racers).await.unwrap();
                assert!(found.iter().all(|session| *session == found[0]));
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    for round in 1..=50 {
        let response = kit::get(&app, "/", "").await;
        assert_eq!(response.status(), 200);
        assert_eq!(set_cookies(&response).len(), 1);
        assert_eq!(sessions.sessions().len(), round);
    }
}

#[tokio::test]
async fn a_session_can_do_what_local_sessions_can() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session, group: SessionGroup| {
                session.properties().insert(&NOTE, 1)?;
                group.properties().insert(&NOTE, 2)?;
                Ok::<_, session_axum::SessionRejection>(())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));
    assert_eq!(kit::get(&app, "/", "").await.status(), 200);
    let session = sessions.sessions().pop().unwrap();
    assert_eq!(session.properties().get(&NOTE).as_deref(), Some(&1));
    assert_eq!(session.group().properties().get(&NOTE).as_deref(), Some(&2));
}

#[tokio::test]
async fn a_set_is_found_where_it_lives() {
    let sessions = manager();
    let app = Router::new()
        .route(
            "/",
            get(async |desk: Props<Desk>, office: Props<Office>| {
                let desk = Props::into_inner(desk);
                let counts = [desk.visits().unwrap(), office.visits().unwrap()];
                let [desk, office] = counts.map(|visits| visits.fetch_add(1, Ordering::Relaxed));
                format!("{desk} {office}")
            }),
        )
        .layer(SessionLayer::new(sessions.clone()));

    // Two sessions of one group share the group's set, not the session's.
    let team = GroupId::from("team");
    let [one, other] = [(); 2].map(|()| sessions.create_in(team.clone()).unwrap());
    for (session, counts) in [(&one, "0 0"), (&one, "1 1"), (&other, "0 2"), (&one, "2 3")] {
        assert_eq!(kit::get(&app, "/", cookie(session)).await.text(), counts);
    }
    let visits = one.group().props::<Office>().unwrap();
    assert_eq!(visits.visits().unwrap().load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_session_is_born_into_the_group_that_its_request_names() {
    fn tenant(request: &Parts) -> Option<GroupId> {
        Some(GroupId::from(request.headers.get(HOST)?.to_str().ok()?))
    }
    let sessions = manager();
    let app = bare(Stage::default())
        .layer(SessionLayer::new(sessions.clone()).with_group_resolver(tenant));
    let of_tenant = |host: &'static str, cookies: String| {
        let mut request = request("/session", cookies);
        request.headers_mut().insert(HOST, host.parse().unwrap());
        tower::ServiceExt::oneshot(app.clone(), request)
    };

    of_tenant("a.example", String::new()).await.unwrap();
    let session = sessions.sessions().pop().unwrap();
    assert_eq!(
        session.group(),
        sessions.group(&"a.example".into()).unwrap()
    );

    // An existing session stays in its group.
    of_tenant("b.example", cookie(&session)).await.unwrap();
    assert!(sessions.group(&"b.example".into()).is_none());

    let unnamed = request("/session", "");
    tower::ServiceExt::oneshot(app, unnamed).await.unwrap();
    assert_eq!(sessions.sessions().len(), 2);
    assert_eq!(sessions.groups().len(), 1);
}

#[tokio::test]
async fn a_session_created_while_the_group_is_found_is_the_requests() {
    let sessions = manager();
    let asked = AtomicU32::new(0);
    // Stands for a quicker extractor, right between the other's two look-ups: the resolver was asked once before, when
    // the request arrived.
    let resolver = move |request: &Parts| {
        if asked.fetch_add(1, Ordering::Relaxed) == 1 {
            let mut request = request.clone();
            let quicker = Session::from_request_parts(&mut request, &()).now_or_never();
            assert!(quicker.unwrap().is_ok());
        }
        None
    };
    let layer = SessionLayer::new(sessions.clone()).with_group_resolver(resolver);
    let response = kit::get(&bare(Stage::default()).layer(layer), "/session", "").await;
    assert_eq!(set_cookies(&response).len(), 1);
    assert_eq!(sessions.sessions().len(), 1);
}

#[tokio::test]
async fn of_two_layers_the_inner_one_has_the_say() {
    let (outer, inner) = (manager(), manager());
    let named =
        |sessions, name| SessionLayer::new(sessions).with_transport(CookieTransport::new(name));
    let app = Router::new()
        .nest(
            "/inner",
            bare(Stage::default()).layer(named(inner.clone(), "inner")),
        )
        .merge(bare(Stage::default()))
        .layer(named(outer.clone(), "outer"));

    let response = kit::get(&app, "/inner/session", "").await;
    assert!(set_cookies(&response)[0].starts_with("inner="));
    assert_eq!((outer.sessions().len(), inner.sessions().len()), (0, 1));

    let response = kit::get(&app, "/session", "").await;
    assert!(set_cookies(&response)[0].starts_with("outer="));
    assert_eq!((outer.sessions().len(), inner.sessions().len()), (1, 1));
}

#[tokio::test]
async fn a_layer_applied_twice_is_one() {
    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone());
    let app = bare(Stage::default()).layer(layer.clone()).layer(layer);
    let response = kit::get(&app, "/session", "").await;
    assert_eq!(set_cookies(&response).len(), 1);
    let session = sessions.sessions().pop().unwrap();
    assert_eq!(
        kit::get(&app, "/new", cookie(&session)).await.text(),
        "false"
    );
    let response = kit::get(&app, "/terminate", cookie(&session)).await;
    assert_eq!(set_cookies(&response).len(), 1);
}
