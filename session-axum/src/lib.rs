//! Live sessions for axum handlers and tower services.
//!
//! A session of [`session_core`] holds *live objects* that belong to one visitor - a connection, a transaction, a
//! running search - creates each once, however many requests race, and closes them when it ends. This crate connects
//! such sessions to HTTP: [`SessionLayer`] finds the session that a request belongs to, and extractors pass it,
//! its group and its property sets to handlers.
//!
//! # A first server
//!
//! Every visitor has a list of notes, which lives as long as the visitor's session.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use session_axum::{LazySession, Props, Session, SessionLayer, SessionRejection, serve, shutdown_signal};
//! use session_core::{Property, SessionManager, SessionProperties};
//! use std::sync::Mutex;
//! use std::time::Duration;
//!
//! #[derive(SessionProperties)]
//! struct Desk {
//!     /// The visitor's notes so far.
//!     #[property(default)]
//!     notes: Property<Mutex<Vec<String>>>,
//! }
//!
//! // The body first, and then the session, which is created, with its cookie, when a visitor first needs one: a client
//! // that sends half a note makes none.
//! async fn add(visitor: LazySession, note: String) -> Result<(), SessionRejection> {
//!     let desk = visitor.props::<Desk>()?;
//!     desk.notes()?.lock().unwrap().push(note);
//!     Ok(())
//! }
//!
//! // `Option<_>` creates nothing: a visitor who only looks stays a stranger.
//! async fn list(desk: Option<Props<Desk>>) -> Result<String, SessionRejection> {
//!     let Some(desk) = desk else { return Ok(String::new()) };
//!     let notes = desk.notes()?.lock().unwrap();
//!     Ok(notes.join("\n"))
//! }
//!
//! // Ends the session, and with it the notes; the response removes the cookie.
//! async fn leave(session: Option<Session>) {
//!     if let Some(session) = session {
//!         session.terminate();
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = SessionManager::builder().idle_timeout(Duration::from_secs(20 * 60)).build()?;
//!     let app = Router::new()
//!         .route("/notes", get(list).post(add).delete(leave))
//!         .layer(SessionLayer::new(sessions.clone()));
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     serve(listener, app, sessions)
//!         .with_graceful_shutdown(shutdown_signal())
//!         .await;
//!     Ok(())
//! }
//! ```
//!
//! # Extractors
//!
//! | in a handler's arguments | no session yet | |
//! |---|---|---|
//! | [`Session`] | creates one | the session |
//! | [`SessionGroup`] | creates one | its group |
//! | [`Props<P>`](Props) | creates one | a property set of the session, or of its group |
//! | `Option<_>` of these | `None` | |
//! | `Result<_, SessionRejection>` of these | creates one | goes on without one if that fails |
//! | [`LazySession`] | does nothing | any of the above, on demand, and the log-in |
//! | [`SessionEvents`] | answers with 204 | an event stream for a browser's `EventSource` |
//! | `SessionUpgrade` (feature `ws`) | creates one | a WebSocket that ends with the session |
//!
//! A handler that takes a body should take a [`LazySession`] before it, and ask for the session once the body is there.
//! The other extractors run before the body is read, so a client whose body is incomplete or refused has a session by
//! then, and may have evicted another visitor's.
//!
//! A request has one session, however many extractors it uses. They fail with a [`SessionRejection`]. The errors of
//! core's that a handler meets most convert into it as well, so that it can use `?`.
//!
//! Let a handler return `Result<_, SessionRejection>`, since core's errors are not responses. (Otherwise the compiler
//! reports that `Handler<_, _>` is not satisfied; `#[axum::debug_handler]` makes it name the argument.)
//!
//! # Which type from where
//!
//! Three names are in both crates: this crate's are extractors, which deref to core's.
//!
//! | for | import |
//! |---|---|
//! | a handler's arguments | `session_axum::{Session, SessionGroup, Props, LazySession}` |
//! | the layer, the server, the cookie | `session_axum::{SessionLayer, serve, CookieTransport}` |
//! | a set and its cells | `session_core::{SessionProperties, Property, Exclusive, InitContext}` |
//! | the manager, keys, errors, reports | `session_core::{SessionManager, PropertyKey, PropertyError, CleanupReport, ..}` |
//! | methods that sessions and groups share | `session_core::LocalSession`, a trait, which is here as well |
//! | functions that know nothing of HTTP | `session_core::{Session, SessionGroup, Props}`: pass `&*session` |
//!
//! The manager's state is for initializers. For handlers, put a clone of the same `Arc` into axum's `State`.
//!
//! # What the client sees
//!
//! The session's id travels in a cookie named `id` that is `Secure`, `HttpOnly` and `SameSite=Lax`:
//! see [`CookieTransport`] to change that, [`HeaderTransport`] for clients that are programs, and [`SessionTransport`]
//! for both at once or to put the id elsewhere.
//!
//! - Choose the cookie's name with care (see [`CookieTransport`]): with the prefix `__Host-` on HTTPS, and a different
//!   name for each server on a host.
//! - An id that the server did not issue is never adopted. A client that presents one, or the id of a session
//!   that has ended, is a stranger: it costs no memory and gets no cookie until a handler asks for a session.
//! - The response to the request that created the session, or called [`Session::cycle_id`], sets the cookie. No
//!   other response does, so responses can be cached as before.
//! - The response to the request that ended its session with [`Session::terminate`] removes it. Once a response's
//!   head is sent, ending the session can't remove the cookie any more; that is harmless, since the id is dead.
//! - A response that sets or removes the cookie says `Cache-Control: no-store`.
//! - A session whose id reaches no response, because its handler panicked or its client hung up, is ended with
//!   its request.
//!
//! The cookie is for HTTPS and for `localhost`. A browser that reaches another host over plain HTTP discards it,
//! and is a stranger at every request: use [`with_secure(false)`](CookieTransport::with_secure) while developing.
//!
//! # Log-in and log-out
//!
//! [`LazySession::log_in`] changes the session's id and moves it to the user's group, in one step.
//! [`Session::terminate`] ends it. Three consequences are easy to miss:
//!
//! - The old id admits no request any more, and the session is *parted* from the requests that used it before, perhaps
//!   a stranger's: event streams end, and extractors are refused.
//! - Browsers choose the cookie when a request is queued, so requests with the old id still arrive after the answer.
//!   For 30 seconds they are not treated as strangers, whose new cookie would undo the log-in or log-out. Extractors
//!   that would create a session refuse them with 409 ([`Superseded`](rejection::Superseded)), and a page that is
//!   loaded then reloads after a second. `Option<_>` is `None`, as for a stranger; [`LazySession::try_get`] tells the
//!   two apart.
//! - A double click on the log-in button logs the person in: [`LazySession::log_in`] succeeds even if another log-in or
//!   log-out has just happened.
//!
//! The page [`recipes`] has programs for what most applications need, and [`security`] OWASP's list for session
//! management, with the test for each row.
//!
//! # Time
//!
//! A request is inside its session from its arrival until its response's body has ended, so a long download or an
//! event stream keeps the session from being idle, and so does a page that polls.
//!
//! A connection that is *upgraded* outlives its request. A WebSocket is best left to `SessionUpgrade` (feature `ws`): it
//! runs a handler for as long as the session is active, tells the client why it ends, and refuses pages of other sites.
//! The task of any other connection takes a [`RequestGuard`](session_core::RequestGuard) with `session.enter()` if the
//! session's cleanup is to wait for it, or a [`KeepAlive`](session_core::KeepAlive) with `session.keep_alive()` if not. A
//! log-in by another request parts the session from the guard, which reports it, but not from the `KeepAlive`.
//!
//! An event stream (`text/event-stream`) also *ends* with its session: its body is dropped then, with all that it
//! holds, even if the client has stopped reading. So a handler just returns one.
//!
//! ```
//! use axum::response::sse::{Event, Sse};
//! use futures_util::{Stream, StreamExt};
//! use session_axum::Session;
//! use std::convert::Infallible;
//!
//! async fn events(session: Session) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
//!     Sse::new(ticks().map(|tick| Ok(Event::default().data(tick))))
//! }
//! # fn ticks() -> impl Stream<Item = &'static str> + Send + 'static { futures_util::stream::pending() }
//! ```
//!
//! [`SessionEvents`] also knows what a browser does when such a stream ends. Any other response can be made to end with
//! its session by [`Session::until_completed`]; otherwise cleanup waits for it, up to the drain timeout.
//!
//! # Shutting down
//!
//! [`serve`] is a server whose graceful shutdown has an end: requests get a grace period, sessions end and are cleaned
//! up, and connections of clients that neither read nor write are cut. With another server, call
//! [`SessionManager::shutdown`](session_core::SessionManager::shutdown) *while* it waits for its connections, and bound
//! that wait: `axum::serve` waits for ever for a client that has sent half a request.
//!
//! # Several servers
//!
//! Live objects do not move between processes. The crate `session-cluster` makes several servers one service: its layer,
//! outside of this one, sends each request to the server that has its session.
//!
//! # Tests
//!
//! The crate `session-test` has a browser for tests, in their own process: it keeps cookies, opens event streams and
//! WebSockets, and works in paused time. It also waits for the ends of sessions, and checks them.
//!
//! # Other tower services
//!
//! The layer only needs `http::Request` and `http::Response`, whose bodies are `'static` and, for responses,
//! `Send`. Without axum's handlers, take the session from the request's extensions with
//! [`Session::from_extensions`] or [`LazySession::from_extensions`]. A request of tonic's keeps them.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod body;
mod cookie;
mod extract;
mod future;
mod group_resolver;
mod head;
mod header;
mod layer;
mod notes;
#[cfg(feature = "ws")]
mod page_origin;
#[doc = include_str!("../recipes.md")]
pub mod recipes {}
pub mod rejection;
mod request_body;
/// OWASP's list for session management, with the test for each row.
#[doc = include_str!("../security.md")]
pub mod security {}
mod serve;
mod service;
mod shared;
mod transport;
mod until_completed;
#[cfg(feature = "ws")]
mod upgrade;
mod visit;

pub use ::cookie::SameSite;
/// The crate that this one builds on, for applications that do not depend on it directly.
///
/// A property set then names its path: `#[session(crate = ::session_axum::session_core)]`.
pub use session_core;
pub use session_core::LocalSession;

pub use self::body::SessionBody;
pub use self::cookie::CookieTransport;
pub use self::extract::events::{SessionEventStream, SessionEvents, SessionEventsRejection};
pub use self::extract::group::SessionGroup;
pub use self::extract::lazy::LazySession;
pub use self::extract::props::Props;
pub use self::extract::session::Session;
pub use self::future::ResponseFuture;
pub use self::group_resolver::GroupResolver;
pub use self::head::RequestHead;
pub use self::header::HeaderTransport;
pub use self::layer::SessionLayer;
pub use self::rejection::SessionRejection;
pub use self::serve::{Serve, Sockets, serve, shutdown_signal};
pub use self::service::SessionService;
pub use self::transport::{Or, Origin, SessionTransport};
#[cfg(feature = "ws")]
pub use self::upgrade::{Idle, SessionUpgrade, SessionUpgradeRejection, Socket};
