//! Real connections: clients that hang up, streams that stay open, servers that stop.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{FutureExt, StreamExt, stream};
use http::header::CONTENT_TYPE;
use session_axum::{Session, SessionLayer};
use session_core::{CompletionCause, LocalSession};
use session_test::assert_ended;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::kit::{Stage, cookie, manager, staged};

/// Serves the application on its own port until the test is over.
async fn serve(app: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

async fn ask(address: std::net::SocketAddr, path: &str, cookies: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nCookie: {cookies}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Reads until the text has arrived.
async fn read_until(connection: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let mut buffer = [0; 4096];
        let length = connection.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the connection was closed after {read:?}");
        read += std::str::from_utf8(&buffer[..length]).unwrap();
    }
    read
}

/// Sends one event and never ends by itself.
async fn events(_: Session) -> impl IntoResponse {
    let events =
        stream::once(async { Ok::<_, Infallible>(Bytes::from("event")) }).chain(stream::pending());
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
}

#[tokio::test]
async fn r20_a_session_whose_client_hung_up_first_is_terminated() {
    let sessions = manager();
    let stage = Stage::default();
    let address = serve(staged(&sessions, stage.clone())).await;
    let connection = ask(address, "/stop", "").await;
    let session = stage.stopped().await;
    assert!(!session.is_completed());
    drop(connection);
    assert_ended!(session, CompletionCause::Terminated);
}

#[tokio::test]
async fn a_client_that_hangs_up_on_a_stream_leaves_its_session() {
    let sessions = manager();
    // Not ended by the session, so that only the client's hang-up can end it.
    let endless = async |_: Session| {
        let events = stream::once(async { Ok::<_, Infallible>(Bytes::from("event")) });
        Body::from_stream(events.chain(stream::pending()))
    };
    let app = Router::new()
        .route("/", get(endless))
        .layer(SessionLayer::new(sessions.clone()));
    let address = serve(app).await;

    let mut connection = ask(address, "/", "").await;
    let head = read_until(&mut connection, "event").await;
    let session = sessions.sessions().pop().unwrap();
    assert!(
        head.contains(&format!("set-cookie: {};", cookie(&session))),
        "{head}"
    );

    session.terminate();
    let cleanup = session.cleanup_completed();
    assert!(cleanup.clone().now_or_never().is_none());
    drop(connection);
    assert!(cleanup.await.is_clean());
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let sessions = manager();
    let app = Router::new()
        .route("/", get(events))
        .layer(SessionLayer::new(sessions.clone()));
    let address = serve(app).await;
    let session = sessions.create().unwrap();
    let mut connection = ask(address, "/", &cookie(&session)).await;
    let head = read_until(&mut connection, "event").await;
    assert!(!head.contains("set-cookie"));
    session.terminate();
    read_until(&mut connection, "0\r\n\r\n").await;
    assert!(session.cleanup_completed().await.is_clean());
}

#[tokio::test]
async fn a_server_with_an_open_stream_shuts_down() {
    let sessions = manager();
    let app = Router::new()
        .route("/", get(events))
        .layer(SessionLayer::new(sessions.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let report = Arc::new(std::sync::Mutex::new(None));
    let server = axum::serve(listener, app).with_graceful_shutdown({
        let (sessions, report) = (sessions.clone(), report.clone());
        async move {
            stopped.await.unwrap();
            *report.lock().unwrap() = Some(sessions.shutdown(Duration::from_secs(10)).await);
        }
    });
    let server = tokio::spawn(server.into_future());

    let mut connection = ask(address, "/", "").await;
    read_until(&mut connection, "event").await;
    let session = sessions.sessions().pop().unwrap();
    stop.send(()).unwrap();

    read_until(&mut connection, "0\r\n\r\n").await;
    server.await.unwrap().unwrap();
    assert!(session.is_completed());
    assert_ended!(session, CompletionCause::Shutdown);
    assert!(report.lock().unwrap().is_some());
}
