//! Row 33: ids in cookies, in headers and in places of the application's own, and where each client is answered.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use session_axum::{
    CookieTransport, HeaderTransport, LazySession, LocalSession as _, Origin, RequestHead,
    SessionLayer, SessionRejection, SessionTransport,
};
use session_core::{SessionId, SessionManager};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::kit::{Stage, bare, is_superseded, manager, no_store, set_cookies, text};

const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const SESSION: HeaderName = HeaderName::from_static("x-session");
const SESSION_ID: HeaderName = HeaderName::from_static("session-id");

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Cookie,
    Header,
    Bearer,
}

impl Place {
    fn present(self, request: &mut Request<Body>, id: &str) {
        let (header, value) = match self {
            Self::Cookie => (COOKIE, format!("id={id}")),
            Self::Header => (SESSION, id.to_owned()),
            Self::Bearer => (AUTHORIZATION, format!("Bearer {id}")),
        };
        request.headers_mut().append(header, value.parse().unwrap());
    }

    /// The id that the response tells here, empty if it is removed.
    fn answer(self, response: &Response) -> Option<String> {
        if self == Self::Cookie {
            let cookies = set_cookies(response);
            assert!(cookies.len() <= 1);
            let value = cookies.first()?.strip_prefix("id=")?.split(';').next()?;
            return Some(value.to_owned());
        }
        let header = if self == Self::Header {
            SESSION
        } else {
            SESSION_ID
        };
        let value = response.headers().get(header)?.to_str().unwrap();
        Some(value.to_owned())
    }

    /// What the response tells in all places.
    fn answers(response: &Response) -> Vec<(Self, String)> {
        let places = [Self::Cookie, Self::Header, Self::Bearer].into_iter();
        places
            .filter_map(|place| Some((place, place.answer(response)?)))
            .collect()
    }
}

fn cookie() -> CookieTransport {
    CookieTransport::new("id")
}

fn header() -> HeaderTransport {
    HeaderTransport::new("x-session")
}

fn app(sessions: &SessionManager, transport: impl SessionTransport) -> Router {
    let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
    bare(Stage::default()).layer(layer)
}

async fn get(app: &Router, path: &str, ids: &[(Place, &str)]) -> Response {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for (place, id) in ids {
        place.present(&mut request, id);
    }
    app.clone().oneshot(request).await.unwrap()
}

/// A request's standing in one place, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Stranger,
    Unknown,
    Superseded,
    Live,
}

/// A client's id, and what it is worth.
#[derive(Clone, Copy, Debug)]
enum Id {
    Absent,
    Malformed,
    Unknown,
    Superseded,
    Live,
}

impl Id {
    const ALL: [Self; 5] = [
        Self::Absent,
        Self::Malformed,
        Self::Unknown,
        Self::Superseded,
        Self::Live,
    ];

    fn create(self, sessions: &SessionManager) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Malformed => Some(format!("{MADE_UP}=")),
            Self::Unknown => Some(MADE_UP.to_owned()),
            Self::Superseded => {
                let session = sessions.create().unwrap();
                let id = session.id();
                drop(session.terminate_and_supersede());
                Some(id.encode())
            }
            Self::Live => Some(sessions.create().unwrap().id().encode()),
        }
    }

    fn standing(self) -> Standing {
        match self {
            Self::Absent | Self::Malformed => Standing::Stranger,
            Self::Unknown => Standing::Unknown,
            Self::Superseded => Standing::Superseded,
            Self::Live => Standing::Live,
        }
    }
}

/// All pairs of ids in two places. `check` gets them, the place that is to be answered, and the best standing.
async fn with_all_pairs<F: Future<Output = ()>>(
    check: impl Fn(SessionManager, Router, Vec<(Place, String)>, Place, Standing) -> F,
) {
    use Place::{Bearer, Cookie, Header};
    for [first, second] in [[Cookie, Header], [Header, Cookie], [Cookie, Bearer]] {
        for (one, other) in Id::ALL
            .map(|one| Id::ALL.map(|other| (one, other)))
            .concat()
        {
            let sessions = manager();
            let app = match [first, second] {
                [Cookie, Header] => app(&sessions, cookie().or(header())),
                [Header, _] => app(&sessions, header().or(cookie())),
                _ => app(&sessions, cookie().or(HeaderTransport::bearer())),
            };
            let ids = [(first, one), (second, other)].into_iter();
            let ids = ids.filter_map(|(place, id)| Some((place, id.create(&sessions)?)));
            let ids = ids.collect();
            let best = one.standing().max(other.standing());
            let counts = if one.standing() == best {
                first
            } else {
                second
            };
            check(sessions, app, ids, counts, best).await;
        }
    }
}

fn by_ref(ids: &[(Place, String)]) -> Vec<(Place, &str)> {
    ids.iter().map(|(place, id)| (*place, &**id)).collect()
}

#[tokio::test]
async fn r33_live_beats_superseded_beats_unknown_wherever_they_come_from() {
    with_all_pairs(async |sessions, app, ids, counts, best| {
        let made = sessions.stats().created;
        let response = get(&app, "/session", &by_ref(&ids)).await;
        match best {
            Standing::Live => {
                let found = &ids.iter().find(|(place, _)| *place == counts).unwrap().1;
                assert_eq!(Place::answers(&response), []);
                assert_eq!(text(response).await, *found);
            }
            Standing::Superseded => {
                assert!(is_superseded(&response), "{ids:?}");
                assert_eq!(Place::answers(&response), []);
            }
            Standing::Unknown | Standing::Stranger => {
                assert!(no_store(&response));
                let [(place, id)] = &Place::answers(&response)[..] else {
                    panic!("it is told once: {ids:?}");
                };
                assert_eq!(*place, counts, "{ids:?}");
                assert_eq!(text(response).await, *id);
                assert_eq!(sessions.stats().created, made + 1);
                return;
            }
        }
        assert_eq!(sessions.stats().created, made);
    })
    .await;
}

#[tokio::test]
async fn r33_a_new_id_goes_where_the_one_that_counted_came_from_and_nowhere_else() {
    with_all_pairs(async |_, app, ids, counts, _| {
        let response = get(&app, "/log-in", &by_ref(&ids)).await;
        let told = Place::answers(&response);
        assert!(no_store(&response));
        assert_eq!(told, [(counts, text(response).await)], "{ids:?}");
        // The client is known by it, there and only there.
        let found = get(&app, "/group", &by_ref(&told)).await;
        assert_eq!(text(found).await, "user");
    })
    .await;
}

#[tokio::test]
async fn r33_an_id_is_removed_where_the_one_that_counted_came_from() {
    with_all_pairs(async |sessions, app, ids, counts, best| {
        if best < Standing::Live {
            return;
        }
        let response = get(&app, "/terminate", &by_ref(&ids)).await;
        assert!(no_store(&response));
        assert_eq!(Place::answers(&response), [(counts, String::new())]);
        assert_eq!(sessions.sessions(), [], "those in both places ended");
    })
    .await;
}

#[tokio::test]
async fn r33_any_number_of_transports_is_one() {
    let sessions = manager();
    let bearer = HeaderTransport::bearer;
    for app in [
        app(&sessions, cookie().or(header()).or(bearer())),
        app(&sessions, cookie().or(header().or(bearer()))),
    ] {
        for place in [Place::Cookie, Place::Header, Place::Bearer] {
            let id = sessions.create().unwrap().id().encode();
            let response = get(&app, "/log-in", &[(place, &id)]).await;
            assert_eq!(
                Place::answers(&response),
                [(place, text(response).await)],
                "{place:?}"
            );
        }
        let stranger = get(&app, "/session", &[]).await;
        assert!(Place::Cookie.answer(&stranger).is_some());
    }
}

#[tokio::test]
async fn r33_the_first_eight_ids_of_all_places_count() {
    let sessions = manager();
    let app = app(&sessions, cookie().or(header()));
    let id = sessions.create().unwrap().id().encode();
    for (planted, found) in [(0, "some"), (7, "some"), (8, "none")] {
        let mut ids = vec![(Place::Cookie, MADE_UP); planted];
        ids.extend([(Place::Header, "no id"), (Place::Header, &id)]);
        let response = get(&app, "/optional", &ids).await;
        assert_eq!(text(response).await, found, "after {planted}");
    }
}

#[tokio::test]
async fn r33_a_malformed_header_is_no_id() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let id = session.id().encode();
    let plain = app(&sessions, header());
    let bearer = app(&sessions, HeaderTransport::bearer());
    let values = [
        String::new(),
        format!("\"{id}\""),
        format!("{id}="),
        format!("{id}, {id}"),
        format!("{id};"),
        format!("{id}{id}"),
        id[1..].to_owned(),
        format!("id={id}"),
        "\u{fffd}".repeat(22),
        "+".repeat(22),
        "x".repeat(60_000),
    ];
    let of_plain = ["Bearer ", "\t", " "].map(|before| format!("{before}{id}"));
    let of_bearer = ["", "Basic ", "Bearer", "Bearer\t", "Bearer:", "Bearer \t"];
    let of_bearer = of_bearer.map(|before| format!("{before}{id}"));
    let behind_scheme = values.iter().map(|value| format!("Bearer {value}"));
    let cases = [
        (&plain, SESSION, [&values[..], &of_plain].concat()),
        (
            &bearer,
            AUTHORIZATION,
            behind_scheme.chain(of_bearer).collect(),
        ),
    ];
    for (app, header, values) in cases {
        for value in values {
            let present = |path: &str| {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                let request = Request::get(path).header(&header, value);
                app.clone().oneshot(request.body(Body::empty()).unwrap())
            };
            let response = present("/optional").await.unwrap();
            assert_eq!(Place::answers(&response), []);
            assert!(!no_store(&response));
            assert_eq!(text(response).await, "none", "{value}");
            assert_eq!(sessions.sessions().len(), 1, "it cost nothing");
            // A stranger like any other.
            let response = present("/session").await.unwrap();
            let [(_, told)] = &Place::answers(&response)[..] else {
                panic!("it is told once");
            };
            let new = sessions.get(&told.parse().unwrap()).unwrap();
            assert_ne!(new, session);
            new.terminate();
        }
    }
}

#[tokio::test]
async fn r33_a_bearers_scheme_has_no_case() {
    let sessions = manager();
    let app = app(&sessions, HeaderTransport::bearer());
    let id = sessions.create().unwrap().id().encode();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEARER   "] {
        let request = Request::get("/session").header(AUTHORIZATION, format!("{scheme}{id}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap());
        assert_eq!(text(response.await.unwrap()).await, id);
    }
}

#[tokio::test]
async fn r33_debug_of_a_response_shows_no_id_in_a_header() {
    let sessions = manager();
    for transport in [header(), HeaderTransport::bearer()] {
        let response = get(&app(&sessions, transport), "/session", &[]).await;
        let shown = format!("{:?}", response.headers());
        let id = text(response).await;
        assert!(!id.is_empty() && !shown.contains(&id), "{shown}");
    }
}

/// Finds its ids where only the application can have put them, and notes what it is told.
#[derive(Clone, Default)]
struct Custom(Arc<Mutex<Vec<(&'static str, u8)>>>);

#[derive(Clone)]
struct Ids(Vec<(SessionId, u8)>);

impl SessionTransport for Custom {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        assert_eq!(head.method, Method::PUT);
        assert_eq!(head.headers["x-seen"], "yes");
        if let Some(id) = head.uri.query().and_then(|id| id.parse().ok()) {
            offer(id, Origin::new(255))?;
        }
        let Ids(ids) = head.extensions.get().unwrap();
        ids.iter()
            .try_for_each(|(id, place)| offer(*id, Origin::new(*place)))
    }

    fn write(&self, origin: Origin, _: &mut HeaderMap, _: SessionId) {
        self.0.lock().unwrap().push(("write", origin.place()));
    }

    fn remove(&self, origin: Origin, _: &mut HeaderMap) {
        self.0.lock().unwrap().push(("remove", origin.place()));
    }
}

async fn answer(request: Request<Body>) -> Result<Response, SessionRejection> {
    let visitor = LazySession::from_extensions(request.extensions())?;
    match request.uri().path() {
        "/log-in" => drop(visitor.log_in("user".into())?),
        _ => visitor.session()?.terminate(),
    }
    Ok(Response::new(Body::empty()))
}

#[tokio::test]
async fn r33_a_transport_of_ones_own_reads_the_head_and_tells_its_places_apart() {
    fn service(
        sessions: &SessionManager,
        transport: impl SessionTransport,
    ) -> BoxCloneSyncService<Request<Body>, Response<Body>, SessionRejection> {
        let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
        let service = layer.layer(service_fn(answer));
        let service = service.map_response(|response| response.map(Body::new));
        BoxCloneSyncService::new(service)
    }
    let sessions = manager();
    let custom = Custom::default();
    // Alone, as the first and as the second of two.
    for service in [
        service(&sessions, custom.clone()),
        service(&sessions, custom.clone().or(cookie())),
        service(&sessions, header().or(cookie().or(custom.clone()))),
    ] {
        let put = async |target: String, ids: &[(SessionId, u8)]| {
            let request = Request::put(target)
                .header("x-seen", "yes")
                .extension(Ids(ids.to_vec()))
                .body(Body::empty());
            service.clone().oneshot(request.unwrap()).await.unwrap();
            std::mem::take(&mut *custom.0.lock().unwrap())
        };
        let unknown: SessionId = MADE_UP.parse().unwrap();
        let superseded: SessionId = Id::Superseded.create(&sessions).unwrap().parse().unwrap();
        let live = || sessions.create().unwrap().id();

        let told = put("/log-in".into(), &[(unknown, 3), (unknown, 4)]).await;
        assert_eq!(told, [("write", 3)], "the first counts, dead as it is");
        let told = put("/log-in".into(), &[(unknown, 3), (superseded, 4)]).await;
        assert_eq!(told, [("write", 4)]);
        let ids = [(unknown, 3), (superseded, 4), (live(), 5), (live(), 6)];
        assert_eq!(put("/log-in".into(), &ids).await, [("write", 5)]);
        let told = put("/log-out".into(), &[(unknown, 3), (live(), 6)]).await;
        assert_eq!(told, [("remove", 6)]);
        let target = format!("/log-out?{}", live().encode());
        assert_eq!(put(target, &[(live(), 6)]).await, [("remove", 255)]);
    }
    // A client without an id is answered in the first place of the first.
    let none = Request::put("/log-in").header("x-seen", "yes");
    let none = none.extension(Ids(Vec::new())).body(Body::empty()).unwrap();
    let service = service(&sessions, custom.clone().or(cookie()));
    let response = service.oneshot(none).await.unwrap();
    assert_eq!(Place::answers(&response), []);
    assert_eq!(*custom.0.lock().unwrap(), [("write", 0)]);
}
