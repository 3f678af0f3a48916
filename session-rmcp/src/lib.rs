//! Live sessions and handles for MCP servers on [rmcp].
//!
//! An MCP server often has objects that belong to one client: an open transaction, a browser, a shell. This crate keeps
//! them in sessions of [`session_core`]: objects are created once and closed in order, sessions are bounded and not idle
//! during a call.
//!
//! - [`LiveSessions`] takes the place of rmcp's session manager. A tool takes a property set of its session as an
//!   argument, [`McpProps`].
//! - Protocol 2026-07-28 has no sessions. There a tool mints a [`Handle`] to a property set, which the model passes to
//!   other tools.
//!
//! It is for servers over HTTP: over stdio a process has one client, and neither sessions nor handles.
//!
//! The page [MCP servers](mcp_servers) goes from rmcp's counter example to both, and says what rmcp does not let this crate
//! do.
#![deny(missing_docs)]

mod alarm;
mod arrival;
mod caller;
mod channel;
mod conversation;
mod error;
mod events;
mod farewell;
mod handle;
mod handles;
mod live;
mod manager;
mod outbox;
mod parameters;
mod props;
mod service;
mod transport;

#[doc = include_str!("../mcp-servers.md")]
pub mod mcp_servers {}

pub use error::tool_error;
pub use handle::Handle;
pub use handles::{HandleInfo, Handles};
pub use live::LiveSessions;
pub use manager::LiveSessionsError;
pub use parameters::Parameters;
pub use props::{McpProps, McpSession};
pub use service::LiveService;
pub use transport::SessionTransport;
