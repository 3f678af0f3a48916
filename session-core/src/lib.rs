//! Live, typed, in-process sessions: objects that belong to one visitor, created once and closed once.
//!
//! Sessions of most web frameworks are data: they are serialized, and any machine can load them. Some things
//! can't be: an open transaction, a database cursor, a terminal, a running search, a conversation. Such an
//! object has to be created once however many requests race for it, shared or lent while the visitor is there,
//! and closed in order, exactly once, when the visitor is gone. A [`Session`] of this crate does that.
//! The crate knows nothing about the web; `session-axum` connects it to tower and axum, and `session-cluster` makes several
//! processes one service.
//!
//! # A session and its properties
//!
//! A property set is a struct whose fields are cells. The derive adds an accessor for each.
//!
//! ```
//! use session_core::{Exclusive, InitContext, LocalSession, Property, SessionManager, SessionProperties};
//! use std::{collections::BTreeSet, sync::Mutex, time::Duration};
//!
//! # #[derive(Debug)] struct DbError;
//! # impl std::fmt::Display for DbError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no database") } }
//! # impl std::error::Error for DbError {}
//! # struct Connection { statements: u32 }
//! # impl Connection {
//! #     async fn open(_path: &str) -> Result<Self, DbError> { Ok(Self { statements: 0 }) }
//! #     fn execute(&mut self, _statement: &str) { self.statements += 1; }
//! #     async fn roll_back(self) -> Result<(), DbError> { Ok(()) }
//! # }
//! struct App { database: String }
//!
//! #[derive(SessionProperties)]
//! #[session(state = App)]
//! struct Workbench {
//!     /// Opened on first use, lent to one request at a time, rolled back when the session ends.
//!     #[property(try_async_init = open, close = Connection::roll_back)]
//!     connection: Exclusive<Connection>,
//!
//!     /// The tables this session has looked at: shared.
//!     #[property(default)]
//!     seen: Property<Mutex<BTreeSet<String>>>,
//! }
//!
//! async fn open(cx: &InitContext<App>) -> Result<Connection, DbError> {
//!     Connection::open(&cx.state().database).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = SessionManager::builder()
//!         .idle_timeout(Duration::from_secs(20 * 60))
//!         .state(App { database: "airports.db".into() })
//!         .build()?;
//!
//!     let session = sessions.create()?;
//!     let bench = session.props::<Workbench>()?;
//!     bench.connection().await?.execute("begin");
//!     bench.seen()?.lock().unwrap().insert("airports".into());
//!
//!     drop(bench); // a value still held is closed when its last holder lets go
//!     session.terminate();
//!     let report = session.cleanup_completed().await;
//!     assert_eq!(report.closed(), 2);
//!     assert!(report.is_clean());
//!
//!     // Before `main` returns: without a runtime nothing async can be closed.
//!     sessions.shutdown(Duration::from_secs(10)).await;
//!     Ok(())
//! }
//! ```
//!
//! [`Property<T>`](Property) is shared: its accessor returns `&PropertyRef<T>`, a handle that derefs to the value
//! and can be cloned into tasks. [`Exclusive<T>`](Exclusive) is lent: its accessor is async and resolves to an
//! [`ExclusiveGuard<T>`](ExclusiveGuard) with `&mut T`. The attributes of a field are on
//! [the derive's page](macro@SessionProperties).
//!
//! Names known only at run time, or that do not belong to a set, go into the dictionary,
//! [`session.properties()`](LocalSession::properties), under a typed [`PropertyKey<T>`](PropertyKey).
//! A value that only has to be dropped at the end is [handed over](LocalSession::take_ownership).
//!
//! # Created once
//!
//! However many callers race for a property, one initializer runs and all get its result. An async one runs on
//! a task of the session: a request that goes away does not stop it. A failure reaches all callers that waited, as
//! one [`PropertyError`]; a later caller tries again. An initializer that would wait for itself, through
//! other properties, sessions or managers, gets [`PropertyError::Cycle`]. A cycle is not detected through a task that
//! an initializer spawns and joins, nor through one future that is awaited in several places (`shared()`).
//!
//! # The end
//!
//! A session is active until it completes, once, for one [`CompletionCause`]. From then on its properties are
//! read-only and its [token](LocalSession::completion_token) is cancelled. Cleanup follows:
//!
//! 1. owned values are dropped, last taken first;
//! 2. requests inside, tasks and initializers end, or are aborted after the drain timeout;
//! 3. properties are closed, last published first, each by its close hook or its `Drop`;
//! 4. the session leaves its group, and [`cleanup_completed()`](LocalSession::cleanup_completed) resolves to a
//!    [`CleanupReport`].
//!
//! A value that is still held then is closed when its last holder lets go.
//!
//! # Activity and time
//!
//! A session ends after the idle timeout without activity, or at the absolute timeout in any case. Activity
//! is a request inside it ([`enter()`](Session::enter)) or a [`keep_alive()`](Session::keep_alive) guard;
//! looking a session up is not. Time is tokio's clock, so a test can pause it.
//!
//! # Groups
//!
//! Sessions of one user, tenant or browser can share a [`SessionGroup`], which has properties, tasks and an end
//! like a session's. [`create_in`](SessionManager::create_in) and [`join`](Session::join) name it. It ends with its last
//! session, or [lingers](SessionManagerBuilder::group_linger) for a while, and the number of its sessions can be
//! [bounded](SessionManagerBuilder::max_sessions_per_group).
#![deny(missing_docs)]

mod error;
mod id;
mod life;
mod local;
mod manager;
#[cfg(all(test, session_shuttle))]
mod models;
mod properties;
mod sessions;
mod settings;
mod store;
mod sync;
mod values;

pub use error::{
    BuildError, CreateError, CycleError, JoinError, NotLive, PropertyError, PropsError, Refused,
    RekeyError, SessionEnded,
};
pub use id::node_tag::NodeTag;
pub use id::session_key::{EmptySessionKey, SessionKey};
pub use id::{GroupId, ParseSessionIdError, SessionId};
pub use life::cause::CompletionCause;
pub use life::event::{LifecycleEvent, LifecycleEvents, Missed, Subject};
pub use life::owned::Owned;
pub use life::signal::CleanupCompleted;
pub use local::LocalSession;
pub use manager::builder::SessionManagerBuilder;
pub use manager::keyed::KeyedEntry;
pub use manager::{SessionManager, SessionStats, ShutdownReport};
pub use properties::context::InitContext;
pub use properties::dictionary::Properties;
pub use properties::discard::Discarded;
pub use properties::exclusive::{Exclusive, ExclusiveGuard};
pub use properties::listing::{PropertyInfo, PropertyState};
pub use properties::property::Property;
pub use properties::props::Props;
pub use properties::set::{LivesIn, SessionProperties};
pub use session_macros::SessionProperties;
pub use sessions::group::SessionGroup;
pub use sessions::guard::{KeepAlive, Pass, RequestGuard};
pub use sessions::session::{Session, WeakSession};
pub use sessions::superseded::{NewId, SupersededId};
pub use sessions::times::Activity;
pub use sessions::until_completed::UntilCompleted;
pub use settings::WhenFull;
pub use store::key::{KeyName, PropertyKey};
pub use tokio_util::sync::CancellationToken;
pub use values::close::CloseHook;
pub use values::report::{CleanupReport, Problem, Trouble};
pub use values::value::PropertyRef;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
