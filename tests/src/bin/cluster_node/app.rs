//! The application: each session has a count, and the name of the visitor that it was made for.

use std::convert::Infallible;
use std::future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ws::Message;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router, middleware};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use session_axum::{
    LazySession, LocalSession as _, Props, Session, SessionEvents, SessionLayer, SessionRejection,
    SessionUpgrade, Socket,
};
use session_cluster::{Cluster, ClusterLayer};
use session_core::{GroupId, Property, SessionManager, SessionProperties};

use crate::membership;
use crate::options::Options;

#[derive(SessionProperties)]
struct Visit {
    /// The visitor that the session was made for.
    #[property(default)]
    owner: Property<OnceLock<String>>,
    #[property(default)]
    count: Property<AtomicU64>,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    group: String,
    /// Milliseconds to wait, or to wait at most.
    #[serde(default)]
    ms: u64,
    /// Kibibytes to send.
    #[serde(default)]
    kib: usize,
}

impl Wish {
    fn time(&self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

/// Counts the request, and returns the session as this request has found it.
fn counted(session: &Session, headers: &HeaderMap) -> Result<Value, SessionRejection> {
    let visit = session.props::<Visit>()?;
    let visitor = headers.get("x-visitor").and_then(|name| name.to_str().ok());
    let owner = visit
        .owner()?
        .get_or_init(|| visitor.unwrap_or("nobody").to_owned());
    let count = visit.count()?.fetch_add(1, Ordering::AcqRel) + 1;
    let group = session.group();
    let group = group.id().map(|id| id.as_str().to_owned());
    Ok(json!({
        "owner": owner, "serial": session.serial(), "count": count, "new": session.is_new(), "group": group,
    }))
}

async fn count(session: Session, headers: HeaderMap) -> Result<Json<Value>, SessionRejection> {
    counted(&session, &headers).map(Json)
}

/// Takes its time.
async fn work(
    Query(wish): Query<Wish>,
    session: Session,
    headers: HeaderMap,
) -> Result<Json<Value>, SessionRejection> {
    tokio::time::sleep(wish.time()).await;
    counted(&session, &headers).map(Json)
}

async fn log_in(
    Query(wish): Query<Wish>,
    visitor: LazySession,
    headers: HeaderMap,
) -> Result<Json<Value>, SessionRejection> {
    let session = visitor.log_in(GroupId::from(wish.group))?;
    counted(&session, &headers).map(Json)
}

async fn upload(
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, SessionRejection> {
    let mut data = body.into_data_stream();
    let (mut length, mut sum, mut whole) = (0, 0_u64, true);
    while let Some(part) = data.next().await {
        let Ok(part) = part else {
            whole = false;
            break;
        };
        length += part.len();
        sum += part.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
    let mut answer = counted(&session, &headers)?;
    answer["upload"] = json!({ "length": length, "sum": sum, "whole": whole });
    Ok(Json(answer))
}

/// A kibibyte each few milliseconds.
async fn download(Query(wish): Query<Wish>, _: Session) -> Body {
    let time = wish.time();
    let parts = stream::iter(0..wish.kib).then(move |_| async move {
        tokio::time::sleep(time).await;
        Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024]))
    });
    Body::from_stream(parts)
}

/// A number each few milliseconds.
async fn events(Query(wish): Query<Wish>, events: SessionEvents) -> Response {
    let time = wish.time().max(Duration::from_millis(20));
    let ticks = stream::iter(0_u64..).then(move |tick| async move {
        tokio::time::sleep(time).await;
        Ok::<_, Infallible>(Event::default().data(tick.to_string()))
    });
    let events = events.last_event(Event::default().event("over").data("over"));
    let events: Sse<_> = events.run(ticks);
    events.into_response()
}

/// Echoes each message with the count of the session.
async fn socket(upgrade: SessionUpgrade, visit: Props<Visit>) -> Response {
    upgrade.run(async move |mut socket: Socket| {
        while let Some(Ok(message)) = socket.recv().await {
            let (Message::Text(text), Ok(count)) = (message, visit.count()) else {
                continue;
            };
            let count = count.fetch_add(1, Ordering::AcqRel) + 1;
            let echo = Message::Text(format!("{count} {text}").into());
            if socket.send(echo).await.is_err() {
                return;
            }
        }
    })
}

async fn end_group(State(cluster): State<Cluster>, Query(wish): Query<Wish>) -> Json<Value> {
    let time = wish.time();
    Json(membership::end_group(&cluster, GroupId::from(wish.group), time).await)
}

async fn ready(State(cluster): State<Cluster>) -> StatusCode {
    if cluster.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

fn name(options: &Options) -> HeaderValue {
    let name = format!("{}.{}", options.name, std::process::id());
    HeaderValue::try_from(name).expect("a name is plain text")
}

pub(crate) fn router(options: &Options, sessions: SessionManager, cluster: &Cluster) -> Router {
    let layer = SessionLayer::new(sessions);
    let cluster_layer: ClusterLayer = membership::layer(options, cluster, &layer);
    // The node that has answered, and the one at whose door the request came in.
    let (by, door) = (name(options), name(options));
    let note = |header: &'static str, name: HeaderValue| {
        middleware::map_response(move |mut response: Response| {
            response.headers_mut().insert(header, name.clone());
            future::ready(response)
        })
    };
    Router::new()
        .route("/count", get(count).post(count))
        .route("/work", get(work).post(work))
        .route("/log-in", post(log_in))
        .route("/end-group", post(end_group))
        .route("/upload", post(upload))
        .route("/download", get(download))
        .route("/events", get(events))
        .route("/socket", any(socket))
        .layer(note("x-node", by))
        .layer(layer)
        .layer(cluster_layer)
        // A load balancer asks this node, not its cluster.
        .route("/ready", get(ready))
        .layer(note("x-door", door))
        .with_state(cluster.clone())
}
