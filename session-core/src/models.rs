//! Models of the races: the whole core, run under many orders of its steps.
//!
//! ```text
//! RUSTFLAGS="--cfg session_shuttle" cargo test --release -p session-core --lib models
//! ```
//!
//! A model starts a few threads on real sessions, and says what must hold when they are done. shuttle runs it
//! again and again, each time with another schedule: wherever a lock is taken, an atomic touched, or a counted
//! pointer cloned or dropped, any thread may be next. The first thread polls the runtime's tasks meanwhile.
//!
//! `SESSION_MODEL_ITERATIONS` is the number of schedules that each of two schedulers tries per model: one is
//! random at every step, the other (PCT) runs by priorities and changes them at few points. Models small enough
//! are run under all schedules there are.

mod activity;
mod completion;
mod creation;
mod events;
mod expiry;
mod groups;
mod harness;
mod id;
mod lending;
mod ownership;
mod shutdown;
mod values;
