use std::convert::Infallible;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use session_axum::{Props, SessionLayer, SessionRejection};
use session_core::{LocalSession, Property, SessionManager, SessionProperties};
use time::Duration;
use tokio::runtime::Runtime;
use tower_layer::{Identity, Layer};
use tower_service::Service;
use tower_sessions::{Expiry, MemoryStore, SessionManagerLayer};

use crate::child;
use crate::harness::Bench;
use crate::lookup::shuffle;
use crate::report::{Verdict, ns, print_cases, times};

const REQUESTS: usize = 500;
const SESSIONS: usize = 10_000;
const BATCHES_COUNTED: usize = 10;

const MOST_OF_SLIDING: f64 = 1.0 / 5.0;
const MOST_OF_READ: f64 = 1.0 / 3.0;
const MOST_ALLOCATIONS: f64 = 7.0;
const MOST_ALLOCATIONS_OUTSIDE: f64 = 3.0;

/// Measures the row.
pub fn run(runtime: &Runtime) -> Vec<Verdict> {
    let allocations = child::allocations_of_requests();
    let mut bench = Bench::default();
    let servers = servers(runtime).into_iter().zip(&allocations);
    let places: Vec<_> = servers
        .map(|(server, allocations)| {
            let name = format!("{}; {allocations:.0} allocations", server.name);
            bench.case(name, REQUESTS, server.batch)
        })
        .collect();
    let measured = bench.run();
    print_cases(
        "4. A whole request, in process, with 10 k sessions",
        &measured,
    );

    let [bare, _, ours, outside, read, sliding] = [0, 1, 2, 3, 4, 5];
    let added = |server: usize| measured[places[server]].minus(&measured[places[bare]]);
    let time = |peer: usize, doing, most: f64| {
        let (ours, peer) = (added(ours), added(peer));
        let ratio = ours.over(&peer).median();
        Verdict {
            what: format!("added to a request; tower-sessions {doing}"),
            measured: ns(ours.median()),
            base: ns(peer.median()),
            ratio: times(ratio),
            budget: times(most),
            ok: ratio <= most,
        }
    };
    let added = |server: usize| allocations[server] - allocations[bare];
    let allocated = |server: usize, place, most: f64| Verdict {
        what: format!("allocations added to a request, layer {place}; tower-sessions"),
        measured: format!("{:.0}", added(server)),
        base: format!("{:.0}", added(sliding)),
        ratio: times(added(server) / added(sliding)),
        budget: format!("{most:.0}"),
        ok: added(server) <= most,
    };
    vec![
        time(sliding, "with sliding idle", MOST_OF_SLIDING),
        time(read, "with a plain read", MOST_OF_READ),
        allocated(ours, "by `Router::layer`", MOST_ALLOCATIONS),
        allocated(outside, "outside the `Router`", MOST_ALLOCATIONS_OUTSIDE),
    ]
}

/// Returns the allocations of one request to each server. `counts` counts those of a closure.
pub fn count(runtime: &Runtime, counts: impl Fn(&mut dyn FnMut()) -> u64) -> Vec<f64> {
    let servers = servers(runtime).into_iter();
    servers
        .map(|mut server| {
            // One-time allocations are not counted.
            (server.batch)();
            counts(&mut server.batch) as f64 / REQUESTS as f64
        })
        .collect()
}

/// Names of the servers, in the order of [`repeat`].
pub fn names(runtime: &Runtime) -> Vec<&'static str> {
    servers(runtime).iter().map(|server| server.name).collect()
}

/// Sends many requests to the server of this number, after some that are not counted, for an instruction counter that
/// collects in [`one_batch`] alone. Returns the number of requests.
pub fn repeat(runtime: &Runtime, server: usize) -> usize {
    let mut batch = servers(runtime)
        .into_iter()
        .nth(server)
        .expect("there is one")
        .batch;
    batch();
    for _ in 0..BATCHES_COUNTED {
        one_batch(&mut batch);
    }
    REQUESTS * BATCHES_COUNTED
}

/// One batch, in its own function, which callgrind finds by its name.
#[inline(never)]
pub fn one_batch(batch: &mut dyn FnMut()) {
    batch();
}

/// A way to answer requests.
struct Server<'a> {
    name: &'static str,
    /// Sends [`REQUESTS`] requests, one after the other, each from a different session.
    batch: Box<dyn FnMut() + 'a>,
}

impl<'a> Server<'a> {
    fn new<S, B>(
        runtime: &'a Runtime,
        name: &'static str,
        service: S,
        cookies: &[Cookie],
        sets_cookie: bool,
    ) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send,
        B: HttpBody + Send + Unpin,
    {
        let mut cookies = cookies.to_vec();
        // Each server has its own order of the sessions.
        shuffle(&mut cookies, name.len() as u64);
        let mut client = Some(Client {
            service,
            cookies,
            at: 0,
            sets_cookie,
        });
        let batch = move || {
            let mut own = client.take().expect("it came back from the batch before");
            // In a task, as a server's connections are.
            let task = runtime.spawn(async move {
                own.batch().await;
                own
            });
            client = Some(runtime.block_on(task).expect("no request panics"));
        };
        Self {
            name,
            batch: Box::new(batch),
        }
    }
}

/// The clients of a server.
struct Client<S> {
    service: S,
    cookies: Vec<Cookie>,
    at: usize,
    sets_cookie: bool,
}

impl<S, B> Client<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: HttpBody + Unpin,
{
    async fn batch(&mut self) {
        let cookies = &self.cookies[self.at..self.at + REQUESTS];
        self.at = (self.at + REQUESTS) % SESSIONS;
        for cookie in cookies {
            let mut request = Request::new(Body::empty());
            // Copied so that its bytes are in the cache, as after a server has just read it.
            let cookie = HeaderValue::from_bytes(cookie).expect("base64url is a header value");
            request.headers_mut().insert(COOKIE, cookie);
            let Ok(()) = poll_fn(|cx| self.service.poll_ready(cx)).await;
            let Ok(response) = self.service.call(request).await;
            assert_eq!(response.status(), StatusCode::OK);
            // A client that the server does not know would get a new id.
            assert_eq!(
                response.headers().contains_key(SET_COOKIE),
                self.sets_cookie
            );
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                black_box(frame.is_ok());
            }
        }
    }
}

/// The servers, in the order that [`run`] and [`count`] share.
fn servers(runtime: &Runtime) -> [Server<'_>; 6] {
    let (sessions, cookies) = our_sessions();
    let (store, peer_cookies) = runtime.block_on(peer_sessions());
    let ours = || Router::new().route("/", get(our_handler));
    let peer = || Router::new().route("/", get(peer_handler));
    let bare = || Router::new().route("/", get(async || "ok"));

    let layer = SessionLayer::new(sessions);
    let expiry = Expiry::OnInactivity(Duration::minutes(20));
    let reading = SessionManagerLayer::new(store).with_expiry(expiry);
    let sliding = reading.clone().with_always_save(true);

    let of = |name, router, cookies, sets_cookie| {
        Server::new(runtime, name, as_served(router), cookies, sets_cookie)
    };
    [
        of("bare handler", bare(), &cookies, false),
        of(
            "with a layer that does nothing",
            bare().layer(Identity::new()),
            &cookies,
            false,
        ),
        of(
            "with `SessionLayer` and `Props<P>`",
            ours().layer(layer.clone()),
            &cookies,
            false,
        ),
        Server::new(
            runtime,
            "the same, layer outside the `Router`",
            layer.layer(as_served(ours())),
            &cookies,
            false,
        ),
        of(
            "with tower-sessions, read",
            peer().layer(reading),
            &peer_cookies,
            false,
        ),
        of(
            "with tower-sessions, read and sliding idle",
            peer().layer(sliding),
            &peer_cookies,
            true,
        ),
    ]
}

/// Prepares a router as `axum::serve` does. Without this, it would apply its layers at each request.
fn as_served(router: Router) -> Router {
    router.with_state(())
}

#[derive(SessionProperties)]
struct Counters {
    #[property(default)]
    hits: Property<AtomicU64>,
}

async fn our_handler(counters: Props<Counters>) -> Result<&'static str, SessionRejection> {
    black_box(counters.hits()?.load(Ordering::Relaxed));
    Ok("ok")
}

fn our_sessions() -> (SessionManager, Vec<Cookie>) {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    let cookies = (0..SESSIONS).map(|_| {
        let session = sessions.create().expect("there is room");
        let counters = session.props::<Counters>().expect("it is active");
        counters.hits().expect("a default does not fail");
        cookie(&session.id().encode())
    });
    let cookies = cookies.collect();
    (sessions, cookies)
}

async fn peer_handler(session: tower_sessions::Session) -> Result<&'static str, StatusCode> {
    let hits = session.get::<u64>("hits").await;
    match black_box(hits) {
        Ok(Some(_)) => Ok("ok"),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn peer_sessions() -> (MemoryStore, Vec<Cookie>) {
    let store = MemoryStore::default();
    let mut cookies = Vec::new();
    for _ in 0..SESSIONS {
        let id = counted_session(&store).await;
        cookies.push(cookie(&id.to_string()));
    }
    (store, cookies)
}

/// A session of tower-sessions that holds one counter.
pub(crate) async fn counted_session(store: &MemoryStore) -> tower_sessions::session::Id {
    let session = tower_sessions::Session::new(None, Arc::new(store.clone()), None);
    session
        .insert("hits", 0_u64)
        .await
        .expect("a number can be stored");
    session.save().await.expect("memory takes it");
    session.id().expect("it has been saved")
}

/// `id=` and an id, which both encode in the same way.
type Cookie = [u8; 25];

fn cookie(id: &str) -> Cookie {
    let text = format!("id={id}").into_bytes();
    text.try_into().expect("an id has 22 characters")
}
