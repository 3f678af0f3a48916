//! The SQL workbench on three nodes behind one address, all on this machine: to see what visitors notice when a node is
//! killed, stopped or drained.
//!
//! One process starts the others: Redis, and three nodes, which are this program again with the argument `node`. Each of
//! them ends when its standard input does, so none outlives the first process, however that ends. The modules:
//!
//! - `args`: the command line
//! - `program`: the first process, from the start of the others to their end
//! - `redis`, `process`: Redis and a node, as the first process sees them
//! - `front`: the load balancer
//! - `board`, `page`: the state of the nodes and what happened to them, and the page that shows it
//! - `node`: a node's own process, which is the workbench with a [`ClusterLayer`](session_cluster::ClusterLayer)
//! - `word`: the lines that a node tells the first process

mod args;
mod board;
mod front;
mod node;
mod page;
mod process;
mod program;
mod redis;
mod word;

pub use program::main;
