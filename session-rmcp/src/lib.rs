//! Live sessions and handles for MCP servers on [rmcp].
#![deny(missing_docs)]

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

pub use error::tool_error;
pub use handle::Handle;
pub use handles::{HandleInfo, Handles};
pub use live::LiveSessions;
pub use manager::LiveSessionsError;
pub use parameters::Parameters;
pub use props::{McpProps, McpSession};
pub use service::LiveService;
pub use transport::SessionTransport;
