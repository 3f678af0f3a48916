//! Row 31: a server serves requests to their end, shuts down within its time, and reports what was left.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use futures_util::stream;
use http_body_util::BodyExt as _;
use session_axum::{LazySession, Session, SessionLayer, SessionRejection};
use session_core::{
    CompletionCause, LocalSession as _, PropertyKey, SessionManager, Subject, Trouble,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::client::{self, Http, Server};
use crate::kit::{Stage, manager, text_of};

pub(crate) const GRACE: Duration = Duration::from_secs(2);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// The time at which connections are cut.
const CUT: Duration = Duration::from_secs(19);
const DONE: PropertyKey<&str> = PropertyKey::new("done");

pub(crate) fn app(sessions: &SessionManager, stage: Stage) -> Router {
    Router::new()
        .route(
            "/",
            get(async |session: Session| session.is_new().to_string()),
        )
        .route(
            "/work",
            get(async |State(stage): State<Stage>, session: Session| {
                stage.wait().await;
                session.properties().insert(&DONE, "done")?;
                Ok::<_, SessionRejection>("done")
            }),
        )
        .route(
            "/forever",
            get(async |State(stage): State<Stage>, _: Session| stage.wait().await),
        )
        .route(
            "/upload",
            post(async |_: Session, body: Bytes| body.len().to_string()),
        )
        .route(
            "/lazy",
            post(async |visitor: LazySession, _: Bytes| visitor.session().map(drop)),
        )
        .route(
            "/flood",
            get(async |_: Session| {
                let data = Bytes::from(vec![b'x'; 64 << 10]);
                Body::from_stream(stream::repeat(Ok::<_, Infallible>(data)))
            }),
        )
        .route(
            "/events",
            get(async |_: Session| {
                let first = stream::iter([Ok::<_, Infallible>(Bytes::from("data: first\n\n"))]);
                let events = futures_util::StreamExt::chain(first, stream::pending());
                (
                    [(CONTENT_TYPE, "text/event-stream")],
                    Body::from_stream(events),
                )
                    .into_response()
            }),
        )
        .with_state(stage)
        .layer(SessionLayer::new(sessions.clone()))
}

pub(crate) async fn connect(server: &Server, text: &str) -> TcpStream {
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    connection.write_all(text.as_bytes()).await.unwrap();
    connection
}

#[tokio::test]
async fn r31_a_request_under_way_is_served_to_its_end_and_no_session_is_made() {
    for http in Http::BOTH {
        let sessions = manager();
        let stage = Stage::default();
        let app = app(&sessions, stage.clone());
        let server = Server::with(app, &sessions, GRACE, TIMEOUT).await;
        let address = server.address;
        let work = tokio::spawn(client::send(address, http, client::request("/work", "")));
        stage.waiting().await;
        let mut kept = connect(&server, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(read_head(&mut kept).await.starts_with("HTTP/1.1 200"));
        let shutdown = server.signal();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        // An open connection is still answered, but no new session is created.
        kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(read_head(&mut kept).await.starts_with("HTTP/1.1 503"));
        stage.go_on();
        let answer = work.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(text_of(answer.into_body()).await, "done");
        assert!(shutdown.await.unwrap().is_clean());
    }
}

async fn read_head(connection: &mut TcpStream) -> String {
    let mut read = String::new();
    while !read.contains("\r\n\r\n") {
        let mut buffer = [0; 4096];
        let length = connection.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the connection was closed after {read:?}");
        read += std::str::from_utf8(&buffer[..length]).unwrap();
    }
    read
}

#[tokio::test]
async fn r31_event_streams_and_idle_connections_prolong_nothing() {
    for http in Http::BOTH {
        let sessions = manager();
        let app = app(&sessions, Stage::default());
        let server = Server::with(app, &sessions, GRACE, TIMEOUT).await;
        let response = client::send(server.address, http, client::request("/events", "")).await;
        let mut events = response.into_body();
        assert!(events.frame().await.unwrap().is_ok());
        let session = sessions.sessions().pop().unwrap();
        let mut kept = connect(&server, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(read_head(&mut kept).await.starts_with("HTTP/1.1 200"));
        let reader = tokio::spawn(async move {
            while let Some(frame) = events.frame().await {
                frame.unwrap();
            }
        });
        tokio::time::pause();
        let start = Instant::now();
        let shutdown = server.signal();
        session.completion_token().cancelled().await;
        assert_eq!(
            start.elapsed(),
            Duration::ZERO,
            "there was nothing to wait for"
        );
        let report = shutdown.await.unwrap();
        tokio::time::resume();
        assert_eq!((report.ended(), report.is_clean()), (2, true), "{report:?}");
        assert_eq!(session.completion_cause(), Some(CompletionCause::Shutdown));
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn r31_the_grace_has_an_end_and_a_longer_one_ends_with_the_timeout() {
    for grace in [GRACE, Duration::MAX] {
        let sessions = manager();
        let stage = Stage::default();
        let app = app(&sessions, stage.clone());
        let server = Server::with(app, &sessions, grace, TIMEOUT).await;
        let cut = tokio::spawn(client::send(
            server.address,
            Http::One,
            client::request("/forever", ""),
        ));
        stage.waiting().await;
        let session = sessions.sessions().pop().unwrap();
        tokio::time::pause();
        let start = Instant::now();
        let shutdown = server.signal();
        session.completion_token().cancelled().await;
        let took = start.elapsed();
        let expected = grace.min(CUT);
        assert!(
            took >= expected && took < expected + Duration::from_millis(50),
            "{took:?}"
        );
        assert!(shutdown.await.unwrap().is_clean());
        assert!(cut.await.is_err(), "its connection was cut");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn r31_without_time_connections_are_cut_before_the_report() {
    for millis in [0, 1, 5, 49, 51] {
        for http in Http::BOTH {
            let sessions = manager();
            let stage = Stage::default();
            let app = app(&sessions, stage.clone());
            let time = Duration::from_millis(millis);
            let server = Server::with(app, &sessions, Duration::ZERO, time).await;
            let address = server.address;
            let cut = tokio::spawn(client::send(address, http, client::request("/forever", "")));
            stage.waiting().await;
            let report = server.stop().await;
            assert!(report.is_clean(), "{millis} ms, {http:?}: {report:?}");
            assert!(cut.await.is_err());
        }
    }
}

#[tokio::test]
async fn r31_hooks_have_their_time_also_after_a_grace_that_took_all() {
    let sessions = manager();
    let stage = Stage::default();
    let app = app(&sessions, stage.clone());
    let server = Server::with(app, &sessions, TIMEOUT, TIMEOUT).await;
    let other = sessions.create().unwrap();
    let (closes, closed) = tokio::sync::oneshot::channel();
    let hook = async |closes: tokio::sync::oneshot::Sender<()>| {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let _ = closes.send(());
    };
    let key = PropertyKey::<tokio::sync::oneshot::Sender<()>>::new("closes");
    let inserted = other.properties().insert_with(&key, closes, hook);
    drop(inserted.unwrap());
    let stuck = client::request("/forever", "");
    let stuck = tokio::spawn(client::send(server.address, Http::One, stuck));
    stage.waiting().await;
    tokio::time::pause();
    let report = server.stop().await;
    assert!(report.is_clean(), "{report:?}");
    // The stuck request's session ended with its connection, since no client knew its id.
    assert_eq!(report.ended(), 1);
    closed.await.expect("the hook was not aborted");
    assert!(stuck.await.is_err(), "its connection was cut");
}

#[tokio::test]
async fn r31_the_report_names_sessions_that_are_truly_held() {
    let sessions = manager();
    let server = Server::with(app(&sessions, Stage::default()), &sessions, GRACE, TIMEOUT).await;
    let session = sessions.create().unwrap();
    let held = session.enter().unwrap();
    tokio::time::pause();
    let start = Instant::now();
    let report = server.signal().await.unwrap();
    assert!(start.elapsed() <= TIMEOUT + Duration::from_secs(1));
    let [(Subject::Session(serial), report)] = report.problems() else {
        panic!("{report:?}")
    };
    assert_eq!(*serial, session.serial());
    assert_eq!(report.problems()[0].trouble(), &Trouble::StillHeld);
    drop(held);
}

#[tokio::test]
async fn r31_dropping_the_server_cuts_its_connections() {
    let sessions = manager();
    let stage = Stage::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = session_axum::serve(listener, app(&sessions, stage.clone()), sessions.clone());
    let server = tokio::spawn(server.into_future());
    for http in Http::BOTH {
        let answer = tokio::spawn(client::send(address, http, client::request("/forever", "")));
        stage.waiting().await;
        if matches!(http, Http::Two) {
            server.abort();
            assert!(answer.await.is_err());
        }
    }
    // Both handlers were dropped, so their sessions, whose ids no client knows, have ended.
    while sessions.stats().active > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn r31_handlers_know_the_address_if_they_are_to() {
    let app = Router::new().route(
        "/",
        get(async |ConnectInfo(address): ConnectInfo<SocketAddr>| address.ip().to_string()),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = session_axum::serve(listener, app, manager()).with_connect_info();
    tokio::spawn(server.into_future());
    for http in Http::BOTH {
        let answer = client::send(address, http, client::request("/", "")).await;
        assert_eq!(text_of(answer.into_body()).await, "127.0.0.1");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn r31_any_listener_and_any_service_will_do() {
    use tower::Layer as _;
    let sessions = manager();
    let directory = std::env::temp_dir().join(format!("r31-{}", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&directory).unwrap();
    // The layer around the router, whose bodies have their own type.
    let app = SessionLayer::new(sessions.clone())
        .layer(Router::new().route("/", get(async |_: Session| "hello")));
    tokio::spawn(session_axum::serve(listener, app, sessions).into_future());
    let mut connection = tokio::net::UnixStream::connect(&directory).await.unwrap();
    std::fs::remove_file(&directory).unwrap();
    connection
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
        "{answer}"
    );
    assert!(answer.contains("set-cookie: id="));
}
