//! Row 30: whatever a client does with its socket, it holds up neither its session nor the server.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::Message as Sent;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, UPGRADE};
use session_axum::{Idle, SessionLayer, SessionUpgrade, Socket};
use session_core::{LocalSession as _, Session, SessionManager};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::client::{self, Http, Server};
use crate::kit::{cookie, manager};
use crate::r30_upgrade::{Handlers, Running, hear, say};
use crate::r31_serve::{GRACE, TIMEOUT};
use crate::sockets::{self, Client, closed, open};

/// A second, in milliseconds, and some for what follows it.
const SECOND: RangeInclusive<u128> = 1_000..=1_050;

#[derive(Clone, Default)]
struct Served {
    handlers: Handlers,
    messages: Arc<AtomicUsize>,
}

impl Served {
    fn start(&self) -> (Running, Arc<AtomicUsize>) {
        (self.handlers.start(), self.messages.clone())
    }
}

const MIB: usize = 1 << 20;

fn route(served: &Served, idle: Idle) -> Router {
    let flood = {
        let served = served.clone();
        async move |upgrade: SessionUpgrade| -> Response {
            let (running, messages) = served.start();
            upgrade.idle(idle).run(async move |mut socket: Socket| {
                let _running = running;
                let data = axum::body::Bytes::from(vec![b'x'; MIB]);
                while socket.send(Sent::Binary(data.clone())).await.is_ok() {
                    messages.fetch_add(1, Ordering::Relaxed);
                }
            })
        }
    };
    let receive = {
        let served = served.clone();
        async move |upgrade: SessionUpgrade| -> Response {
            let (running, messages) = served.start();
            upgrade.idle(idle).run(async move |mut socket: Socket| {
                let _running = running;
                while let Some(Ok(message)) = socket.recv().await {
                    messages.fetch_add(1, Ordering::Relaxed);
                    if let Sent::Text(text) = message {
                        socket.send(Sent::Text(text)).await.unwrap();
                    }
                }
            })
        }
    };
    Router::new()
        .route("/flood", any(flood))
        .route("/receive", any(receive))
}

struct Set {
    sessions: SessionManager,
    session: Session,
    served: Served,
    server: Server,
}

impl Set {
    async fn new(idle: Idle) -> Self {
        Self::with(idle, Router::layer).await
    }

    async fn with(idle: Idle, layers: impl FnOnce(Router, SessionLayer) -> Router) -> Self {
        let sessions = manager();
        let served = Served::default();
        let app = layers(route(&served, idle), SessionLayer::new(sessions.clone()));
        let server = Server::with(app, &sessions, GRACE, TIMEOUT).await;
        Self {
            session: sessions.create().unwrap(),
            sessions,
            served,
            server,
        }
    }

    async fn open(&self, http: Http, path: &str) -> Client {
        open(self.server.address, http, path, &cookie(&self.session))
            .await
            .0
    }

    /// Pauses the time, and ends the session. However it stands with the client, no time passes until it has been
    /// cleaned up.
    async fn ends_at_once(&self) {
        tokio::time::pause();
        self.end().await;
    }

    async fn end(&self) {
        let start = Instant::now();
        self.session.terminate();
        let report = self.session.cleanup_completed().await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(self.served.handlers.running(), 0);
    }

    /// Stops the server, which waits for its sockets. Lets the time go on, and returns how many milliseconds that took.
    async fn stop(self) -> u128 {
        let (report, took) = client::in_slow_time(self.server.stop()).await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(self.sessions.stats().in_cleanup, 0);
        tokio::time::resume();
        took.as_millis()
    }
}

const BOTH: [Idle; 2] = [Idle::WhileOpen, Idle::PerMessage];

#[tokio::test]
async fn r30_a_client_that_has_stopped_reading_is_given_up_after_a_second() {
    for http in Http::BOTH {
        for idle in BOTH {
            let set = Set::new(idle).await;
            let _unread = set.open(http, "/flood").await;
            client::until_stalled(&set.served.messages).await;
            set.ends_at_once().await;
            let took = set.stop().await;
            // Over HTTP/2 the connection, which goes on, is cut like any other before the timeout.
            let expected = match http {
                Http::One => SECOND,
                Http::Two => 0..=TIMEOUT.as_millis(),
            };
            assert!(expected.contains(&took), "{http:?}: {took} ms");
        }
    }
}

#[tokio::test]
async fn r30_if_it_reads_on_it_gets_whole_messages_and_then_the_end() {
    for http in Http::BOTH {
        let set = Set::new(Idle::WhileOpen).await;
        let mut client = set.open(http, "/flood").await;
        client::until_stalled(&set.served.messages).await;
        set.ends_at_once().await;
        let (closed, _) = client::in_slow_time(closed(&mut client)).await;
        let (code, reason, messages) = closed;
        assert_eq!((code, &*reason), (1008, "terminated"));
        assert!(messages.len() >= set.served.messages.load(Ordering::Relaxed));
        assert!(messages.iter().all(|message| message.len() == MIB));
        let took = set.stop().await;
        assert!(took < 900, "{took} ms, though nothing is left");
    }
}

#[tokio::test]
async fn r30_a_client_that_never_answers_the_close_frame_is_given_up_after_a_second() {
    for http in Http::BOTH {
        for idle in BOTH {
            let set = Set::new(idle).await;
            let mut mute = set.open(http, "/receive").await;
            say(&mut mute, "hello").await;
            assert_eq!(hear(&mut mute).await, "hello");
            set.ends_at_once().await;
            let took = set.stop().await;
            assert!(SECOND.contains(&took), "{http:?}: {took} ms");
            // It was told, though.
            let told = mute.next().await.unwrap().unwrap();
            assert!(matches!(told, Message::Close(Some(_))), "{told:?}");
        }
    }
}

#[tokio::test]
async fn r30_a_client_that_goes_on_sending_is_given_up_after_a_second() {
    for http in Http::BOTH {
        let set = Set::new(Idle::WhileOpen).await;
        let client = set.open(http, "/receive").await;
        let (mut sends, _receives) = client.split();
        let flood = tokio::spawn(async move {
            let data = axum::body::Bytes::from_static(&[b'x'; 1000]);
            while sends.send(Message::Binary(data.clone())).await.is_ok() {}
        });
        while set.served.messages.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
        set.ends_at_once().await;
        let start = Instant::now();
        let stop = tokio::spawn(set.server.stop());
        // The flood keeps time from passing by itself, and every step of it takes long.
        while !stop.is_finished() {
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!(stop.await.unwrap().is_clean());
        let took = start.elapsed().as_millis();
        assert!(took <= 1_500, "{http:?}: {took} ms");
        tokio::time::resume();
        // Its connection is closed.
        flood.await.unwrap();
    }
}

/// A handshake as bytes, for clients that go on with bytes of their own, or keep their connection in any case.
async fn raw(set: &Set, status: &str) -> TcpStream {
    let mut raw = TcpStream::connect(set.server.address).await.unwrap();
    let handshake = format!(
        "GET /receive HTTP/1.1\r\nhost: test\r\ncookie: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        cookie(&set.session)
    );
    raw.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.read_u8().await.unwrap());
    }
    assert!(head.starts_with(format!("HTTP/1.1 {status}").as_bytes()));
    raw
}

#[tokio::test]
async fn r30_half_a_frame_is_given_up_after_a_second() {
    for idle in BOTH {
        // The first byte of a frame; half of its length; a head without data; a head and half of its data; half a message.
        for half in [
            &b"\x81"[..],
            b"\x81\xfe\x01",
            b"\x81\x85\0\0\0\0",
            b"\x81\x85\0\0\0\0he",
            b"\x01\x85\0\0\0\0hello",
        ] {
            let set = Set::new(idle).await;
            let mut raw = raw(&set, "101").await;
            raw.write_all(half).await.unwrap();
            client::settle().await;
            set.ends_at_once().await;
            let took = set.stop().await;
            assert!(SECOND.contains(&took), "{half:?}: {took} ms");
            // The close frame is all that it gets.
            let mut rest = Vec::new();
            raw.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"\x88\x0c\x03\xf0terminated", "{half:?}");
        }
    }
}

#[tokio::test]
async fn r30_garbage_ends_the_socket_alone() {
    let set = Set::new(Idle::WhileOpen).await;
    let mut raw = raw(&set, "101").await;
    raw.write_all(&[0xff; 100]).await.unwrap();
    let mut rest = Vec::new();
    let _ = raw.read_to_end(&mut rest).await;
    assert_eq!(set.served.handlers.running(), 0);
    assert!(!set.session.is_completed());
    set.ends_at_once().await;
    assert!(set.stop().await < 100);
}

#[tokio::test]
async fn r30_a_client_that_hangs_up_leaves_its_session() {
    for http in Http::BOTH {
        let set = Set::new(Idle::WhileOpen).await;
        let mut client = set.open(http, "/receive").await;
        say(&mut client, "hello").await;
        assert_eq!(hear(&mut client).await, "hello");
        drop(client);
        while set.served.handlers.running() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!set.session.is_completed());
        set.ends_at_once().await;
        set.stop().await;
    }
}

/// A layer that says no to what the handler has accepted.
async fn deny(mut response: Response) -> Response {
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response.headers_mut().remove(UPGRADE);
    response.headers_mut().remove(CONNECTION);
    response
}

fn denied(routes: Router, layer: SessionLayer) -> Router {
    routes.layer(layer).layer(map_response(deny))
}

#[tokio::test]
async fn r30_if_a_layer_outside_refuses_the_upgrade_the_handler_is_dropped_after_ten_seconds() {
    for idle in BOTH {
        let set = Set::with(idle, denied).await;
        let _kept = raw(&set, "403").await;
        tokio::time::pause();
        tokio::time::sleep(Duration::from_millis(9_900)).await;
        assert_eq!(set.served.handlers.running(), 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(set.served.handlers.running(), 0);
        assert!(!set.session.is_completed());
        set.end().await;
        set.stop().await;
    }
}

#[tokio::test]
async fn r30_over_http_2_the_refused_stream_ends_and_the_handler_with_it() {
    for idle in BOTH {
        let set = Set::with(idle, denied).await;
        let handshake = sockets::handshake(Http::Two, "/receive", &cookie(&set.session));
        let response = sockets::send(set.server.address, Http::Two, handshake).await;
        assert_eq!(response.status(), 403);
        while set.served.handlers.running() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!set.session.is_completed());
        set.ends_at_once().await;
        set.stop().await;
    }
}

#[tokio::test]
async fn r30_completion_does_not_wait_for_an_upgrade_that_never_comes() {
    for idle in BOTH {
        let set = Set::with(idle, denied).await;
        let _kept = raw(&set, "403").await;
        assert_eq!(set.served.handlers.running(), 1);
        set.ends_at_once().await;
        // Nor does the server's shutdown, for longer than a second.
        let took = set.stop().await;
        assert!(took <= *SECOND.end(), "{took} ms");
    }
}

#[tokio::test]
async fn r30_compression_does_no_harm() {
    for http in Http::BOTH {
        for around in ["inside", "outside", "default inside", "default outside"] {
            let set = Set::with(Idle::WhileOpen, |routes, layer| {
                let gzip = || CompressionLayer::new().compress_when(SizeAbove::new(0));
                match around {
                    "inside" => routes.layer(gzip()).layer(layer),
                    "outside" => routes.layer(layer).layer(gzip()),
                    "default inside" => routes.layer(CompressionLayer::new()).layer(layer),
                    _ => routes.layer(layer).layer(CompressionLayer::new()),
                }
            })
            .await;
            let mut handshake = sockets::handshake(http, "/receive", &cookie(&set.session));
            let headers = handshake.headers_mut();
            headers.insert("accept-encoding", "gzip".parse().unwrap());
            let response = sockets::send(set.server.address, http, handshake).await;
            let (mut client, _) = sockets::upgrade(http, response).await;
            say(&mut client, "hello").await;
            assert_eq!(hear(&mut client).await, "hello", "{http:?} {around}");
            set.ends_at_once().await;
            let (told, _) = client::in_slow_time(closed(&mut client)).await;
            let expected = (1008, "terminated".into(), Vec::new());
            assert_eq!(told, expected, "{http:?} {around}");
            set.stop().await;
        }
    }
}
