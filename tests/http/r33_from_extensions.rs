//! Row 33: sessions for frameworks that keep a request's extensions and nothing else of its head, and the groups that
//! such sessions are created in.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::HOST;
use http::request::Parts;
use http::{Extensions, Request, Response, Version};
use session_axum::{
    GroupResolver, LazySession, Session, SessionBody, SessionGroup, SessionLayer, SessionRejection,
};
use session_core::{GroupId, Property, SessionManager, SessionProperties};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::kit::{
    self, Stage, bare, cookie, is_silent, manager, removes, request, set_cookies, text, text_of,
    told,
};

#[derive(SessionProperties)]
struct Calls {
    #[property(default)]
    made: Property<AtomicUsize>,
}

/// A request as a framework such as tonic passes it to its handlers.
struct Message {
    extensions: Extensions,
    call: String,
}

/// The handlers of such a framework.
fn handle(message: &Message) -> Result<String, SessionRejection> {
    let visitor = LazySession::from_extensions(&message.extensions)?;
    match &*message.call {
        "look" => Ok(visitor.get().map_or("none", |_| "some").to_owned()),
        "count" => {
            let made = visitor
                .props::<Calls>()?
                .made()?
                .fetch_add(1, Ordering::Relaxed);
            Ok(made.to_string())
        }
        "session" => {
            let session = Session::from_extensions(&message.extensions)?;
            Ok(session.id().encode())
        }
        "log in" => {
            visitor.log_in("user".into())?;
            Ok(String::new())
        }
        "log out" => {
            Session::from_extensions(&message.extensions)?.terminate();
            Ok(String::new())
        }
        "replace" => {
            Session::from_extensions(&message.extensions)?.terminate();
            let session = Session::from_extensions(&message.extensions)?;
            assert!(session.is_new());
            Ok(session.id().encode())
        }
        _ => unreachable!("no such call"),
    }
}

async fn serve(request: Request<String>) -> Result<Response<String>, SessionRejection> {
    let (head, call) = request.into_parts();
    let extensions = head.extensions;
    let answer = handle(&Message { extensions, call })?;
    Ok(Response::new(answer))
}

async fn call(
    layer: &SessionLayer,
    call: &str,
    cookies: &str,
) -> Result<Response<SessionBody<String>>, SessionRejection> {
    let request = Request::post("/")
        .header("cookie", cookies)
        .header(HOST, "a.example");
    let request = request.body(call.to_owned()).unwrap();
    layer.layer(service_fn(serve)).oneshot(request).await
}

fn set_by(response: &Response<SessionBody<String>>) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn r33_a_framework_without_parts_has_sessions() {
    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone());
    let look = async |cookie: &str| {
        let response = call(&layer, "look", cookie).await.unwrap();
        assert!(response.headers().is_empty());
        text_of(response.into_body()).await
    };
    assert_eq!(look("").await, "none");
    assert_eq!(sessions.sessions(), []);

    let response = call(&layer, "count", "").await.unwrap();
    let cookie = set_by(&response);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(text_of(response.into_body()).await, "0");
    let again = call(&layer, "count", &cookie).await.unwrap();
    assert!(again.headers().is_empty());
    assert_eq!(text_of(again.into_body()).await, "1");
    assert_eq!(look(&cookie).await, "some");

    let logged_in = set_by(&call(&layer, "log in", &cookie).await.unwrap());
    let session = call(&layer, "session", &logged_in).await.unwrap();
    assert_eq!(
        format!("id={}", text_of(session.into_body()).await),
        logged_in
    );
    let late = call(&layer, "session", &cookie).await.unwrap_err();
    assert!(matches!(late, SessionRejection::Superseded(_)));

    let out = call(&layer, "log out", &logged_in).await.unwrap();
    assert!(set_by(&out).ends_with('='));
    assert_eq!(sessions.sessions(), []);
}

/// Keeps the request's extensions in the response.
async fn keep(request: Request<()>) -> Result<Response<()>, Infallible> {
    let mut response = Response::new(());
    *response.extensions_mut() = request.into_parts().0.extensions;
    Ok(response)
}

#[tokio::test]
async fn r33_without_the_layer_or_after_the_head_there_is_no_session() {
    let missing = |error| matches!(error, SessionRejection::MissingSessionLayer(_));
    let none = Extensions::new();
    assert!(missing(Session::from_extensions(&none).unwrap_err()));
    assert!(missing(LazySession::from_extensions(&none).unwrap_err()));

    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone());
    let response = layer
        .layer(service_fn(keep))
        .oneshot(Request::new(()))
        .await
        .unwrap();
    let late = Session::from_extensions(response.extensions()).unwrap_err();
    assert!(matches!(late, SessionRejection::ResponseStarted(_)));
    assert_eq!(sessions.sessions(), []);
}

fn tenant(request: &Parts) -> Option<GroupId> {
    Some(GroupId::from(request.headers.get(HOST)?.to_str().ok()?))
}

#[tokio::test]
async fn r33_a_session_without_parts_is_born_in_the_group_that_its_head_names() {
    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone()).with_group_resolver(tenant);
    let tenant = || sessions.group(&"a.example".into());
    for name in ["session", "count"] {
        let cookie = set_by(&call(&layer, name, "").await.unwrap());
        let session = sessions.get(&cookie[3..].parse().unwrap()).unwrap();
        assert_eq!(Some(session.group()), tenant());
    }
    // A request with a superseded id has no session either: its log-in is first created in the tenant.
    let old = sessions.create().unwrap();
    drop(old.terminate_and_supersede());
    let response = call(&layer, "log in", &cookie(&old)).await.unwrap();
    let session = sessions.get(&set_by(&response)[3..].parse().unwrap());
    assert_eq!(session.unwrap().group().id(), Some(&"user".into()));
    // The session that replaces the one that a stranger's request has ended.
    let response = call(&layer, "replace", "").await.unwrap();
    let session = sessions.get(&set_by(&response)[3..].parse().unwrap());
    assert_eq!(Some(session.unwrap().group()), tenant());
}

/// A resolver that counts how often it is asked.
fn counting<R: GroupResolver>(resolver: R) -> (Arc<AtomicUsize>, impl GroupResolver) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    (asked, move |request: &Parts| {
        counter.fetch_add(1, Ordering::Relaxed);
        resolver.group(request)
    })
}

#[tokio::test]
async fn r33_the_group_is_found_at_arrival_for_requests_without_a_live_session() {
    let sessions = manager();
    let (asked, resolver) = counting(tenant);
    let app = bare(Stage::default())
        .layer(SessionLayer::new(sessions.clone()).with_group_resolver(resolver));
    let asked = async |path: &str, cookies: &str| {
        let mut request = request(path, cookies);
        request
            .headers_mut()
            .insert(HOST, "a.example".parse().unwrap());
        let response = app.clone().oneshot(request).await.unwrap();
        (asked.swap(0, Ordering::Relaxed), response)
    };
    let live = cookie(&sessions.create().unwrap());
    for path in ["/untouched", "/session", "/optional", "/group"] {
        assert_eq!(asked(path, &live).await.0, 0, "{path}");
        assert_eq!(asked(path, "").await.0, 1, "{path}");
        assert_eq!(
            asked(path, "id=AAAAAAAAAAAAAAAAAAAAAA").await.0,
            1,
            "{path}"
        );
    }
    let old = sessions.create().unwrap();
    drop(old.terminate_and_supersede());
    assert_eq!(asked("/session", &cookie(&old)).await.0, 1);
    let (count, response) = asked("/log-in", &cookie(&old)).await;
    assert!(told(&response).is_some());
    assert_eq!(count, 1);
    // It costs a client that looks nothing.
    let active = sessions.stats().active;
    assert!(is_silent(&asked("/optional", "").await.1));
    assert_eq!(sessions.stats().active, active);
}

#[tokio::test]
async fn r33_the_resolver_sees_the_request_as_it_arrived_and_leaves_it_whole() {
    #[derive(Clone)]
    struct Outer;
    #[derive(Clone)]
    struct Inner;

    let sessions = manager();
    let resolver = |request: &Parts| {
        assert_eq!(request.uri, "/say?to=all");
        assert_eq!(request.version, Version::HTTP_10);
        assert!(request.extensions.get::<Outer>().is_some());
        assert!(request.extensions.get::<Inner>().is_none());
        Some(GroupId::from(request.method.as_str()))
    };
    let say = async |request: Request<Body>| {
        let (head, body) = request.into_parts();
        assert_eq!(
            (head.method.as_str(), head.version),
            ("POST", Version::HTTP_10)
        );
        assert_eq!(head.headers["x-all"], "there");
        assert!(head.extensions.get::<Outer>().is_some());
        let session = Session::from_extensions(&head.extensions).unwrap();
        let group = session.group().id().unwrap().as_str().to_owned();
        group + &text_of(body).await
    };
    let app = Router::new()
        .route("/say", post(say).layer(axum::Extension(Inner)))
        .layer(SessionLayer::new(sessions.clone()).with_group_resolver(resolver))
        .layer(axum::Extension(Outer));
    let request = Request::post("/say?to=all")
        .version(Version::HTTP_10)
        .header("x-all", "there");
    let request = request.body(Body::from(" hello")).unwrap();
    assert_eq!(
        text(app.oneshot(request).await.unwrap()).await,
        "POST hello"
    );
}

#[tokio::test]
async fn r33_a_group_that_is_not_found_at_arrival_is_found_when_a_session_is_created() {
    #[derive(Clone)]
    struct Tenant(&'static str);

    async fn replace(visitor: LazySession) -> Result<(), SessionRejection> {
        visitor.session()?.terminate();
        visitor.session().map(drop)
    }

    fn app(sessions: &SessionManager, resolver: impl GroupResolver) -> Router {
        Router::new()
            .route("/session", get(async |_: Session| ()))
            .route("/group", get(async |_: SessionGroup| ()))
            .route("/replace", get(replace))
            .layer(axum::Extension(Tenant("inner")))
            .layer(SessionLayer::new(sessions.clone()).with_group_resolver(resolver))
    }

    // A layer between this one and the handler knows the group.
    let sessions = manager();
    let inner = |request: &Parts| {
        let tenant = request.extensions.get::<Tenant>()?;
        Some(GroupId::from(tenant.0))
    };
    let app_of_inner = app(&sessions, inner);
    // The request had a session, and has ended it.
    let fixed = |_: &Parts| Some(GroupId::from("inner"));
    let app_of_fixed = app(&sessions, fixed);
    for (app, path, cookies) in [
        (&app_of_inner, "/session", String::new()),
        (&app_of_inner, "/group", String::new()),
        (&app_of_inner, "/replace", String::new()),
        (
            &app_of_fixed,
            "/replace",
            cookie(&sessions.create().unwrap()),
        ),
    ] {
        let response = kit::get(app, path, &cookies).await;
        assert!(!removes(&response));
        assert_eq!(set_cookies(&response).len(), 1);
        let session = sessions.get(&told(&response).unwrap()).unwrap();
        assert_eq!(session.group().id(), Some(&"inner".into()), "{path}");
    }
}
