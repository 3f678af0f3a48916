//! Live sessions beside tower-sessions, against the real crate.

mod changes;
mod cookies;
mod ends;
mod first_uses;
mod groups;
mod kit;
mod log_outs;
mod markers;
mod rejections;
mod stage;
mod store;
mod stores_away;
mod streams;
mod verified;
mod without_response;
