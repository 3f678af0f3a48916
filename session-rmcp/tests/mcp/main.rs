//! MCP servers with live sessions and handles: rmcp's own client over HTTP, and a client by hand where time is paused.

mod app;
mod bodies;
mod bounds;
mod closing;
mod dropped;
mod handles;
mod memory;
mod owners;
mod progress;
mod raw;
mod resumption;
mod served;
mod sessions;
mod shutdown;
mod timeouts;
