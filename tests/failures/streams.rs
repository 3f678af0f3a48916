//! Event streams and WebSockets of visitors.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::BodyExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::visitor::Visitor;
use crate::wait::until;

#[derive(Default)]
struct Read {
    text: String,
    ended: Option<Instant>,
}

/// An event stream, which is read all the time.
pub(crate) struct Events(Arc<Mutex<Read>>);

impl Events {
    pub(crate) async fn open(visitor: &Visitor, door: SocketAddr) -> Self {
        let mut body = visitor.open(door, "/events?ms=50").await.into_body();
        let read = Arc::<Mutex<Read>>::default();
        let kept = read.clone();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                if let Some(data) = frame.data_ref() {
                    kept.lock().unwrap().text += &String::from_utf8_lossy(data);
                }
            }
            kept.lock().unwrap().ended = Some(Instant::now());
        });
        let events = Self(read);
        events.goes_on().await;
        events
    }

    /// Waits for the next event.
    pub(crate) async fn goes_on(&self) {
        let before = self.0.lock().unwrap().text.len();
        until("the next event", async || {
            self.0.lock().unwrap().text.len() > before
        })
        .await;
    }

    pub(crate) fn ended(&self) -> Option<Instant> {
        self.0.lock().unwrap().ended
    }

    /// Waits for the end, and returns when that was and whether the stream said that its session is over.
    pub(crate) async fn end(&self) -> (Instant, bool) {
        until("the event stream ends", async || self.ended().is_some()).await;
        let read = self.0.lock().unwrap();
        (read.ended.unwrap(), read.text.contains("event: over"))
    }
}

/// A WebSocket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(visitor: &Visitor, door: SocketAddr) -> Self {
        let mut request = format!("ws://{door}/socket").into_client_request().unwrap();
        let cookie = format!("id={}", visitor.cookie()).parse().unwrap();
        request.headers_mut().insert("cookie", cookie);
        let stream = TcpStream::connect(door).await.unwrap();
        let opened = client_async(request, stream).await;
        let mut socket = Self(opened.expect("the handshake is accepted").0);
        assert!(socket.echoes().await);
        socket
    }

    /// Whether the socket is answered.
    pub(crate) async fn echoes(&mut self) -> bool {
        if self.0.send(Message::text("hello")).await.is_err() {
            return false;
        }
        let echo = timeout(Duration::from_secs(10), self.0.next()).await;
        matches!(echo, Ok(Some(Ok(Message::Text(text)))) if text.ends_with(" hello"))
    }

    /// Waits for the end, and returns when that was, with code and reason of the close frame, if there was one.
    pub(crate) async fn end(&mut self) -> (Instant, Option<(u16, String)>) {
        let end = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        let end = timeout(Duration::from_secs(30), end).await;
        (Instant::now(), end.expect("the socket ends"))
    }
}
