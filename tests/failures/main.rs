//! Nodes of a cluster that fail: real processes that are killed, stopped and continued, a real Redis, and wires between
//! them that are cut.
//!
//! Each test keeps a [record](record::Record) of all answers, and ends with the check of what holds for each of them,
//! whatever fails: that nobody meets another's session, that no session is on two nodes, and that none is served after its
//! end. Times are told in multiples of the [lease](wait::LEASE).

#![cfg(target_os = "linux")]

mod checks;
mod client;
mod crowd;
mod cut_off;
mod deploy;
mod failover;
mod front;
mod fronts;
mod killed;
mod log_out;
mod node;
mod one_address;
mod place;
mod probe;
mod process;
mod proxy;
mod record;
mod soak;
mod stopped;
mod store_lost;
mod streams;
mod visitor;
mod wait;
mod world;
