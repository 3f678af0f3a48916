//! The tests that span the crates are in the folders beside this one, one folder for each suite. This has what several
//! suites share.

mod redis_server;

pub use redis_server::RedisServer;
