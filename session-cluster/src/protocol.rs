//! The decisions of one node, apart from all I/O: a state machine that is told what it asked the store and what came back.
//!
//! The keeper drives it, and so does a simulation. Time is an argument, and so is everything random. One question is under
//! way at a time: [`Node::question`], then [`Node::answered`] or [`Node::failed`]. Beside it, one of these at a time:
//!
//! - [`Node::burial`]: a verdict to write; then [`Node::buried`].
//! - [`Node::append`]: an own entry for the log; then [`Node::appended`].
//! - [`Node::reading`]: catches up with the log out of turn; then [`Node::caught_up`]. These may overlap.
//!
//! If one of these calls failed: [`Node::call_failed`]. After each call that returns steps, take the steps in order, and
//! only then tell requests of [`Node::open_until`]: a request that gets in must find what was ended gone.

mod lease;
mod log;
mod membership;
mod node;
mod step;
mod verdicts;

pub(crate) use node::Node;
#[cfg(test)]
pub(crate) use step::{Append, Burial, Question, Reading};
pub(crate) use step::{Knowledge, Moment, Step};

#[cfg(test)]
mod model_store;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod simulation;
