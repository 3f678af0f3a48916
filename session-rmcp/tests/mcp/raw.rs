//! A client by hand, in the server's process and without a socket, so that time can be paused.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use session_rmcp::LiveService;
use tower_service::Service as _;

use crate::app::Server;

pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

pub(crate) struct Raw {
    service: LiveService<Server>,
    pub(crate) headers: HeaderMap,
    next: i64,
}

impl Raw {
    pub(crate) fn new(service: &LiveService<Server>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost".parse().unwrap());
        headers.insert(
            "accept",
            "application/json, text/event-stream".parse().unwrap(),
        );
        headers.insert("content-type", "application/json".parse().unwrap());
        Self {
            service: service.clone(),
            headers,
            next: 0,
        }
    }

    pub(crate) fn of_user(service: &LiveService<Server>, user: &str) -> Self {
        let mut raw = Self::new(service);
        raw.headers.insert("x-user", user.parse().unwrap());
        raw
    }

    pub(crate) async fn send(&mut self, method: Method, body: &str) -> Answer {
        let mut request = Request::new(Full::new(Bytes::from(body.to_owned())));
        *request.method_mut() = method;
        *request.headers_mut() = self.headers.clone();
        match self.service.call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    /// Sends a request, and returns its response, whose body may be a stream.
    pub(crate) async fn request(&mut self, method: &str, params: &Value) -> Answer {
        self.next += 1;
        let body = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        self.send(Method::POST, &body.to_string()).await
    }

    /// Sends `initialize`. If it succeeds, the requests that follow are of the new session.
    pub(crate) async fn initialize(&mut self) -> StatusCode {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        });
        let answer = self.request("initialize", &params).await;
        let status = answer.status();
        if let Some(id) = answer.headers().get("mcp-session-id") {
            self.headers.insert("mcp-session-id", id.clone());
            let mut events = Events::of(answer);
            events.answer().await;
        }
        status
    }

    pub(crate) async fn initialized(&mut self) -> StatusCode {
        self.notify("notifications/initialized", &json!({})).await
    }

    pub(crate) async fn notify(&mut self, method: &str, params: &Value) -> StatusCode {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.send(Method::POST, &body.to_string()).await.status()
    }

    /// Starts a session.
    pub(crate) async fn start(&mut self) {
        assert_eq!(self.initialize().await, StatusCode::OK);
        assert_eq!(self.initialized().await, StatusCode::ACCEPTED);
    }

    /// Calls a tool, and returns its stream.
    pub(crate) async fn call(&mut self, tool: &str) -> Events {
        let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": tool}});
        let answer = self.request("tools/call", &params).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Events::of(answer)
    }

    /// Calls a tool, and returns the text of its result.
    pub(crate) async fn text(&mut self, tool: &str) -> String {
        let mut events = self.call(tool).await;
        let answer = events.answer().await;
        assert!(events.next().await.is_none());
        text_of(&answer)
    }

    /// Opens the stream that belongs to no request.
    pub(crate) async fn listen(&mut self) -> Events {
        let answer = self.send(Method::GET, "").await;
        assert_eq!(answer.status(), StatusCode::OK);
        Events::of(answer)
    }

    /// Reconnects to a stream, from this event on.
    pub(crate) async fn resume(&mut self, last_event_id: &str) -> Events {
        self.headers
            .insert("last-event-id", last_event_id.parse().unwrap());
        let events = self.listen().await;
        self.headers.remove("last-event-id");
        events
    }

    pub(crate) async fn delete(&mut self) -> StatusCode {
        self.send(Method::DELETE, "").await.status()
    }
}

pub(crate) fn text_of(answer: &Value) -> String {
    let text = &answer["result"]["content"][0]["text"];
    text.as_str()
        .unwrap_or_else(|| panic!("no text in {answer}"))
        .to_owned()
}

/// One event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    /// `None` for an event that only tells an id.
    pub(crate) message: Option<Value>,
}

pub(crate) struct Events {
    body: BoxBody<Bytes, Infallible>,
    unread: String,
}

impl Events {
    pub(crate) fn of(answer: Answer) -> Self {
        Self {
            body: answer.into_body(),
            unread: String::new(),
        }
    }

    /// Returns the next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                let field = |name: &str| {
                    let value = event.lines().find_map(|line| line.strip_prefix(name));
                    value
                        .map(|value| value.trim().to_owned())
                        .filter(|value| !value.is_empty())
                };
                if event.starts_with(':') {
                    continue;
                }
                let message = field("data:").map(|data| serde_json::from_str(&data).unwrap());
                return Some(Event {
                    id: field("id:"),
                    message,
                });
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.unread += std::str::from_utf8(&data).unwrap();
        }
    }

    /// Returns the next message.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.next().await?.message {
                return Some(message);
            }
        }
    }

    /// Returns the answer of a request.
    pub(crate) async fn answer(&mut self) -> Value {
        self.message().await.expect("the stream has an answer")
    }
}
