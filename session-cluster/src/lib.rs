//! Several nodes behind any load balancer as one service of live sessions.
//!
//! The files, from below: `times`, `secret` and `directory`; `protocol` (one node's decisions, apart from all I/O);
//! `view` (the state that requests read); `cluster` with its builder and keeper; the layer.

#![allow(dead_code)]

mod cluster;
mod directory;
mod secret;
mod times;
mod view;

pub use cluster::Cluster;
pub use directory::in_process::{InProcessDirectory, InProcessLink};
pub use directory::redis::{RedisDirectory, RedisUrlError};
pub use directory::{
    Answer, Beat, CaughtUp, Directory, DirectoryError, Entry, Position, Pulse, Report, Run, Seen,
    Standing, VERDICTS_KEPT,
};
