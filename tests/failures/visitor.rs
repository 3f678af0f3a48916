//! A visitor with a cookie, all of whose requests are recorded.

use std::net::SocketAddr;

use axum::body::Body;
use http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::Instant;

use crate::client;
use crate::record::{Answer, Record};

/// A visitor. A clone is another tab: it has the id that this one has now.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) name: String,
    cookie: Option<String>,
    record: Record,
}

/// A proxy may put a name of its own before the id.
fn id_of(cookie: &str) -> String {
    cookie.rsplit('~').next().unwrap_or_default().to_owned()
}

fn set_cookie(headers: &HeaderMap) -> Option<String> {
    let mut cookies = headers.get_all("set-cookie").iter();
    let value = |cookie: &http::HeaderValue| {
        let value = cookie
            .to_str()
            .ok()?
            .strip_prefix("id=")?
            .split(';')
            .next()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    cookies.find_map(value)
}

impl Visitor {
    pub(crate) fn new(name: String, record: Record) -> Self {
        Self {
            name,
            cookie: None,
            record,
        }
    }

    /// The same person in another browser: without an id.
    pub(crate) fn stranger(&self) -> Self {
        Self::new(self.name.clone(), self.record.clone())
    }

    pub(crate) fn has_id(&self) -> bool {
        self.cookie.is_some()
    }

    /// The id that it presents.
    pub(crate) fn id(&self) -> String {
        id_of(self.cookie.as_deref().expect("it has one"))
    }

    /// Presents an id that nobody has issued.
    pub(crate) fn make_up(&mut self, id: &str) {
        self.cookie = Some(id.to_owned());
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Body) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("x-visitor", &self.name);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("id={cookie}"));
        }
        request.body(body).unwrap()
    }

    /// Sends a request, and leaves the cookie as it is.
    pub(crate) async fn send(
        &self,
        door: SocketAddr,
        method: Method,
        path: &str,
        body: Body,
    ) -> Answer {
        self.exchange(door, method, path, body).await.0
    }

    async fn exchange(
        &self,
        door: SocketAddr,
        method: Method,
        path: &str,
        body: Body,
    ) -> (Answer, Option<String>) {
        let request = self.request(method, path, body);
        let sent = Instant::now();
        let response = client::send(door, request).await;
        let (status, headers, body) = match response {
            None => (None, HeaderMap::new(), None),
            Some(response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let body = client::read(response).await;
                // Without its end it is no answer, but its cookie has arrived.
                (body.is_some().then_some(status), headers, body)
            }
        };
        let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        let body = body.and_then(|body| serde_json::from_slice(&body).ok());
        let body: Value = body.unwrap_or_default();
        let cookie = set_cookie(&headers);
        let answer = Answer {
            visitor: self.name.clone(),
            door,
            path: path.to_owned(),
            presented: self.cookie.as_deref().map(id_of),
            sent,
            done: Instant::now(),
            status,
            by: text("x-node"),
            at: text("x-door"),
            has_retry_after: headers.contains_key("retry-after"),
            issued: cookie.as_deref().map(id_of),
            session: serde_json::from_value(body.clone()).ok(),
            body,
        };
        self.record.add(answer.clone());
        (answer, cookie)
    }

    /// Sends a request, and takes the cookie of the answer, as a browser does.
    pub(crate) async fn visit(&mut self, door: SocketAddr, method: Method, path: &str) -> Answer {
        let (answer, cookie) = self.exchange(door, method, path, Body::empty()).await;
        if cookie.is_some() {
            self.cookie = cookie;
        }
        answer
    }

    pub(crate) async fn get(&mut self, door: SocketAddr) -> Answer {
        self.visit(door, Method::GET, "/count").await
    }

    /// As [`get`](Self::get), with the cookie left as it is.
    pub(crate) async fn look(&self, door: SocketAddr) -> Answer {
        self.send(door, Method::GET, "/count", Body::empty()).await
    }

    /// As [`look`](Self::look), with a body, so that it can't be sent twice.
    pub(crate) async fn post(&self, door: SocketAddr) -> Answer {
        self.send(door, Method::POST, "/count", Body::from("a body"))
            .await
    }

    pub(crate) async fn log_in(&mut self, door: SocketAddr, group: &str) -> Answer {
        let answer = self
            .visit(door, Method::POST, &format!("/log-in?group={group}"))
            .await;
        assert!(answer.is_ok(), "{answer:?}");
        answer
    }

    /// Asks for something whose answer does not tell its session: a stream, say.
    pub(crate) async fn open(&self, door: SocketAddr, path: &str) -> Response<Incoming> {
        let request = self.request(Method::GET, path, Body::empty());
        let response = client::send(door, request).await.expect("it is answered");
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().expect("it has one")
    }
}
