//! Row 30: how a WebSocket ends, and how its client is told.

use std::time::Duration;

use futures_util::StreamExt as _;
use session_core::LocalSession as _;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{self, Http, Server};
use crate::kit::{Stage, cookie, manager};
use crate::r30_upgrade::{Handlers, app, hear, say, start};
use crate::sockets::{closed, open};

#[tokio::test]
async fn r30_at_completion_the_handler_is_dropped_and_the_client_told_the_cause() {
    for http in Http::BOTH {
        for path in ["/obey", "/per-message"] {
            let sessions = manager();
            let (server, handlers) = start(&sessions).await;
            let session = sessions.create().unwrap();
            let (mut client, _) = open(server.address, http, path, &cookie(&session)).await;
            say(&mut client, "hello").await;
            assert_eq!(hear(&mut client).await, "hello");
            session.terminate();
            assert!(session.cleanup_completed().await.is_clean());
            assert_eq!(handlers.running(), 0);
            let expected = (1008, "terminated".into(), Vec::new());
            assert_eq!(closed(&mut client).await, expected);
        }
    }
}

#[tokio::test]
async fn r23_the_reason_of_an_end_is_that_of_the_close_frame() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, _handlers) = start(&sessions).await;
        let session = sessions.create().unwrap();
        let (mut client, _) = open(server.address, http, "/obey", &cookie(&session)).await;
        session.terminate_because("é".repeat(100));
        let (code, reason, _) = closed(&mut client).await;
        assert_eq!((code, reason.as_str()), (1008, &*"é".repeat(61)));
    }
}

#[tokio::test]
async fn r23_a_handler_that_ends_its_own_session_tells_the_reason() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, _handlers) = start(&sessions).await;
        let cookie = cookie(&sessions.create().unwrap());
        let (mut client, _) = open(server.address, http, "/end-by-itself", &cookie).await;
        say(&mut client, "bye").await;
        let (code, reason, _) = closed(&mut client).await;
        assert_eq!((code, reason.as_str()), (1008, "signed out"));
    }
}

#[tokio::test]
async fn r30_a_shutdown_waits_until_clients_know() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, handlers) = start(&sessions).await;
        let mut clients = Vec::new();
        for _ in 0..3 {
            let (mut client, _) = open(server.address, http, "/obey", "").await;
            say(&mut client, "hello").await;
            assert_eq!(hear(&mut client).await, "hello");
            clients.push(client);
        }
        let began = std::time::SystemTime::now();
        let shutdown = server.signal();
        let told = clients.into_iter().map(|mut client| async move {
            let told = closed(&mut client).await;
            assert_eq!(told, (1001, "shutdown".into(), Vec::new()));
        });
        futures_util::future::join_all(told).await;
        let report = shutdown.await.unwrap();
        assert_eq!((report.ended(), report.is_clean()), (3, true), "{report:?}");
        assert_eq!(handlers.running(), 0);
        // Neither the grace period nor the timeout has passed.
        assert!(began.elapsed().unwrap() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn r18_a_log_in_elsewhere_ends_the_socket_and_not_the_session() {
    for http in Http::BOTH {
        for path in ["/obey", "/per-message"] {
            let sessions = manager();
            let (server, handlers) = start(&sessions).await;
            let session = sessions.create().unwrap();
            let (mut planted, _) = open(server.address, http, path, &cookie(&session)).await;
            let log_in = client::request("/log-in", &cookie(&session));
            assert_eq!(
                client::send(server.address, http, log_in).await.status(),
                200
            );
            let expected = (1001, "the session has a new id".into(), Vec::new());
            assert_eq!(closed(&mut planted).await, expected);
            assert_eq!(handlers.running(), 0);
            assert!(!session.is_completed());
        }
    }
}

#[tokio::test]
async fn r18_the_requests_own_log_in_does_not_end_its_socket() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, _) = start(&sessions).await;
        let (mut client, response) = open(server.address, http, "/log-in-and-open", "").await;
        let session = sessions.sessions().pop().unwrap();
        let set = response.headers()["set-cookie"].to_str().unwrap();
        assert!(set.starts_with(&format!("{};", cookie(&session))), "{set}");
        say(&mut client, "hello").await;
        assert_eq!(hear(&mut client).await, "hello");
    }
}

#[tokio::test]
async fn r30_a_handler_that_returns_closes_and_leaves() {
    for http in Http::BOTH {
        for path in ["/obey", "/per-message"] {
            let sessions = manager();
            let (server, handlers) = start(&sessions).await;
            let session = sessions.create().unwrap();
            let connect = async || open(server.address, http, path, &cookie(&session)).await.0;
            let (mut returns, mut closes, mut leaves) =
                (connect().await, connect().await, connect().await);
            say(&mut returns, "return").await;
            assert_eq!(
                closed(&mut returns).await,
                (1000, String::new(), Vec::new())
            );
            // A code of its own.
            say(&mut closes, "close").await;
            assert_eq!(closed(&mut closes).await, (4001, "bye".into(), Vec::new()));
            // The client closes first.
            leaves.close(None).await.unwrap();
            assert!(matches!(
                leaves.next().await,
                Some(Ok(Message::Close(None)))
            ));
            assert!(leaves.next().await.is_none());
            while handlers.running() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(!session.is_completed());
            session.terminate();
            tokio::time::pause();
            let start = Instant::now();
            assert!(session.cleanup_completed().await.is_clean());
            assert_eq!(start.elapsed(), Duration::ZERO, "nobody is inside");
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn r30_a_handler_that_panics_ends_its_own_socket_only() {
    for http in Http::BOTH {
        for path in ["/obey", "/per-message"] {
            let sessions = manager();
            let (server, handlers) = start(&sessions).await;
            let session = sessions.create().unwrap();
            let connect = async || open(server.address, http, path, &cookie(&session)).await.0;
            let (mut bad, mut good) = (connect().await, connect().await);
            say(&mut bad, "panic").await;
            assert_eq!(closed(&mut bad).await, (1011, String::new(), Vec::new()));
            assert_eq!(handlers.running(), 1);
            say(&mut good, "hello").await;
            assert_eq!(hear(&mut good).await, "hello");
            drop(good);
            session.terminate();
            let report = session.cleanup_completed().await;
            assert!(report.is_clean(), "{report:?}");
            assert_eq!(handlers.running(), 0);
        }
    }
}

#[tokio::test]
async fn r30_halves_in_other_tasks_end_too() {
    for http in Http::BOTH {
        let sessions = manager();
        let stage = Stage::default();
        let app = app(&sessions, &Handlers::default(), stage.clone());
        let server = Server::start(app, &sessions).await;
        let (mut client, _) = open(server.address, http, "/elsewhere", "").await;
        assert_eq!(hear(&mut client).await, "moved");
        let session = sessions.sessions().pop().unwrap();
        session.terminate();
        let told = closed(&mut client).await;
        assert_eq!(told, (1008, "terminated".into(), Vec::new()));
        stage.waiting().await;
    }
}
