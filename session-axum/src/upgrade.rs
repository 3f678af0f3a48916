//! WebSockets that end with their session.

mod close;
mod driver;
mod pings;
mod socket;
mod wire;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use session_core::Session;
use tokio::sync::oneshot;

use self::driver::drive;
use self::pings::Pings;
pub use self::socket::Socket;
use crate::rejection::{CrossOrigin, SessionRejection};
use crate::serve::sockets::Sockets;
use crate::visit::Visit;

/// A WebSocket's handshake, by a page of a visitor with a session; a stranger gets one, as with
/// [`Session`](crate::Session).
///
/// [`run`](Self::run) accepts it, and runs a handler on the [`Socket`] for as long as the session is active.
///
/// ```
/// use axum::extract::ws::Message;
/// use axum::response::Response;
/// use axum::{Router, routing::any};
/// use session_axum::{Props, SessionLayer, SessionUpgrade, Socket};
/// use session_core::{Property, SessionManager, SessionProperties};
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
///
/// #[derive(SessionProperties)]
/// struct Chat {
///     /// The number of messages so far, of all the visitor's tabs.
///     #[property(default)]
///     messages: Property<AtomicU32>,
/// }
///
/// async fn echo(upgrade: SessionUpgrade, chat: Props<Chat>) -> Response {
///     upgrade.ping(Duration::from_secs(20)).run(async move |mut socket: Socket| {
///         while let Some(Ok(message)) = socket.recv().await {
///             let (Message::Text(text), Ok(messages)) = (message, chat.messages()) else { continue };
///             let number = messages.fetch_add(1, Ordering::Relaxed) + 1;
///             let answer = Message::Text(format!("{number}: {text}").into());
///             if socket.send(answer).await.is_err() {
///                 return;
///             }
///         }
///     })
/// }
///
/// fn app(sessions: SessionManager) -> Router {
///     // `any`, since over HTTP/2 the method is `CONNECT`.
///     Router::new().route("/echo", any(echo)).layer(SessionLayer::new(sessions))
/// }
/// ```
///
/// # The end
///
/// When the session completes, the handler is dropped at its next `.await` at the latest, even in the middle of a
/// `send` to a client that has stopped reading, and the request leaves the session. The same happens when another
/// request [logs in](crate::Session::log_in) or [changes the id](crate::Session::cycle_id): the client comes back with
/// its new id, and a stranger who planted the old one does not. Cleanup does not wait for what follows: within
/// a second, the rest of a message that was under way is sent, then a close frame, and the client's answer is awaited.
/// [`serve`](crate::serve())'s shutdown waits for it.
///
/// | code | reason | when |
/// |---|---|---|
/// | 1000 | | the handler has returned |
/// | 1001 | `shutdown`, `idle timeout`, `evicted`, `ownership lost` | the server has let the session go, for no fault of the visitor's: the page may connect again, when it has something to say |
/// | 1001 | `the session has a new id` | another request has logged in: the page connects again, after a second, with the new id |
/// | 1008 | `terminated`, `absolute timeout` | the visitor has logged out, or a rule has ended the session: connecting again takes a new log-in |
/// | 1011 | | the handler has panicked |
///
/// (By [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1), 1001 is for an endpoint that is "going away",
/// and 1008 for a violated policy, where no other code is more suitable.) A session that was ended
/// [for a reason](session_core::LocalSession::terminate_because) has that as the frame's, as far as 123 bytes hold it. A
/// handler that closes the socket itself chooses its own code.
///
/// A frame may overtake the answer of the log-in or log-out that it is about. A handshake with the old id is then
/// refused with 409, which a page's script sees as a close with 1006: try again after a while.
///
/// The handler and the request wait for the upgrade for 10 seconds. If there is none, because a layer outside has
/// replaced the response, both are dropped.
///
/// # Other sites
///
/// Browsers let any page connect to any server, and send cookies along unless these are `SameSite`. So a handshake
/// with an `Origin` is refused unless that is the server itself, as the client addresses it (`Host`, over HTTP/2
/// `:authority`) or as a proxy passes it on (`X-Forwarded-Host`), or an
/// [allowed one](crate::SessionLayer::allow_origins). Clients that are not browsers send none. This extractor creates no
/// session for a refused handshake; take it before others, which would.
///
/// # Strangers
///
/// A stranger's handshake creates a session, even if the handler then answers otherwise. `Option<SessionUpgrade>` is
/// `None` for a stranger and creates nothing: take it where only visitors with a session may connect.
///
/// # Rejections
///
/// Those of axum's [`WebSocketUpgrade`] if the request is not a handshake; 403 for a
/// [page of another site](crate::rejection::CrossOrigin); those of [`Session`](crate::Session#rejections).
#[must_use = "the handshake is answered by `run`"]
pub struct SessionUpgrade {
    handshake: WebSocketUpgrade,
    session: Session,
    visit: Arc<Visit>,
    sockets: Option<Sockets>,
    ping: Option<Duration>,
    idle: Idle,
}

/// The time in which a session with an open socket counts as idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idle {
    /// It is not idle while the socket is open, as with an event stream.
    #[default]
    WhileOpen,
    /// It is idle from the last message that the handler has received. For a page that stays open when its visitor has
    /// gone; pings, pongs and messages to the client do not count.
    PerMessage,
}

impl SessionUpgrade {
    fn new(
        handshake: WebSocketUpgrade,
        visit: Arc<Visit>,
        session: Session,
        request: &Parts,
    ) -> Self {
        Self {
            handshake,
            session,
            visit,
            sockets: request.extensions.get().cloned(),
            ping: None,
            idle: Idle::default(),
        }
    }

    /// Changes axum's upgrade, which has settings of its own: protocols, and the sizes of buffers and messages.
    ///
    /// ```
    /// # use axum::response::Response;
    /// # use session_axum::{SessionUpgrade, Socket};
    /// async fn chat(upgrade: SessionUpgrade) -> Response {
    ///     upgrade
    ///         .map(|handshake| handshake.protocols(["chat.v2", "chat.v1"]).max_message_size(64 << 10))
    ///         .run(async |socket: Socket| if socket.protocol().is_none() { /* an old page */ })
    /// }
    /// ```
    pub fn map(mut self, change: impl FnOnce(WebSocketUpgrade) -> WebSocketUpgrade) -> Self {
        self.handshake = change(self.handshake);
        self
    }

    /// Sends a ping when the peer has been silent for this long, again and again while the handler receives. A peer
    /// that has been silent for three times as long is dead: the handler receives an error, and the connection is cut.
    ///
    /// A message that takes as long to leave is an error of `send`. A handler that only sends sends no pings, and its
    /// peer may be silent; whether it is alive shows only when it stops reading.
    ///
    /// A peer counts as silent while it sends a single long message, so choose a time that is longer than a third of
    /// what such a message takes. Without this call no peer is taken for dead, and a connection that was lost without
    /// notice stays open until the session ends.
    ///
    /// # Panics
    ///
    /// If the time is zero.
    pub fn ping(mut self, every: Duration) -> Self {
        assert!(!every.is_zero(), "the time between pings must not be zero");
        self.ping = Some(every);
        self
    }

    /// Sets what counts as activity of the session; [`Idle::WhileOpen`] by default.
    pub fn idle(mut self, idle: Idle) -> Self {
        self.idle = idle;
        self
    }

    /// Accepts the handshake, and runs the handler on the socket. Return the response.
    ///
    /// The handler runs on a task of its own. It ends with the session, as [above](Self#the-end). When it returns, the
    /// socket is closed with it, also if parts of it were moved elsewhere. A panic ends this one socket.
    ///
    /// The handler's connection to its session is this request: change the session's id before the call, not after it.
    ///
    /// # Errors
    ///
    /// The response is a [rejection](crate::SessionRejection) if the session has ended, or another request has logged in,
    /// since this one came in.
    pub fn run<H, F>(self, handler: H) -> Response
    where
        H: FnOnce(Socket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let guard = match self.visit.enter(&self.session) {
            Ok(guard) => guard,
            Err(rejection) => return rejection.into_response(),
        };
        let Self { session, ping, .. } = self;
        let pass = guard.pass();
        let (starts, socket) = oneshot::channel();
        let handler = async move {
            // It is dropped with its session, or without an upgrade.
            if let Ok(socket) = socket.await {
                handler(socket).await;
            }
        };
        let (handler, touches) = match self.idle {
            Idle::WhileOpen => (guard.until_completed(handler), None),
            Idle::PerMessage => (guard.idle_until_completed(handler), Some(session.clone())),
        };
        let protocol = self.handshake.selected_protocol().cloned();
        let start = move |wire| {
            let pings = ping.map(Pings::new);
            let _ = starts.send(Socket::new(wire, protocol, pings, touches));
        };
        let (upgrades, upgraded) = oneshot::channel();
        let driver = drive(handler, upgraded, start, session, pass);
        match self.sockets {
            Some(sockets) => sockets.spawn(driver),
            None => drop(tokio::spawn(driver)),
        }
        self.handshake.on_upgrade(async |socket| {
            let _ = upgrades.send(socket);
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionUpgrade {
    type Rejection = SessionUpgradeRejection;

    async fn from_request_parts(
        request: &mut Parts,
        state: &S,
    ) -> Result<Self, SessionUpgradeRejection> {
        let (handshake, visit) = handshake(request, state).await?;
        let found = visit.find_or_create(|shared| shared.group(request))?;
        Ok(Self::new(handshake, visit, found.session, request))
    }
}

/// `None` for a stranger, whose handshake creates no session.
impl<S: Send + Sync> OptionalFromRequestParts<S> for SessionUpgrade {
    type Rejection = SessionUpgradeRejection;

    async fn from_request_parts(
        request: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, SessionUpgradeRejection> {
        let (handshake, visit) = handshake(request, state).await?;
        let found = visit.try_find()?;
        Ok(found.map(|found| Self::new(handshake, visit, found.session, request)))
    }
}

/// The handshake of a page that may open a WebSocket.
async fn handshake<S: Send + Sync>(
    request: &mut Parts,
    state: &S,
) -> Result<(WebSocketUpgrade, Arc<Visit>), SessionUpgradeRejection> {
    let visit = Arc::clone(Visit::of(request).map_err(SessionRejection::from)?);
    let handshake =
        <WebSocketUpgrade as FromRequestParts<S>>::from_request_parts(request, state).await?;
    if !visit.allows_origin(request) {
        return Err(SessionRejection::from(CrossOrigin).into());
    }
    Ok((handshake, visit))
}

impl fmt::Debug for SessionUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionUpgrade")
            .field("session", &self.session)
            .field("ping", &self.ping)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// The reason why a request is not a [`SessionUpgrade`], and the response to it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionUpgradeRejection {
    /// The request is not a WebSocket's handshake.
    NoHandshake(WebSocketUpgradeRejection),
    /// The handshake is not allowed, or the session is not available.
    Session(SessionRejection),
}

impl SessionUpgradeRejection {
    /// The response's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoHandshake(rejection) => rejection.status(),
            Self::Session(rejection) => rejection.status(),
        }
    }
}

impl fmt::Display for SessionUpgradeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHandshake(rejection) => rejection.fmt(f),
            Self::Session(rejection) => rejection.fmt(f),
        }
    }
}

impl Error for SessionUpgradeRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoHandshake(rejection) => rejection.source(),
            Self::Session(rejection) => rejection.source(),
        }
    }
}

impl IntoResponse for SessionUpgradeRejection {
    fn into_response(self) -> Response {
        match self {
            Self::NoHandshake(rejection) => rejection.into_response(),
            Self::Session(rejection) => rejection.into_response(),
        }
    }
}

impl From<WebSocketUpgradeRejection> for SessionUpgradeRejection {
    fn from(rejection: WebSocketUpgradeRejection) -> Self {
        Self::NoHandshake(rejection)
    }
}

impl From<SessionRejection> for SessionUpgradeRejection {
    fn from(rejection: SessionRejection) -> Self {
        Self::Session(rejection)
    }
}
