//! Tests of applications with live sessions, in the test's own process.
//!
//! A [`Browser`] sends requests to an application without a socket, and keeps cookies as a browser does. With paused time
//! a test of what happens after twenty minutes takes none. [`SessionExt`], [`SessionsExt`] and [`assert_ended!`] wait for
//! the ends of sessions, and check that these ended as they should.
//!
//! ```
//! use axum::{Router, routing::get, routing::post};
//! use session_axum::{LazySession, Session, SessionLayer, SessionRejection};
//! use session_core::{CompletionCause, Property, SessionManager, SessionProperties};
//! use session_test::{Browser, SessionExt, SessionsExt, assert_ended};
//! use std::sync::Mutex;
//!
//! #[derive(SessionProperties)]
//! struct Desk {
//!     #[property(default)]
//!     notes: Property<Mutex<Vec<String>>>,
//! }
//!
//! async fn add(visitor: LazySession, note: String) -> Result<(), SessionRejection> {
//!     visitor.props::<Desk>()?.notes()?.lock().unwrap().push(note);
//!     Ok(())
//! }
//!
//! fn app(sessions: SessionManager) -> Router {
//!     Router::new()
//!         .route("/notes", post(add))
//!         .route("/leave", post(async |session: Session| session.terminate()))
//!         .layer(SessionLayer::new(sessions))
//! }
//!
//! #[tokio::main(flavor = "current_thread")] // in a test: #[tokio::test(start_paused = true)]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = SessionManager::builder().build()?;
//!     let app = app(sessions.clone());
//!
//!     let ann = Browser::new(app.clone());
//!     ann.post("/notes").body("milk").await.assert_status(200);
//!     let session = ann.session(&sessions).expect("Ann has a session");
//!     ann.post("/leave").await.assert_status(200);
//!     assert_ended!(session, CompletionCause::Terminated);
//!
//!     let bob = Browser::new(app);
//!     bob.post("/notes").body("bread").await.assert_status(200);
//!     bob.session(&sessions).expect("Bob has a session").expire().await;
//!     sessions.assert_clean().await;
//!     Ok(())
//! }
//! ```
//!
//! The page [Testing](testing) starts from a small application and tests it step by step.
//!
//! # Panics
//!
//! These are tools for tests: where something is not as the test expects it, they panic, and say what was expected and what
//! came. A message about a request names its method and path, and the line of the test that asked for it.
//!
//! No wait of this crate is endless. In paused time it is given up after a week of that time, which is longer than the
//! timeouts of most applications and passes in a moment; otherwise after a minute. So the runtime needs its timers, which
//! `#[tokio::test]` enables.
#![deny(missing_docs)]

mod answer;
mod asked;
mod browser;
mod clean;
mod cookies;
mod ended;
mod event_parser;
mod events;
mod expire;
mod handshake;
mod message;
mod patience;
mod request;
mod tab;
mod websocket;

#[doc = include_str!("../testing/application.md")]
#[doc = concat!("```\n", include_str!("../testing/app.rs"), "```\n")]
#[doc = include_str!("../testing/tests.md")]
pub mod testing {}

pub use answer::Answer;
pub use browser::Browser;
pub use clean::{CleanupRecord, SessionsExt};
pub use event_parser::Event;
pub use events::Events;
pub use expire::SessionExt;
pub use message::Message;
pub use request::RequestBuilder;
pub use websocket::WebSocket;

#[doc(hidden)]
pub mod __private {
    pub use crate::ended::Ended;
}
