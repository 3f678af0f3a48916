//! Row 31: a server shuts down within its time, whatever its clients do.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{self, Http, Server};
use crate::kit::{Stage, manager};
use crate::r31_serve::{GRACE, TIMEOUT, app, connect};

#[derive(Clone, Copy, Debug)]
enum Hostile {
    Silence,
    HalfAHead,
    HalfABody,
    HalfABodyForALazyOne,
    UnreadAnswer,
    NoAnswer,
    Http2Preface,
    UnreadStream(Http),
    UnreadEvents(Http),
}

impl Hostile {
    const ALL: [Self; 11] = [
        Self::Silence,
        Self::HalfAHead,
        Self::HalfABody,
        Self::HalfABodyForALazyOne,
        Self::UnreadAnswer,
        Self::NoAnswer,
        Self::Http2Preface,
        Self::UnreadStream(Http::One),
        Self::UnreadStream(Http::Two),
        Self::UnreadEvents(Http::One),
        Self::UnreadEvents(Http::Two),
    ];

    /// Misbehaves, and returns the things that must stay open for it.
    async fn begin(self, server: &Server, stage: &Stage) -> Box<dyn std::any::Any> {
        let half = "host: x\r\ncontent-length: 100\r\n\r\nhalf";
        let head = match self {
            Self::Silence => "",
            Self::HalfAHead => "GET / HTTP/1.1\r\nhos",
            Self::HalfABody => &format!("POST /upload HTTP/1.1\r\n{half}"),
            Self::HalfABodyForALazyOne => &format!("POST /lazy HTTP/1.1\r\n{half}"),
            Self::UnreadAnswer => "GET /flood HTTP/1.1\r\nhost: x\r\n\r\n",
            Self::NoAnswer => "GET /forever HTTP/1.1\r\nhost: x\r\n\r\n",
            Self::Http2Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            Self::UnreadStream(http) => {
                let request = client::request("/flood", "");
                return Box::new(client::send(server.address, http, request).await);
            }
            Self::UnreadEvents(http) => {
                let request = client::request("/events", "");
                return Box::new(client::send(server.address, http, request).await);
            }
        };
        let connection = connect(server, head).await;
        match self {
            Self::NoAnswer => stage.waiting().await,
            Self::UnreadAnswer => connection.readable().await.unwrap(),
            _ => {}
        }
        Box::new(connection)
    }
}

#[tokio::test]
async fn r31_it_returns_within_its_timeout_whatever_clients_do() {
    for hostile in Hostile::ALL {
        let sessions = manager();
        let stage = Stage::default();
        let app = app(&sessions, stage.clone());
        let server = Server::with(app, &sessions, GRACE, TIMEOUT).await;
        let _open = hostile.begin(&server, &stage).await;
        // Clients that create a session have it by now, or never will.
        client::settle().await;

        tokio::time::pause();
        let start = Instant::now();
        let address = server.address;
        let report = server.signal().await.unwrap();
        let took = start.elapsed();
        tokio::time::resume();
        assert!(
            took <= TIMEOUT + Duration::from_secs(1),
            "{hostile:?}: {took:?}"
        );
        // Cut before the report, so that the report names nothing that is gone a moment later.
        assert!(report.is_clean(), "{hostile:?}: {report:?}");
        assert_eq!(sessions.stats().in_cleanup, 0);
        assert!(
            TcpStream::connect(address).await.is_err(),
            "it still listens"
        );
    }
}

#[tokio::test]
async fn r31_they_may_all_come_at_once() {
    let sessions = manager();
    let stage = Stage::default();
    let app = app(&sessions, stage.clone());
    let server = Server::with(app, &sessions, GRACE, TIMEOUT).await;
    let mut open = Vec::new();
    for hostile in Hostile::ALL.into_iter().cycle().take(33) {
        open.push(hostile.begin(&server, &stage).await);
    }
    client::settle().await;
    tokio::time::pause();
    let start = Instant::now();
    let report = server.signal().await.unwrap();
    assert!(start.elapsed() <= TIMEOUT + Duration::from_secs(1));
    assert!(report.is_clean(), "{report:?}");
}
