//! An attack over sockets. The attacker, with a planted id, is inside with an event stream, a slow upload and a waiting
//! handler while the victim logs in, in every order of the steps.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use session_axum::{LazySession, Session, SessionGroup, SessionLayer, SessionRejection};
use session_core::SessionManager;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::client::{self, Http, Server, send};
use crate::kit::{Stage, manager, text_of};

/// The attacker's steps and the victim's log-in. A step comes after the previous one of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    OpensStream,
    BeginsUpload,
    EndsUpload,
    BeginsToWait,
    GoesOn,
    VictimLogsIn,
}

use Step::{BeginsToWait, BeginsUpload, EndsUpload, GoesOn, OpensStream, VictimLogsIn};

/// All orders in which an upload ends after it begins, and a handler goes on after it has begun to wait.
fn orders() -> Vec<Vec<Step>> {
    let steps = [
        OpensStream,
        BeginsUpload,
        EndsUpload,
        BeginsToWait,
        GoesOn,
        VictimLogsIn,
    ];
    let mut orders = vec![Vec::new()];
    for _ in steps {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<Step>| {
                let next = steps.into_iter().filter(|step| !order.contains(step));
                let next: Vec<_> = next.map(|step| [&order[..], &[step]].concat()).collect();
                next
            })
            .collect();
    }
    let at = |order: &[Step], step| order.iter().position(|known| *known == step);
    orders.retain(|order| {
        at(order, BeginsUpload) < at(order, EndsUpload)
            && at(order, BeginsToWait) < at(order, GoesOn)
    });
    orders
}

/// The place where handlers report that they have arrived, and wait.
#[derive(Clone, Default)]
struct Stages {
    upload: Stage,
    wait: Stage,
}

fn name(group: &session_core::SessionGroup) -> String {
    group.id().map_or("nobody", |id| id.as_str()).to_owned()
}

/// Names the session's user in each event.
async fn events(session: Session) -> Response {
    let session = session.into_inner();
    let events = stream::unfold(session, async |session| {
        tokio::task::yield_now().await;
        let event = format!("data: {}\n\n", name(&session.group()));
        Some((Ok::<_, Infallible>(Bytes::from(event)), session))
    });
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}

async fn upload(
    State(stages): State<Stages>,
    request: Request,
) -> Result<String, SessionRejection> {
    let (mut head, body) = request.into_parts();
    stages.upload.arrive();
    let _read = axum::body::to_bytes(body, usize::MAX).await;
    let group = SessionGroup::from_request_parts(&mut head, &()).await?;
    Ok(name(&group))
}

/// Waits while holding its session, then tries everything that it allows.
async fn wait(
    State(stages): State<Stages>,
    session: Result<Session, SessionRejection>,
    request: Request,
) -> Result<String, SessionRejection> {
    stages.wait.wait().await;
    let session = session?;
    let (mut head, _) = request.into_parts();
    let cycled = session.cycle_id();
    let logged_in = session.log_in("attacker".into());
    session.terminate();
    let again = SessionGroup::from_request_parts(&mut head, &())
        .await
        .map(|group| name(&group));
    Ok(format!(
        "{} {} {again:?}",
        cycled.is_ok(),
        logged_in.is_ok()
    ))
}

fn app(sessions: &SessionManager, stages: Stages) -> Router {
    Router::new()
        .route("/events", get(events))
        .route("/upload", post(upload))
        .route("/wait", get(wait))
        .route("/group", get(async |group: SessionGroup| name(&group)))
        .route(
            "/log-in",
            post(async |visitor: LazySession, _: Bytes| visitor.log_in("victim".into()).map(drop)),
        )
        .with_state(stages)
        .layer(SessionLayer::new(sessions.clone()))
}

/// Reads a stream until it ends, and returns its text.
fn read(body: Incoming) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut body = body;
        let mut read = String::new();
        while let Some(Ok(frame)) = body.frame().await {
            read += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
        read
    })
}

fn cookie_of(response: &http::Response<Incoming>) -> Option<String> {
    let cookie = response.headers().get(SET_COOKIE)?.to_str().unwrap();
    Some(cookie.split(';').next().unwrap().to_owned())
}

async fn run(http: Http, order: &[Step]) {
    let sessions = manager();
    let stages = Stages::default();
    let server = Server::start(app(&sessions, stages.clone()), &sessions).await;
    let address = server.address;
    let planted = format!("id={}", sessions.create().unwrap().id().encode());
    let ask = |path: &str, cookie: &str| send(address, http, client::request(path, cookie));

    // Everything that is sent to the attacker.
    let mut streams = Vec::new();
    let (mut uploading, mut waiting) = (None, None);
    let (chunks, body) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    let mut chunks = Some(chunks);
    let mut body = Some(body);
    let mut victims = None;

    for step in order {
        match step {
            OpensStream => {
                let response = ask("/events", &planted).await;
                let refused = response.status() == StatusCode::CONFLICT;
                assert_eq!(refused, victims.is_some() || is_gone(order), "{order:?}");
                streams.push((cookie_of(&response), read(response.into_body())));
            }
            BeginsUpload => {
                let receiver = body.take().unwrap();
                let stream = stream::unfold(receiver, async |mut receiver| {
                    receiver.recv().await.map(|chunk| (chunk, receiver))
                });
                let mut request = client::request("/upload", &planted);
                *request.method_mut() = http::Method::POST;
                *request.body_mut() = Body::from_stream(stream);
                uploading = Some(tokio::spawn(send(address, http, request)));
                let first = chunks.as_ref().unwrap().send(Ok("half".into()));
                first.await.unwrap();
                stages.upload.waiting().await;
            }
            EndsUpload => {
                drop(chunks.take());
                let answer = uploading.take().unwrap().await.unwrap();
                streams.push((cookie_of(&answer), read(answer.into_body())));
            }
            BeginsToWait => {
                let request = client::request("/wait", &planted);
                waiting = Some(tokio::spawn(send(address, http, request)));
                stages.wait.waiting().await;
            }
            GoesOn => {
                stages.wait.go_on();
                let answer = waiting.take().unwrap().await.unwrap();
                streams.push((cookie_of(&answer), read(answer.into_body())));
            }
            VictimLogsIn => {
                let mut request = client::request("/log-in", &planted);
                *request.method_mut() = http::Method::POST;
                *request.body_mut() = Body::from("password");
                let response = send(address, http, request).await;
                assert_eq!(response.status(), StatusCode::OK, "{order:?}");
                victims = Some(cookie_of(&response).expect("it is told its id"));
            }
        }
    }
    let victims = victims.unwrap();
    // The victim notices nothing.
    let group = text_of(ask("/group", &victims).await.into_body()).await;
    assert_eq!(group, "victim", "{http:?} {order:?}");

    // The attacker has seen nothing, and is told nothing.
    let mut known = vec![planted];
    let shutdown = server.stop();
    let ((), report) = futures_util::join!(
        async {
            for (told, stream) in streams {
                let seen = stream.await.unwrap();
                assert!(!seen.contains("victim"), "{http:?} {order:?}: {seen}");
                known.extend(told);
            }
        },
        shutdown
    );
    assert!(report.is_clean(), "{http:?} {order:?}: {report:?}");
    assert!(!known.contains(&victims));
}

/// Whether the attacker's own handler has ended or renamed the session by the time the stream is opened.
fn is_gone(order: &[Step]) -> bool {
    let at = |step| order.iter().position(|known| *known == step);
    at(GoesOn) < at(OpensStream) && at(BeginsToWait) < at(VictimLogsIn)
}

#[tokio::test]
async fn r18_an_attacker_who_is_inside_at_a_log_in_sees_nothing_in_any_order_of_the_steps() {
    let orders = orders();
    assert_eq!(orders.len(), 180);
    for http in Http::BOTH {
        for order in &orders {
            run(http, order).await;
        }
    }
}
