//! Live sessions beside [tower-sessions](tower_sessions), on its cookie.
//!
//! A session of tower-sessions is data: a record in a store, which any server can load. A session of [`session_core`]
//! holds live objects: a connection, a transaction, a running search. They can't be stored, are created once, and are
//! closed when the session ends. [`LiveSessions`] adds these to an application that has tower-sessions 0.15: a visitor's
//! live session follows their record, and there is no second cookie.
//!
//! ```
//! use axum::{Router, routing::get};
//! use session_axum::{Props, SessionRejection};
//! use session_core::{Property, SessionManager, SessionProperties};
//! use session_tower_sessions::LiveSessions;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tower_sessions::{MemoryStore, SessionManagerLayer};
//!
//! #[derive(SessionProperties)]
//! struct Desk {
//!     /// Stands for an object that can't be stored.
//!     #[property(default)]
//!     visits: Property<AtomicU32>,
//! }
//!
//! async fn visit(desk: Props<Desk>) -> Result<String, SessionRejection> {
//!     let visits = desk.visits()?.fetch_add(1, Ordering::Relaxed) + 1;
//!     Ok(format!("visit {visits}"))
//! }
//!
//! fn app(sessions: SessionManager) -> Router {
//!     let theirs = SessionManagerLayer::new(MemoryStore::default());
//!     Router::new()
//!         .route("/", get(visit))
//!         // Instead of `.layer(theirs)`. A visitor with live objects has a record, with a marker in it if nothing else.
//!         .layer(LiveSessions::around(sessions, theirs).with_marker("live"))
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let ann = session_test::Browser::new(app(SessionManager::builder().build()?));
//! # assert_eq!(ann.get("/").await.text(), "visit 1");
//! # assert_eq!(ann.get("/").await.text(), "visit 2");
//! # Ok(()) }
//! ```
//!
//! The page [Coming from tower-sessions](coming_from_tower_sessions) says what stays there, what comes here, and how a
//! log-in and a log-out run through both.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[doc = include_str!("../coming-from-tower-sessions.md")]
pub mod coming_from_tower_sessions {}
mod groups;
mod inner;
mod key;
mod live;
mod outer;
mod rejection;
mod tie;
mod under_way;
mod watched;

pub use key::key;
pub use live::LiveSessions;
pub use outer::LiveService;
pub use rejection::Rejection;
