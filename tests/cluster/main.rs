//! The rules of a cluster. Each test has the number of its rule.

mod directories;
mod in_process;
mod node;
mod redis;
