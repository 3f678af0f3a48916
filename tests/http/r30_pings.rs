//! Row 30: a peer that does not answer pings, or does not take messages, is dead.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::Message as Sent;
use axum::response::Response;
use axum::routing::any;
use futures_util::StreamExt as _;
use session_axum::{SessionLayer, SessionUpgrade, Socket};
use session_core::{LocalSession as _, SessionManager};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Http, Server};
use crate::kit::manager;
use crate::r30_upgrade::{hear, say};
use crate::sockets::open;

const EVERY: Duration = Duration::from_secs(20);

/// The time may have begun a little earlier.
fn is_three_times(took: Duration) -> bool {
    EVERY.as_secs() * 3 == (took + Duration::from_millis(900)).as_secs()
}

/// The messages and errors that a handler has seen.
#[derive(Debug, PartialEq)]
enum Seen {
    Began,
    Message(String),
    Error(String),
    End,
}

/// Receives until the end, and reports.
async fn receive(mut socket: Socket, seen: mpsc::UnboundedSender<Seen>) {
    seen.send(Seen::Began).unwrap();
    while let Some(message) = socket.recv().await {
        let message = match message {
            Ok(message) => Seen::Message(format!("{message:?}")),
            Err(error) => Seen::Error(error.to_string()),
        };
        seen.send(message).unwrap();
    }
    seen.send(Seen::End).unwrap();
}

/// Sends the same again and again until that fails.
async fn flood(mut socket: Socket, seen: mpsc::UnboundedSender<Seen>) {
    seen.send(Seen::Began).unwrap();
    let data = axum::body::Bytes::from(vec![b'x'; 1 << 20]);
    loop {
        if let Err(error) = socket.send(Sent::Binary(data.clone())).await {
            seen.send(Seen::Error(error.to_string())).unwrap();
            return;
        }
        seen.send(Seen::Message("sent".into())).unwrap();
    }
}

/// Sends now and then, and never receives.
async fn tick(mut socket: Socket, seen: mpsc::UnboundedSender<Seen>) {
    seen.send(Seen::Began).unwrap();
    loop {
        tokio::time::sleep(EVERY * 4).await;
        socket.send(Sent::Text("tick".into())).await.unwrap();
        seen.send(Seen::Message("sent".into())).unwrap();
    }
}

async fn start(sessions: &SessionManager) -> (Server, mpsc::UnboundedReceiver<Seen>) {
    let (sees, seen) = mpsc::unbounded_channel();
    let route = |run: Run| {
        let sees = sees.clone();
        any(async move |upgrade: SessionUpgrade| -> Response {
            upgrade.ping(EVERY).run(move |socket| run(socket, sees))
        })
    };
    let app = Router::new()
        .route(
            "/receive",
            route(|socket, seen| Box::pin(receive(socket, seen))),
        )
        .route(
            "/flood",
            route(|socket, seen| Box::pin(flood(socket, seen))),
        )
        .route("/tick", route(|socket, seen| Box::pin(tick(socket, seen))))
        .layer(SessionLayer::new(sessions.clone()));
    (Server::start(app, sessions).await, seen)
}

type Run =
    fn(Socket, mpsc::UnboundedSender<Seen>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Stops time, which passes only by `advance` from then on.
fn stand_still() -> tokio::task::JoinHandle<()> {
    tokio::time::pause();
    // As long as a task is ready, tokio does not advance time by itself.
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    })
}

#[tokio::test]
async fn r30_a_silent_peer_is_dead_after_three_pings_time() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, mut seen) = start(&sessions).await;
        // It does not read, so it does not answer.
        let (_mute, _) = open(server.address, http, "/receive", "").await;
        assert_eq!(seen.recv().await, Some(Seen::Began));
        tokio::time::pause();
        let start = Instant::now();
        let error = Seen::Error("the peer does not answer".into());
        assert_eq!(seen.recv().await, Some(error));
        let took = start.elapsed();
        tokio::time::resume();
        assert!(is_three_times(took), "{took:?}");
        assert_eq!(seen.recv().await, Some(Seen::End));
        // The session goes on.
        let session = sessions.sessions().pop().unwrap();
        session.terminate();
        assert!(session.cleanup_completed().await.is_clean());
    }
}

#[tokio::test]
async fn r30_a_peer_that_answers_lives_and_the_handler_sees_no_pongs() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, mut seen) = start(&sessions).await;
        let (mut client, _) = open(server.address, http, "/receive", "").await;
        assert_eq!(seen.recv().await, Some(Seen::Began));
        let still = stand_still();
        for _ in 0..10 {
            // A little more, since tokio's timers round up.
            tokio::time::advance(EVERY + Duration::from_millis(5)).await;
            // Reading answers.
            let ping = client.next().await.unwrap().unwrap();
            assert!(matches!(ping, Message::Ping(_)), "{ping:?}");
            // The pong goes out before this, so the handler has it before time goes on.
            say(&mut client, "hello").await;
            let Some(Seen::Message(message)) = seen.recv().await else {
                panic!("it is not dead")
            };
            assert!(message.contains("hello"), "{message}");
        }
        still.abort();
        tokio::time::resume();
    }
}

#[tokio::test]
async fn r30_messages_count_as_well() {
    let sessions = manager();
    let (server, mut seen) = start(&sessions).await;
    let (mut client, _) = open(server.address, Http::One, "/receive", "").await;
    assert_eq!(seen.recv().await, Some(Seen::Began));
    let still = stand_still();
    // It never reads, but sends. No ping is even due.
    for _ in 0..10 {
        tokio::time::advance(EVERY * 9 / 10).await;
        say(&mut client, "hello").await;
        assert!(matches!(seen.recv().await, Some(Seen::Message(_))));
    }
    still.abort();
    // Its three times run from the last message.
    let start = Instant::now();
    assert!(matches!(seen.recv().await, Some(Seen::Error(_))));
    let took = start.elapsed();
    assert!(is_three_times(took), "{took:?}");
}

#[tokio::test]
async fn r30_a_message_that_does_not_leave_in_three_pings_time_is_an_error() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, mut seen) = start(&sessions).await;
        let (_stalled, _) = open(server.address, http, "/flood", "").await;
        assert_eq!(seen.recv().await, Some(Seen::Began));
        tokio::time::pause();
        let (mut last, mut sent) = (Instant::now(), 0);
        loop {
            match seen.recv().await.unwrap() {
                Seen::Message(_) => sent += 1,
                Seen::Error(error) => {
                    assert_eq!(error, "the peer does not answer");
                    break;
                }
                other => panic!("{other:?}"),
            }
            last = Instant::now();
        }
        let took = last.elapsed();
        tokio::time::resume();
        assert!(is_three_times(took), "{took:?}");
        assert!(sent < 100, "the network took {sent} MiB");
    }
}

#[tokio::test]
async fn r30_the_silent_peer_of_a_handler_that_only_sends_lives() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, mut seen) = start(&sessions).await;
        let (mut mute, _) = open(server.address, http, "/tick", "").await;
        assert_eq!(seen.recv().await, Some(Seen::Began));
        tokio::time::pause();
        for _ in 0..5 {
            assert_eq!(seen.recv().await, Some(Seen::Message("sent".into())));
        }
        tokio::time::resume();
        for _ in 0..5 {
            assert_eq!(hear(&mut mute).await, "tick");
        }
    }
}
