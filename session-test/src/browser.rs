//! A browser in the test's process.

use std::fmt;
use std::panic::Location;

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use session_core::{Session, SessionManager};
use tower::Service;

use crate::events::Events;
use crate::request::{Outcome, RequestBuilder};
use crate::tab::Tab;
use crate::websocket::WebSocket;

/// A browser that visits an application in the test's process, as `https://localhost`.
///
/// There is no socket in between, so a test may pause time. A request runs in the task that awaits it: a handler that
/// panics fails the test, and a request that is dropped is a client that has hung up.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{Session, SessionLayer};
/// use session_core::SessionManager;
/// use session_test::Browser;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = SessionManager::builder().build()?;
/// let app = Router::new()
///     .route("/", get(async |session: Session| if session.is_new() { "welcome" } else { "welcome back" }))
///     .layer(SessionLayer::new(sessions.clone()));
///
/// let ann = Browser::new(app.clone());
/// assert_eq!(ann.get("/").await.text(), "welcome");
/// assert_eq!(ann.get("/").await.text(), "welcome back");
/// assert_eq!(ann.tab().get("/").await.text(), "welcome back");
///
/// let bob = Browser::new(app);
/// assert_eq!(bob.get("/").await.text(), "welcome");
/// assert_ne!(ann.session(&sessions), bob.session(&sessions));
/// # Ok(()) }
/// ```
///
/// # Cookies
///
/// It keeps and sends cookies by the rules of RFC 6265: paths, `Secure`, `Max-Age` and `Expires`, and the rules for the
/// names `__Host-` and `__Secure-`. Cookies expire by the machine's clock, not by tokio's: in paused time none does, but
/// `Max-Age=0` removes one.
///
/// # Other sites
///
/// Requests are those of the application's own pages: they have `Host` and `Sec-Fetch-Site: same-origin`, and all but `GET`
/// and `HEAD` have an `Origin`, as a WebSocket's handshake has. A page of another site is a request with another
/// [`Origin`](RequestBuilder::header). It has the visitor's cookies even if they are `SameSite`, so a test of what an
/// application refuses does not depend on them.
///
/// Redirects are not followed.
pub struct Browser(Tab);

impl Browser {
    /// Returns a browser without cookies, which visits this application: an axum `Router`, or any other tower service for
    /// HTTP requests.
    pub fn new<S, B>(app: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(Tab::new(app))
    }

    /// Returns another tab of this browser: it has the same cookies, also those that come later.
    #[must_use = "this is another tab"]
    pub fn tab(&self) -> Self {
        Self(self.0.clone())
    }

    /// Returns a `GET` request, to be awaited.
    ///
    /// # Panics
    ///
    /// If the path does not begin with a slash, or can't be in a request. So do the other methods that take one.
    #[track_caller]
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Returns a `POST` request, to be awaited.
    #[track_caller]
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Returns a `PUT` request, to be awaited.
    #[track_caller]
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// Returns a `DELETE` request, to be awaited.
    #[track_caller]
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Returns a request with any other method, to be awaited.
    #[track_caller]
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, path)
    }

    /// Returns a request for an event stream, to be awaited, as a page's `EventSource` sends it.
    ///
    /// ```
    /// use axum::response::sse::{Event, Sse};
    /// use axum::{Router, routing::get};
    /// use futures_util::{Stream, StreamExt, stream};
    /// use session_test::Browser;
    /// use std::convert::Infallible;
    ///
    /// async fn ticks() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    ///     Sse::new(stream::iter(1..).map(|number| Ok(Event::default().id(number.to_string()).data("tick"))))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let ann = Browser::new(Router::new().route("/ticks", get(ticks)));
    /// let mut events = ann.events("/ticks").await;
    /// let event = events.next().await.expect("an event");
    /// assert_eq!((&*event.data, &*event.id), ("tick", "1"));
    /// # }
    /// ```
    ///
    /// Awaiting it panics if the response is not an event stream with status 200: such a response is fatal for an
    /// `EventSource`. To look at it, send a [`get`](Self::get).
    ///
    /// An `EventSource` reconnects by itself, with `Last-Event-ID`, and this does not: send another request with that
    /// [header](RequestBuilder::header).
    #[track_caller]
    pub fn events(&self, path: &str) -> RequestBuilder<Events> {
        self.ask(Method::GET, path)
            .header("accept", "text/event-stream")
            .header("cache-control", "no-store")
    }

    /// Returns the handshake of a WebSocket, to be awaited.
    ///
    /// ```
    /// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
    /// use axum::{Router, response::Response, routing::any};
    /// use session_test::{Browser, Message};
    ///
    /// async fn echo(upgrade: WebSocketUpgrade) -> Response {
    ///     upgrade.on_upgrade(async |mut socket: WebSocket| {
    ///         while let Some(Ok(message)) = socket.recv().await {
    ///             let _ = socket.send(message).await;
    ///         }
    ///     })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let ann = Browser::new(Router::new().route("/echo", any(echo)));
    /// let mut socket = ann.websocket("/echo").await;
    /// socket.send_text("hello").await;
    /// assert_eq!(socket.next().await, Some(Message::Text("hello".into())));
    /// # }
    /// ```
    ///
    /// Awaiting it panics if the handshake is refused. To look at the refusal, await
    /// [`refused()`](RequestBuilder::refused).
    #[track_caller]
    pub fn websocket(&self, path: &str) -> RequestBuilder<WebSocket> {
        self.ask(Method::GET, path)
    }

    #[track_caller]
    fn ask<T: Outcome>(&self, method: Method, path: &str) -> RequestBuilder<T> {
        RequestBuilder::new(self.0.clone(), method, path, Location::caller())
    }

    /// Returns the active session that one of its cookies names, if any. This is for the cookies of session-axum's own
    /// transport. Beside tower-sessions the cookie has their id: read it with [`cookie`](Self::cookie), and look for the
    /// session by the key that session-tower-sessions returns for it.
    pub fn session(&self, sessions: &SessionManager) -> Option<Session> {
        let values = self.0.cookies.values();
        let mut ids = values.iter().filter_map(|value| value.parse().ok());
        ids.find_map(|id| sessions.get(&id))
    }

    /// Returns the value of its cookie with this name, if it has one.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.0.cookies.get(name)
    }
}

impl fmt::Debug for Browser {
    /// Without the cookies, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}
